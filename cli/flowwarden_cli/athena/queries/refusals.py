"""Queries about rejections inside: host-probing, blocked-connection, service-blocked, egress-denied."""

from __future__ import annotations

from typing import Final

from flowwarden.network.services import TCP
from flowwarden_cli.athena import flows
from flowwarden_cli.athena.flows import ACK, OUTSIDE, OWN
from flowwarden_cli.athena.queries.contacting import HOURS
from flowwarden_cli.athena.query import ALWAYS, BASELINE, BATCHES, INITIATOR, ROLES, Query, with_steps
from flowwarden_cli.athena.scope import Scope

SLOT: Final = 600
"""Seconds of the slots in which a rejection persists."""
_DENIED: Final = f"(server_class IN ({OUTSIDE}) AND COALESCE(side, 'egress') = 'egress')"
"""Whether the client's own rules reject it on the way to the internet."""
_PACKETS: Final = "COALESCE(packets, 1)"
"""A record stands for at least one packet, even if the log format lacks the count."""


def _refused(scope: Scope) -> str:
    """The common table expression `refused`: rejected connections of internal hosts."""
    return f"""\
refused AS (
  SELECT *, {_DENIED} AS denied, {_PACKETS} AS counted, "start" - "start" % {SLOT} AS slot
  FROM flows
  WHERE forward AND sure AND action = 'REJECT' AND client_class = {OWN} AND server_class <> 'local'\
{flows.exempt(scope.policy, "client")}
)"""


def _host_probing(scope: Scope) -> str:
    pairs = f"""\
pairs AS (
  SELECT DISTINCT
    interface_id, client, "start" - ("start" + shift) % span AS window_start,
    denied, CASE WHEN denied THEN '' ELSE server END AS server, protocol, port
  FROM refused
  CROSS JOIN {flows.windows(HOURS)}
),
counts AS (
  SELECT
    interface_id, client, window_start,
    count_if(NOT denied) AS pairs,
    count_if(denied) AS denied,
    count(DISTINCT port) AS ports
  FROM pairs
  GROUP BY interface_id, client, window_start
)"""
    last = f"""\
SELECT
  client AS subject,
  max(pairs) AS pairs,
  max(ports) AS ports,
  from_unixtime(min(window_start)) AS first_window
FROM counts
WHERE pairs + least(pairs, denied) >= {scope.thresholds.probing_destinations}
GROUP BY client
ORDER BY pairs DESC, subject"""
    return with_steps([*flows.steps(scope), _refused(scope), pairs], last)


def _blocked_connection(scope: Scope) -> str:
    return _attempts(scope, "NOT denied", ("client", "protocol", "port", "server_class"))


def _egress_denied(scope: Scope) -> str:
    return _attempts(scope, "denied", ("client", "protocol", "port"))


def _attempts(scope: Scope, where: str, columns: tuple[str, ...]) -> str:
    """Rejected attempts by these columns, with the slots in which they persist."""
    same = ", ".join(columns[1:])
    last = f"""\
SELECT
  client AS subject,
  {same},
  min(server) AS server,
  count(DISTINCT server) AS servers,
  sum(counted) AS packets,
  count(DISTINCT slot) AS slots,
  from_unixtime(min("start")) AS first_seen
FROM refused
WHERE {where}
GROUP BY {", ".join(columns)}
HAVING sum(counted) >= {scope.thresholds.blocked_packets}
ORDER BY slots DESC, packets DESC, subject"""
    return with_steps([*flows.steps(scope), _refused(scope)], last)


def _service_blocked(scope: Scope) -> str:
    clients = f"""\
clients AS (
  SELECT server, protocol, port, "start" - ("start" + shift) % span AS window_start, client
  FROM refused
  CROSS JOIN {flows.windows(HOURS)}
  WHERE server_class = {OWN}
  GROUP BY server, protocol, port, "start" - ("start" + shift) % span, client
  HAVING sum(counted) >= {scope.thresholds.blocked_packets}
),
counts AS (
  SELECT server, protocol, port, window_start, count(*) AS clients
  FROM clients
  GROUP BY server, protocol, port, window_start
)"""
    last = f"""\
SELECT
  server AS subject,
  protocol,
  port,
  max(clients) AS clients,
  from_unixtime(min(window_start)) AS first_window
FROM counts
WHERE clients >= {scope.thresholds.service_blocked_clients}
GROUP BY server, protocol, port
ORDER BY clients DESC, subject"""
    return with_steps([*flows.steps(scope), _refused(scope), clients], last)


