-- internet-to-private: an internet host opened an answered connection to a host in a subnet that you
-- declared private.
-- This query approximates the detector. Thresholds: none. Period: 2026-01-02T00:00Z to
-- 2026-01-03T00:00Z.
-- It leaves out:
--   * Batches: an answer counts at any time of the period.
--   * Rules for the initiator that need the reverse flow: a record without a SYN is judged by its ports
--     alone.
--   * Public networks of your VPCs that are not in own_cidrs: the query does not read them from EC2.
--   * Mutes, inhibition, severity, and the suppression of repeats.
WITH [records],
[parsed],
[classified],
[directed],
[flows],
connections AS (
  SELECT
    server, protocol, port, client, client_port,
    COALESCE(bool_or(NOT forward AND action = 'ACCEPT' AND (flags IS NULL OR flags <> 4)), false) AS answered,
    COALESCE(bool_or(sure), false) AS sure,
    min("start") AS first_seen
  FROM flows
  WHERE client_class = 'internet' AND server_class = 'own' AND action = 'ACCEPT' AND NOT (contains('10.0.0.9/32', TRY_CAST(server AS ipaddress)))
    AND ((contains('10.0.1.0/24', TRY_CAST(server AS ipaddress))) OR (NOT (forward = (side = 'egress')) AND subnet_id IN ('subnet-0a')))
  GROUP BY server, protocol, port, client, client_port
)
SELECT
  server AS subject,
  protocol,
  port,
  count(DISTINCT client) AS clients,
  count(*) AS connections,
  from_unixtime(min(first_seen)) AS first_seen
FROM connections
WHERE answered AND sure
GROUP BY server, protocol, port
ORDER BY connections DESC, subject;
