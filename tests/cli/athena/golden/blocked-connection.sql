-- blocked-connection: one of your hosts is blocked from a service that it used before, or from a new
-- service for two hours: a security group is too strict, or the host is probing for open ports.
-- This query approximates the detector. Thresholds: blocked_packets = 3. Period: 2026-01-02T00:00Z to
-- 2026-01-03T00:00Z.
-- It leaves out:
--   * The learned baseline: what is usual for the role of a host appears too. Compare with an earlier
--     period. The detector omits what rules usually refuse to a role, and what is new until it persists.
--   * Connections that host-probing or service-blocked reports: they appear here too.
--   * Batches: packets are summed over the period. The column slots has the 10-minute slots with
--     rejections; compare it with blocked_slots.
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
)
SELECT
  client AS subject,
  protocol, port, server_class,
  min(server) AS server,
  count(DISTINCT server) AS servers,
  sum(counted) AS packets,
  count(DISTINCT slot) AS slots,
  from_unixtime(min("start")) AS first_seen
FROM refused
WHERE NOT denied
GROUP BY client, protocol, port, server_class
HAVING sum(counted) >= 3
ORDER BY slots DESC, packets DESC, subject;