def _nacl_blocks_replies(scope: Scope) -> str:
    connections = f"""\
connections AS (
  SELECT
    interface_id, client, server, client_port, port,
    "start" - ("start" + shift) % span AS window_start,
    max(NULLIF(subnet_id, '-')) AS subnet_id,
    max(CASE WHEN NOT forward AND action = 'REJECT' THEN side END) AS side,
    bool_or(forward AND action = 'ACCEPT') AS asked,
    bool_or(NOT forward AND action = 'ACCEPT') AS answered,
    bool_or(
      NOT forward AND action = 'REJECT' AND (flags IS NULL OR bitwise_and(flags, {ACK}) = {ACK})
    ) AS rejected,
    count(flags) AS flagged
  FROM flows
  CROSS JOIN {flows.windows(HOURS)}
  WHERE protocol = {TCP}
  GROUP BY interface_id, client, server, client_port, port, "start" - ("start" + shift) % span
),
counts AS (
  SELECT COALESCE(subnet_id, interface_id) AS subject, side, window_start, count(*) AS connections
  FROM connections
  WHERE asked AND rejected AND NOT (flagged = 0 AND answered)
  GROUP BY COALESCE(subnet_id, interface_id), side, window_start
)"""
    last = f"""\
SELECT
  subject,
  CASE WHEN side = 'egress' THEN 'outbound' WHEN side = 'ingress' THEN 'inbound' ELSE 'unknown' END AS rules,
  max(connections) AS connections,
  from_unixtime(min(window_start)) AS first_window
FROM counts
WHERE connections >= {scope.thresholds.nacl_tuples}
GROUP BY subject, side
ORDER BY connections DESC, subject"""
    return with_steps([*flows.steps(scope), connections], last)


_WINDOWS: Final = f"{BATCHES} A window is an hour that begins at a full or half hour."
_SUMMED: Final = (
    "Batches: packets are summed over the period. The column slots has the 10-minute slots with rejections; "
    "compare it with blocked_slots."
)
_ATTEMPTS: Final = (
    f"{BASELINE} The detector omits what rules usually refuse to a role, and what is new until it persists.",
    "Connections that host-probing or service-blocked reports: they appear here too.",
)

HOST_PROBING: Final = Query(
    detector="host-probing",
    needs=(*flows.NEEDED, "interface-id"),
    thresholds=("probing_destinations",),
    leaves_out=(
        f"{BASELINE} The detector omits connections that usually work, and those that rules usually refuse.",
        _WINDOWS,
        "TCP scans without a SYN, if the records have flags.",
        *(ROLES, INITIATOR, *ALWAYS),
    ),
    text=_host_probing,
)
BLOCKED_CONNECTION: Final = Query(
    detector="blocked-connection",
    needs=flows.NEEDED,
    thresholds=("blocked_packets",),
    leaves_out=(
        *_ATTEMPTS,
        _SUMMED,
        *(ROLES, INITIATOR, *ALWAYS),
    ),
    text=_blocked_connection,
)
SERVICE_BLOCKED: Final = Query(
    detector="service-blocked",
    needs=flows.NEEDED,
    thresholds=("service_blocked_clients", "blocked_packets"),
    leaves_out=(
        f"{BASELINE} The detector omits what rules usually refuse to a role.",
        "Usual connections that the clients' own rules reject, see egress-denied, and hosts that probe.",
        _WINDOWS,
        *(ROLES, INITIATOR, *ALWAYS),
    ),
    text=_service_blocked,
)
EGRESS_DENIED: Final = Query(
    detector="egress-denied",
    needs=flows.NEEDED,
    thresholds=("blocked_packets",),
    leaves_out=(
        *_ATTEMPTS,
        "Roles: a row is about a host and a service, a finding about a role and a service.",
        "Usual connections to internal hosts that a host's own rules reject: see blocked-connection.",
        _SUMMED,
        *(INITIATOR, *ALWAYS),
    ),
    text=_egress_denied,
)
NACL_BLOCKS_REPLIES: Final = Query(
    detector="nacl-blocks-replies",
    needs=(*flows.NEEDED, "interface-id"),
    thresholds=("nacl_tuples",),
    leaves_out=(
        f"{_WINDOWS} A request that was logged in another window than its reply does not count.",
        "Without flow-direction, the side of connections between internal hosts.",
        "Without subnet-id, the address: a row is about an interface.",
        *(INITIATOR, *ALWAYS),
    ),
    text=_nacl_blocks_replies,
)
