-- internet-rejects: rejected connection attempts from the internet, counted in a metric.
-- This query approximates the detector. Thresholds: none. Period: 2026-01-02T00:00Z to
-- 2026-01-03T00:00Z.
-- It leaves out:
--   * Names of internet hosts that tried many ports.
--   * Batches: a row is about the whole period.
--   * Rules for the initiator that need the reverse flow: a record without a SYN is judged by its ports
--     alone.
--   * Public networks of your VPCs that are not in own_cidrs: the query does not read them from EC2.
--   * Mutes, inhibition, severity, and the suppression of repeats.
WITH [records],
[parsed],
[classified],
[directed],
attempts AS (
  SELECT src, dst, protocol, dstport, "start"
  FROM directed
  WHERE action = 'REJECT' AND src_class IN ('internet', 'aws-service') AND dst_class = 'own'
    AND COALESCE(from_source, true)
    AND NOT (protocol = 6 AND flags IS NOT NULL AND bitwise_and(flags, 2) = 0)
)
SELECT
  dst AS subject,
  count(*) AS records,
  count(DISTINCT src) AS sources,
  count(DISTINCT dstport) AS ports,
  from_unixtime(min("start")) AS first_seen
FROM attempts
GROUP BY dst
ORDER BY records DESC, subject;
