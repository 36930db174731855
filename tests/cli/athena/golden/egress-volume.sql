-- egress-volume: one of your hosts sends 500 MB or more to the internet or to AWS services within an
-- hour, or twice as much within a day, and at least five times what is usual for its role, or to new
-- networks.
-- This query approximates the detector. Thresholds: upload_megabytes = 500. Period: 2026-01-02T00:00Z
-- to 2026-01-03T00:00Z.
-- It leaves out:
--   * The learned baseline: what is usual for the role of a host appears too. Compare with an earlier
--     period. The detector requires five times as much as is usual for the role, or new networks.
--   * Sliding windows: an hour begins at a full or half hour, a day at midnight UTC.
--   * Sampling: the query adds up all bytes, the detector estimates their sum.
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
uploads AS (
  SELECT DISTINCT
    interface_id, client, server, server_class, client_port, port, protocol, packets, bytes, "start", "end"
  FROM flows
  WHERE forward AND action = 'ACCEPT' AND client_class = 'own' AND server_class IN ('internet', 'aws-service')
    AND COALESCE(side, 'egress') = 'egress' AND (sure OR (protocol = 6 AND client_port >= 32768 AND port < 32768)) AND NOT (contains('10.0.0.9/32', TRY_CAST(client AS ipaddress)))
)
SELECT
  client AS subject,
  server_class,
  sum(bytes) AS bytes,
  count(DISTINCT server) AS servers,
  max_by(server, bytes) AS largest_receiver,
  span AS span_seconds,
  from_unixtime("start" - ("start" + shift) % span) AS window_start
FROM uploads
CROSS JOIN (VALUES (3600, 0), (3600, 1800), (86400, 0)) AS spans (span, shift)
GROUP BY client, server_class, span, "start" - ("start" + shift) % span
HAVING sum(bytes) >= CASE WHEN span = 86400 THEN 1000000000 ELSE 500000000 END
ORDER BY bytes DESC, subject;
