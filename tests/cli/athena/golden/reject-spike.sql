-- reject-spike: the internet tries one of your hosts more than five times as often as usual.
-- This query approximates the detector. Thresholds: spike_factor = 5. Period: 2026-01-02T00:00Z to
-- 2026-01-03T00:00Z.
-- It leaves out:
--   * The z-score: the query compares with the median of the day before alone.
--   * The six hours after a spike, in which the detector reports no other.
--   * Estimates: the query counts attempts exactly, the detector in 256 buckets.
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
),
counts AS (
  SELECT dst, slot, count(*) AS attempts
  FROM (
    SELECT DISTINCT dst, src, protocol, dstport, "start" - "start" % 600 AS slot
    FROM attempts
  ) AS each_attempt
  GROUP BY dst, slot
),
candidates AS (
  SELECT dst, slot, attempts
  FROM counts
  WHERE attempts > 125 AND slot >= 1767312000
),
history AS (
  SELECT candidates.dst, candidates.slot, candidates.attempts, earlier.slot AS earlier
  FROM candidates
  CROSS JOIN UNNEST(
    sequence(candidates.slot - 86400, candidates.slot - 600, 600)
  ) AS earlier (slot)
),
compared AS (
  SELECT
    history.dst,
    history.slot,
    history.attempts,
    approx_percentile(greatest(COALESCE(counts.attempts, 25), 25), 0.5) AS usual
  FROM history
  LEFT JOIN counts ON counts.dst = history.dst AND counts.slot = history.earlier
  GROUP BY history.dst, history.slot, history.attempts
)
SELECT
  dst AS subject,
  from_unixtime(slot) AS slot,
  attempts,
  usual
FROM compared
WHERE attempts > 5 * usual
ORDER BY attempts DESC, subject;
