-- nacl-blocks-replies: a network ACL allows requests and denies their replies, inbound or outbound.
-- This query approximates the detector. Thresholds: nacl_tuples = 3. Period: 2026-01-02T00:00Z to
-- 2026-01-03T00:00Z.
-- It leaves out:
--   * Batches: the query counts in windows of time instead, also over several interfaces. A window is an
--     hour that begins at a full or half hour. A request that was logged in another window than its reply
--     does not count.
--   * Without flow-direction, the side of connections between internal hosts.
--   * Without subnet-id, the address: a row is about an interface.
--   * Rules for the initiator that need the reverse flow: a record without a SYN is judged by its ports
--     alone.
--   * Public networks of your VPCs that are not in own_cidrs: the query does not read them from EC2.
--   * Mutes, inhibition, severity, and the suppression of repeats.
WITH [records],
[parsed],
[classified],
[directed],
[flows],
connections AS (
  SELECT
    interface_id, client, server, client_port, port,
    "start" - ("start" + shift) % span AS window_start,
    max(NULLIF(subnet_id, '-')) AS subnet_id,
    max(CASE WHEN NOT forward AND action = 'REJECT' THEN side END) AS side,
    bool_or(forward AND action = 'ACCEPT') AS asked,
    bool_or(NOT forward AND action = 'ACCEPT') AS answered,
    bool_or(
      NOT forward AND action = 'REJECT' AND (flags IS NULL OR bitwise_and(flags, 18) = 18)
    ) AS rejected,
    count(flags) AS flagged
  FROM flows
  CROSS JOIN (VALUES (3600, 0), (3600, 1800)) AS spans (span, shift)
  WHERE protocol = 6
  GROUP BY interface_id, client, server, client_port, port, "start" - ("start" + shift) % span
),
counts AS (
  SELECT COALESCE(subnet_id, interface_id) AS subject, side, window_start, count(*) AS connections
  FROM connections
  WHERE asked AND rejected AND NOT (flagged = 0 AND answered)
  GROUP BY COALESCE(subnet_id, interface_id), side, window_start
)
SELECT
  subject,
  CASE WHEN side = 'egress' THEN 'outbound' WHEN side = 'ingress' THEN 'inbound' ELSE 'unknown' END AS rules,
  max(connections) AS connections,
  from_unixtime(min(window_start)) AS first_window
FROM counts
WHERE connections >= 3
GROUP BY subject, side
ORDER BY connections DESC, subject;
