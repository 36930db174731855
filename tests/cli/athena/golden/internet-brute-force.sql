-- internet-brute-force: an internet host opens 60 or more connections of the same small size within a
-- day to an administration or database port; after two days usual for the host, unless another is
-- larger.
-- This query approximates the detector. Thresholds: brute_force_sessions = 40. Period:
-- 2026-01-02T00:00Z to 2026-01-03T00:00Z.
-- It leaves out:
--   * The learned baseline: what is usual for the role of a host appears too. Compare with an earlier
--     period. The detector pages again only when a larger session may be a log-in.
--   * Rules for the initiator that need the reverse flow: a record without a SYN is judged by its ports
--     alone.
--   * Public networks of your VPCs that are not in own_cidrs: the query does not read them from EC2.
--   * Mutes, inhibition, severity, and the suppression of repeats.
WITH [records],
[parsed],
[classified],
[directed],
[flows],
sessions AS (
  SELECT
    span, "start" - ("start" + shift) % span AS window_start, client, server, port, client_port,
    COALESCE(bool_or((bytes > 5120 OR packets > 30 OR "end" - "start" > 120 OR (flags IS NOT NULL AND bitwise_and(flags, 7) = 0))), false) AS large,
    COALESCE(max(CASE WHEN NOT forward THEN round(4 * log2(greatest(bytes, 1))) END), 0) AS size_class
  FROM flows
  CROSS JOIN (VALUES (86400, 0)) AS spans (span, shift)
  WHERE protocol = 6 AND action = 'ACCEPT' AND (flags IS NULL OR flags <> 4)
    AND port IN (22, 23, 135, 445, 1433, 1521, 3306, 3389, 5432, 5900, 5985, 5986, 6379, 27017) AND (COALESCE((bytes > 5120 OR packets > 30 OR "end" - "start" > 120 OR (flags IS NOT NULL AND bitwise_and(flags, 7) = 0)), false) OR NOT forward)
    AND client_class = 'internet' AND server_class = 'own' AND NOT (contains('10.0.0.9/32', TRY_CAST(server AS ipaddress)))
    AND (forward OR bytes IS NULL OR bytes >= CASE port WHEN 22 THEN 1000 WHEN 3389 THEN 600 ELSE 0 END)
  GROUP BY span, "start" - ("start" + shift) % span, client, server, port, client_port
),
sized AS (
  SELECT span, window_start, client, server, port, size_class + step AS size_class, count(*) AS sessions
  FROM sessions
  CROSS JOIN (VALUES (0), (1)) AS steps (step)
  WHERE NOT large
  GROUP BY span, window_start, client, server, port, size_class + step
),
every AS (
  SELECT span, window_start, client, server, port, count(*) AS sessions
  FROM sessions
  GROUP BY span, window_start, client, server, port
),
alike AS (
  SELECT
    sized.span, sized.window_start, sized.client, sized.server, sized.port,
    max(sized.sessions) AS sessions
  FROM sized
  JOIN every
    ON every.span = sized.span AND every.window_start = sized.window_start
    AND every.client = sized.client AND every.server = sized.server AND every.port = sized.port
  WHERE 2 * sized.sessions >= every.sessions
  GROUP BY sized.span, sized.window_start, sized.client, sized.server, sized.port
)
SELECT
  server AS subject,
  port,
  count(DISTINCT client) AS clients,
  max(sessions) AS sessions,
  from_unixtime(min(window_start)) AS first_day
FROM alike
WHERE sessions >= 60
GROUP BY server, port
ORDER BY sessions DESC, subject;
