-- records-skipped: AWS skipped an interface's records (SKIPDATA) in at least three windows within an
-- hour.
-- This query approximates the detector. Thresholds: skipped_windows = 3. Period: 2026-01-02T00:00Z to
-- 2026-01-03T00:00Z.
-- It leaves out:
--   * Sliding windows: an hour begins at a full or half hour.
--   * Mutes, inhibition, severity, and the suppression of repeats.
WITH skipped AS (
  SELECT DISTINCT interface_id, "start" - "start" % 60 AS minute
  FROM "flow_logs"
  WHERE "day" BETWEEN '2026/01/02' AND '2026/01/03'
    AND "start" >= 1767312000 AND "start" < 1767398400
    AND log_status = 'SKIPDATA'
),
counts AS (
  SELECT interface_id, minute - (minute + shift) % span AS window_start, count(*) AS windows
  FROM skipped
  CROSS JOIN (VALUES (3600, 0), (3600, 1800)) AS spans (span, shift)
  GROUP BY interface_id, minute - (minute + shift) % span
)
SELECT
  interface_id AS subject,
  max(windows) AS windows,
  from_unixtime(min(window_start)) AS first_window
FROM counts
WHERE windows >= 3
GROUP BY interface_id
ORDER BY windows DESC, subject;
