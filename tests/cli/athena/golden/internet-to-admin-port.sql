-- internet-to-admin-port: an internet host opened an answered connection to an administration or
-- database port that the internet does not usually reach; after two days the connection counts as
-- usual.
-- This query approximates the detector. Thresholds: none. Period: 2026-01-02T00:00Z to
-- 2026-01-03T00:00Z.
-- It leaves out:
--   * The learned baseline: what is usual for the role of a host appears too. Compare with an earlier
--     period. A port that the internet reaches on purpose appears too.
--   * Later records of a connection that began before the period.
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
  WHERE client_class = 'internet' AND server_class = 'own' AND protocol = 6 AND port IN (22, 23, 135, 445, 1433, 1521, 3306, 3389, 5432, 5900, 5985, 5986, 6379, 27017) AND NOT (contains('10.0.0.9/32', TRY_CAST(server AS ipaddress)))
  GROUP BY span, "start" - ("start" + shift) % span, client, server, protocol, port
)
SELECT
  server AS subject,
  port,
  count(DISTINCT client) AS clients,
  min(client) AS client,
  from_unixtime(min(first_seen)) AS first_seen
FROM contacts
WHERE answered AND sure
GROUP BY server, port
ORDER BY clients DESC, subject;
