-- scan: one of your hosts tries targets that are new for its role, and mostly fails: 12 within an hour
-- or 20 within a day, over any number of batches; or it tries 15 privileged ports of one server.
-- This query approximates the detector. Thresholds: scan_hour = 12, scan_day = 20, scan_ports = 15.
-- Period: 2026-01-02T00:00Z to 2026-01-03T00:00Z.
-- It leaves out:
--   * The learned baseline: what is usual for the role of a host appears too. Compare with an earlier
--     period. Nothing offsets failures: answers do not, because usual ones are not known.
--   * Weights: each server of a usual service counts in full.
--   * Batches: the query counts in windows of time instead, also over several interfaces. An hour is one
--     that begins at a full or half hour, a day is one in UTC.
--   * TCP scans without a SYN, and without tcp-flags those from one server port to another.
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
contacts AS (
  SELECT
    span, "start" - ("start" + shift) % span AS window_start,
    client, server, protocol, port,
    min(client_class) AS client_class,
    min(server_class) AS server_class,
    COALESCE(bool_or(sure), false) AS sure,
    COALESCE(bool_or(NOT forward AND action = 'ACCEPT' AND (flags IS NULL OR flags <> 4)), false) AS answered,
    COALESCE(bool_or(forward AND action = 'REJECT'), false) AS rejected,
    COALESCE(bool_or(NOT forward AND flags = 4), false) AS reset,
    COALESCE(bool_or(forward AND action = 'ACCEPT'), false) AS passed,
    protocol <> 6 OR count(flags) = 0
      OR COALESCE(bool_or(forward AND bitwise_and(flags, 2) = 2), false) AS attempted,
    min(client_port) AS client_port,
    min("start") AS first_seen
  FROM flows
  CROSS JOIN (VALUES (3600, 0), (3600, 1800), (86400, 0)) AS spans (span, shift)
  WHERE client_class = 'own' AND server_class IN ('own', 'internet', 'aws-service') AND port > 0 AND NOT (contains('10.0.0.9/32', TRY_CAST(client AS ipaddress)))
  GROUP BY span, "start" - ("start" + shift) % span, client, server, protocol, port
),
outcomes AS (
  SELECT
    *,
    attempted AND NOT answered AND (rejected OR reset OR (passed AND protocol = 6)) AS failed,
    rejected AND server_class <> 'own' AS denied
  FROM contacts
  WHERE sure
),
failures AS (
  SELECT
    client, span, window_start,
    count_if(failed AND NOT denied) AS failed,
    count(DISTINCT CASE WHEN failed AND denied THEN protocol * 65536 + port END) AS denied,
    count(DISTINCT CASE WHEN failed THEN server END) AS servers
  FROM outcomes
  GROUP BY client, span, window_start
),
found AS (
  SELECT
    client, 'failures' AS rule, failed + least(failed, denied) AS places, servers, window_start, span
  FROM failures
  WHERE failed + least(failed, denied)
    >= CASE WHEN span = 3600 THEN 12 ELSE 20 END
  UNION ALL
  SELECT client, 'ports of one server', count(DISTINCT port), 1, window_start, span
  FROM outcomes
  WHERE port < 1024 AND span = 3600
  GROUP BY client, server, window_start, span
  HAVING count(DISTINCT port) >= 15
)
SELECT
  client AS subject,
  rule,
  max(places) AS places,
  max(servers) AS servers,
  from_unixtime(min(window_start)) AS first_window,
  min(span) AS span_seconds
FROM found
GROUP BY client, rule
ORDER BY places DESC, subject;
