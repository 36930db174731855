-- new-egress-port: a role connects to the internet on a TCP port that is new for it: pages after two
-- hours of use within a day, or at once if worms and spam use the port; after two days the port counts
-- as usual.
-- This query approximates the detector. Thresholds: new_egress_slots = 12. Period: 2026-01-02T00:00Z
-- to 2026-01-03T00:00Z.
-- It leaves out:
--   * The learned baseline: what is usual for the role of a host appears too. Compare with an earlier
--     period. Instead, the query leaves out the ports of web traffic (80, 443).
--   * The kind and the role of an interface: NAT gateways, load balancers and hosts of one role are hosts
--     like any other. 10-minute slots count for a port and all hosts of the table.
--   * Ports that a role used in fewer slots: the detector lists them in the digest.
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
  CROSS JOIN (VALUES (600, 0)) AS spans (span, shift)
  WHERE client_class = 'own' AND server_class = 'internet' AND protocol = 6 AND port NOT IN (80, 443) AND NOT (contains('10.0.0.9/32', TRY_CAST(client AS ipaddress)))
  GROUP BY span, "start" - ("start" + shift) % span, client, server, protocol, port
),
used AS (
  SELECT client, least(port, 32768) AS port, window_start AS slot, server, first_seen
  FROM contacts
  WHERE answered AND (sure OR (protocol = 6 AND client_port >= 32768 AND port < 32768))
),
ports AS (
  SELECT port, slot - slot % 86400 AS day, count(DISTINCT slot) AS slots
  FROM used
  GROUP BY port, slot - slot % 86400
)
SELECT
  used.client AS subject,
  used.port,
  count(DISTINCT used.slot) AS slots,
  max(ports.slots) AS slots_of_all_hosts,
  count(DISTINCT used.server) AS servers,
  from_unixtime(min(used.first_seen)) AS first_seen
FROM used
JOIN ports ON ports.port = used.port AND ports.day = used.slot - used.slot % 86400
WHERE ports.slots >= 12 OR used.port IN (23, 25, 135, 139, 445, 3389, 5900, 6667)
GROUP BY used.client, used.port
ORDER BY slots DESC, subject;
