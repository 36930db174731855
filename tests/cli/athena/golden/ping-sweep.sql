-- ping-sweep: one of your hosts pings many internal addresses that do not reply: a row of the digest.
-- This query approximates the detector. Thresholds: scan_hour = 12. Period: 2026-01-02T00:00Z to
-- 2026-01-03T00:00Z.
-- It leaves out:
--   * The learned baseline: what is usual for the role of a host appears too. Compare with an earlier
--     period.
--   * Batches: the query counts in windows of time instead, also over several interfaces. An address
--     counts if it sends no reply in an hour that begins at a full or half hour.
--   * Without flow-direction, the side: a ping also counts where it is received.
--   * The kind and the role of an interface: NAT gateways, load balancers and hosts of one role are hosts
--     like any other.
--   * Public networks of your VPCs that are not in own_cidrs: the query does not read them from EC2.
--   * Mutes, inhibition, severity, and the suppression of repeats.
WITH [records],
[parsed],
[classified],
[directed],
pings AS (
  SELECT DISTINCT src, dst, side, "start" - ("start" + shift) % span AS window_start
  FROM directed
  CROSS JOIN (VALUES (3600, 0), (3600, 1800)) AS spans (span, shift)
  WHERE protocol IN (1, 58) AND src_class = 'own' AND dst_class = 'own'
)
SELECT
  sent.src AS subject,
  count(DISTINCT sent.dst) AS silent_servers,
  from_unixtime(sent.window_start) AS window_start
FROM pings AS sent
LEFT JOIN pings AS reply
  ON reply.src = sent.dst AND reply.dst = sent.src AND reply.window_start = sent.window_start
WHERE reply.src IS NULL AND COALESCE(sent.side, 'egress') = 'egress' AND NOT (contains('10.0.0.9/32', TRY_CAST(sent.src AS ipaddress)))
GROUP BY sent.src, sent.window_start
HAVING count(DISTINCT sent.dst) >= 12
ORDER BY silent_servers DESC, subject;
