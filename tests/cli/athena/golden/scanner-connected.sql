-- scanner-connected: a scanner from the internet connected to a service that the internet does not
-- usually reach.
-- This query approximates the detector. Thresholds: scanner_destinations = 10. Period:
-- 2026-01-02T00:00Z to 2026-01-03T00:00Z.
-- It leaves out:
--   * The learned baseline: what is usual for the role of a host appears too. Compare with an earlier
--     period. Services that the internet usually reaches appear too.
--   * Days: refusals count if they are in the period or on the day before it.
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
  CROSS JOIN (VALUES (86400, 0)) AS spans (span, shift)
  WHERE client_class IN ('internet', 'aws-service') AND server_class = 'own' AND port > 0
  GROUP BY span, "start" - ("start" + shift) % span, client, server, protocol, port
),
scanners AS (
  SELECT client, count(*) AS places
  FROM (
    SELECT DISTINCT client, server, protocol, port
    FROM contacts
    WHERE attempted AND NOT answered AND (rejected OR reset)
  ) AS refused
  GROUP BY client
  HAVING count(*) >= 10
)
SELECT
  contacts.server AS subject,
  contacts.protocol,
  contacts.port,
  min(contacts.client) AS scanner,
  max(scanners.places) AS refused_places,
  from_unixtime(min(contacts.first_seen)) AS first_seen
FROM contacts
JOIN scanners ON scanners.client = contacts.client
WHERE contacts.answered AND contacts.client_class = 'internet'
  AND contacts.first_seen >= 1767312000 AND NOT (contains('10.0.0.9/32', TRY_CAST(contacts.server AS ipaddress)))
GROUP BY contacts.server, contacts.protocol, contacts.port
ORDER BY refused_places DESC, subject;
