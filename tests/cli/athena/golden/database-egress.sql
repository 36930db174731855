-- database-egress: a host whose role serves a database opens an answered connection that is new for
-- the role; after two days the connection counts as usual.
-- This query approximates the detector. Thresholds: none. Period: 2026-01-02T00:00Z to
-- 2026-01-03T00:00Z.
-- It leaves out:
--   * The learned baseline: what is usual for the role of a host appears too. Compare with an earlier
--     period. The query lists each service that a database host connects to; the newest come first.
--   * Roles: a host counts as a database if it answered on the port of one within the period.
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
  WHERE (client_class = 'own' OR server_class = 'own') AND server_class <> 'local' AND port > 0
  GROUP BY span, "start" - ("start" + shift) % span, client, server, protocol, port
),
databases AS (
  SELECT DISTINCT server
  FROM contacts
  WHERE server_class = 'own' AND protocol = 6 AND port IN (1433, 1521, 3306, 5432, 6379, 27017) AND answered AND sure
)
SELECT
  contacts.client AS subject,
  contacts.server_class,
  contacts.protocol,
  contacts.port,
  count(DISTINCT contacts.server) AS servers,
  min(contacts.server) AS server,
  from_unixtime(min(contacts.first_seen)) AS first_seen
FROM contacts
JOIN databases ON databases.server = contacts.client
WHERE contacts.answered AND contacts.sure AND contacts.client_class = 'own'
  AND NOT (contacts.server_class = 'own' AND contacts.port IN (1433, 1521, 3306, 5432, 6379, 27017)) AND NOT (contains('10.0.0.9/32', TRY_CAST(contacts.client AS ipaddress)))
GROUP BY contacts.client, contacts.server_class, contacts.protocol, contacts.port
ORDER BY first_seen DESC, subject;
