-- host-probing: one of your hosts is rejected at five or more host/port pairs in one batch of one
-- interface.
-- This query approximates the detector. Thresholds: probing_destinations = 5. Period:
-- 2026-01-02T00:00Z to 2026-01-03T00:00Z.
-- It leaves out:
--   * The learned baseline: what is usual for the role of a host appears too. Compare with an earlier
--     period. The detector omits connections that usually work, and those that rules usually refuse.
--   * Batches: the query counts in windows of time instead, also over several interfaces. A window is an
--     hour that begins at a full or half hour.
--   * TCP scans without a SYN, if the records have flags.
--   * The kind and the role of an interface: NAT gateways, load balancers and hosts of one role are hosts
--     like any other.
--   * Rules for the initiator that need the reverse flow: a record without a SYN is judged by its ports
--     alone.
--   * Public networks of your VPCs that are not in own_cidrs: the query does not read them from EC2.
--   * Mutes, inhibition, severity, and the suppression of repeats.
WITH [records],
[parsed],
[classified],
[directed],
[flows],
refused AS (
  SELECT *, (server_class IN ('internet', 'aws-service') AND COALESCE(side, 'egress') = 'egress') AS denied, COALESCE(packets, 1) AS counted, "start" - "start" % 600 AS slot
  FROM flows
  WHERE forward AND sure AND action = 'REJECT' AND client_class = 'own' AND server_class <> 'local' AND NOT (contains('10.0.0.9/32', TRY_CAST(client AS ipaddress)))
),
pairs AS (
  SELECT DISTINCT
    interface_id, client, "start" - ("start" + shift) % span AS window_start,
    denied, CASE WHEN denied THEN '' ELSE server END AS server, protocol, port
  FROM refused
  CROSS JOIN (VALUES (3600, 0), (3600, 1800)) AS spans (span, shift)
),
counts AS (
  SELECT
    interface_id, client, window_start,
    count_if(NOT denied) AS pairs,
    count_if(denied) AS denied,
    count(DISTINCT port) AS ports
  FROM pairs
  GROUP BY interface_id, client, window_start
)
SELECT
  client AS subject,
  max(pairs) AS pairs,
  max(ports) AS ports,
  from_unixtime(min(window_start)) AS first_window
FROM counts
WHERE pairs + least(pairs, denied) >= 5
GROUP BY client
ORDER BY pairs DESC, subject;
