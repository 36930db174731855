-- unexpected-egress: a host connected to the internet although you declared it listener-only or its
-- role never did; after two days the connection counts as usual.
-- This query approximates the detector. Thresholds: none. Period: 2026-01-02T00:00Z to
-- 2026-01-03T00:00Z.
-- It leaves out:
--   * Learned listeners: the query covers only the hosts in listener_only.
--   * Rules for the initiator that need the reverse flow: a record without a SYN is judged by its ports
--     alone.
--   * Public networks of your VPCs that are not in own_cidrs: the query does not read them from EC2.
--   * Mutes, inhibition, severity, and the suppression of repeats.
WITH [records],
[parsed],
[classified],
[directed],
[flows]
SELECT
  client AS subject,
  protocol,
  port,
  count(DISTINCT server) AS servers,
  min(server) AS server,
  from_unixtime(min("start")) AS first_seen
FROM flows
WHERE client_class = 'own' AND server_class = 'internet' AND action = 'ACCEPT' AND sure AND NOT (contains('10.0.0.9/32', TRY_CAST(client AS ipaddress)))
  AND ((contains('10.0.2.0/24', TRY_CAST(client AS ipaddress))) OR ((forward = (side = 'egress')) AND interface_id IN ('eni-0b')) OR ((forward = (side = 'egress')) AND instance_id IN ('i-0c')))
GROUP BY client, protocol, port
ORDER BY servers DESC, subject;
