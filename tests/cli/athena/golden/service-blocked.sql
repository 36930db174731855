-- service-blocked: five or more of your hosts are blocked from one of your services: a rule was
-- tightened.
-- This query approximates the detector. Thresholds: service_blocked_clients = 5, blocked_packets = 3.
-- Period: 2026-01-02T00:00Z to 2026-01-03T00:00Z.
-- It leaves out:
--   * The learned baseline: what is usual for the role of a host appears too. Compare with an earlier
--     period. The detector omits what rules usually refuse to a role.
--   * Usual connections that the clients' own rules reject, see egress-denied, and hosts that probe.
--   * Batches: the query counts in windows of time instead, also over several interfaces. A window is an
--     hour that begins at a full or half hour.
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
refused AS (
  SELECT *, (server_class IN ('internet', 'aws-service') AND COALESCE(side, 'egress') = 'egress') AS denied, COALESCE(packets, 1) AS counted, "start" - "start" % 600 AS slot
  FROM flows
  WHERE forward AND sure AND action = 'REJECT' AND client_class = 'own' AND server_class <> 'local' AND NOT (contains('10.0.0.9/32', TRY_CAST(client AS ipaddress)))
),
clients AS (
  SELECT server, protocol, port, "start" - ("start" + shift) % span AS window_start, client
  FROM refused
  CROSS JOIN (VALUES (3600, 0), (3600, 1800)) AS spans (span, shift)
  WHERE server_class = 'own'
  GROUP BY server, protocol, port, "start" - ("start" + shift) % span, client
  HAVING sum(counted) >= 3
),
counts AS (
  SELECT server, protocol, port, window_start, count(*) AS clients
  FROM clients
  GROUP BY server, protocol, port, window_start
)
SELECT
  server AS subject,
  protocol,
  port,
  max(clients) AS clients,
  from_unixtime(min(window_start)) AS first_window
FROM counts
WHERE clients >= 5
GROUP BY server, protocol, port
ORDER BY clients DESC, subject;
