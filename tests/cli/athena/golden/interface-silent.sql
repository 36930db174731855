-- interface-silent: an interface that regularly wrote flow records has stopped, although EC2 shows it
-- as in use; five or more of a VPC are reported together.
-- This query approximates the detector. Thresholds: none. Period: 2026-01-02T00:00Z to
-- 2026-01-03T00:00Z.
-- It leaves out:
--   * EC2: interfaces that were deleted, detached or stopped appear too, also replaced instances.
--   * Late deliveries, and gaps of all interfaces: the detector reports nothing then.
--   * VPCs: each interface has a row of its own; the detector reports five or more together.
--   * Time: all interfaces of the table count as one log group.
--   * Mutes, inhibition, severity, and the suppression of repeats.
WITH seen AS (
  SELECT DISTINCT interface_id, "start" - "start" % 1800 AS slot
  FROM "flow_logs"
  WHERE "day" BETWEEN '2026/01/01' AND '2026/01/03'
    AND "start" >= 1767295800 AND "start" < 1767398400
    AND interface_id <> '-'
),
newest AS (
  SELECT max(slot) AS slot
  FROM seen
),
regular AS (
  SELECT
    interface_id,
    slot,
    lead(slot) OVER (PARTITION BY interface_id ORDER BY slot) AS next_slot,
    count(*) OVER (
      PARTITION BY interface_id ORDER BY slot
      RANGE BETWEEN 9000 PRECEDING AND CURRENT ROW
    ) AS slots
  FROM seen
)
SELECT
  regular.interface_id AS subject,
  from_unixtime(regular.slot + 1800) AS silent_since,
  from_unixtime(regular.next_slot) AS wrote_again
FROM regular
CROSS JOIN newest
WHERE regular.slots >= 5
  AND COALESCE(regular.next_slot, newest.slot + 1800) - regular.slot > 7200
ORDER BY silent_since DESC, subject;
