"""The first steps of the queries about traffic: records with peer classes, and flows with client and server.

The steps are common table expressions, each of which reads the one before:

    records      the records of the period that are flows, with the addresses in the packets
    parsed       with the addresses as such, and whether the ports are well-known ports of services
    classified   with the class of each end, and whether its port is that of a server
    directed     with the side, whether the source opened the connection, and whether that is certain
    flows        those with a known initiator, as client, server and service port

The rules for the initiator are those of `network.initiator` that a single record decides: flags, service
ports, a rejection, the lower port. Rules that need the reverse flow are omitted.
"""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import wrap
from typing import Final

from flowwarden.network.addresses import LOCAL_SCOPE, PeerClass
from flowwarden.network.direction import CUSTOMER_RANGES
from flowwarden.network.ranges import UNROUTABLE
from flowwarden.network.services import (
    EPHEMERAL,
    ICMP,
    ICMPV6,
    SERVICE_NAMES,
    TCP,
    UDP,
    UNPRIVILEGED,
)
from flowwarden.policy.policy import Policy
from flowwarden_cli.athena.scope import Scope
from flowwarden_cli.athena.sql import literal, literals, name, numbers, within

NEEDED: Final = ("srcaddr", "dstaddr", "srcport", "dstport", "protocol", "start", "action")
"""The fields without which a query about traffic cannot be expressed."""
OWN: Final = literal(PeerClass.OWN)
INTERNET: Final = literal(PeerClass.INTERNET)
OUTSIDE: Final = literals((PeerClass.INTERNET, PeerClass.AWS_SERVICE))
"""The classes of public addresses."""

SYN, ACK, RST = 2, 18, 4
"""Values of `tcp-flags`: of the client, of the server, and a reset."""


def steps(scope: Scope, earlier: int = 0) -> list[str]:
    """The common table expressions `records` to `flows`; see `Scope.source` for `earlier`."""
    return [*directed(scope, earlier), _FLOWS]


def directed(scope: Scope, earlier: int = 0) -> list[str]:
    """The common table expressions `records` to `directed`."""
    return [_records(scope, earlier), _parsed(scope.policy), _classified(scope.policy), _DIRECTED]


def _records(scope: Scope, earlier: int) -> str:
    column = scope.column
    fields = (
        *("srcport", "dstport", "protocol", "packets", "bytes", "start", "end", "action"),
        *("interface-id", "instance-id", "subnet-id", *_SERVICES),
    )
    named = {"src": _end(scope, "srcaddr"), "dst": _end(scope, "dstaddr"), "flags": column("tcp-flags")}
    named |= {"logged_side": column("flow-direction")}
    named |= {each.replace("-", "_"): column(each) for each in fields}
    listed = [text if text == name(alias) else f"{text} AS {name(alias)}" for alias, text in named.items()]
    columns = ",\n    ".join(listed)
    condition = "action IN ('ACCEPT', 'REJECT')"
    return f"records AS (\n  SELECT\n    {columns}\n  {scope.source(earlier)}\n    AND {condition}\n)"


_SERVICES: Final = "pkt-src-aws-service", "pkt-dst-aws-service"


def _end(scope: Scope, field: str) -> str:
    """The address in the packet, or else that of the record."""
    packet = f"pkt-{field}"
    if not scope.has(packet):
        return scope.column(field)
    return f"COALESCE(NULLIF({scope.column(packet)}, '-'), {scope.column(field)})"


def _parsed(policy: Policy) -> str:
    ports = "\n      ".join(wrap(numbers({*SERVICE_NAMES, *policy.service_ports}), _WIDTH))
    return f"""\
parsed AS (
  SELECT
    *,
    TRY_CAST(src AS ipaddress) AS src_ip,
    TRY_CAST(dst AS ipaddress) AS dst_ip,
    srcport IN (
      {ports}
    ) AS src_named,
    dstport IN (
      {ports}
    ) AS dst_named
  FROM records
)"""


def _classified(policy: Policy) -> str:
    return f"""\
classified AS (
  SELECT
    *,
    {_class(policy, "src")} AS src_class,
    {_class(policy, "dst")} AS dst_class,
    {_serves("src", "dst")} AS src_serves,
    {_serves("dst", "src")} AS dst_serves
  FROM parsed
)"""


def _serves(end: str, other: str) -> str:
    """Whether the port of an end is a server's, and the other one a client's."""
    least = f"CASE WHEN {end}port < {UNPRIVILEGED} THEN {UNPRIVILEGED} ELSE {EPHEMERAL} END"
    return f"{end}_named AND NOT {other}_named AND {other}port >= {least}"


def _class(policy: Policy, end: str) -> str:
    """The peer class of an end, in the order of `AddressClassifier`."""
    layers = {
        PeerClass.LOCAL: LOCAL_SCOPE,
        PeerClass.PARTNER: policy.partner_cidrs,
        PeerClass.OWN: (*UNROUTABLE, *policy.own_cidrs),
    }
    cases = [
        f"WHEN {within(f'{end}_ip', cidrs, _LINE)}\n        THEN {literal(each)}"
        for each, cidrs in layers.items()
        if cidrs
    ]
    codes = literals(["-", *sorted(CUSTOMER_RANGES)])
    cases.append(
        f"WHEN pkt_{end}_aws_service NOT IN ({codes})\n        THEN {literal(PeerClass.AWS_SERVICE)}"
    )
    return "CASE\n      " + "\n      ".join([*cases, f"ELSE {INTERNET}"]) + "\n    END"


_LINE: Final = "\n        "
"""What separates the networks of a class."""
_WIDTH: Final = 100
_REJECTED_REQUEST: Final = f"action = 'REJECT' AND NOT (srcport < {EPHEMERAL} AND dstport >= {EPHEMERAL})"
_DIRECTED: Final = f"""\
directed AS (
  SELECT
    *,
    CASE
      WHEN logged_side IN ('ingress', 'egress') THEN logged_side
      WHEN dst_class = {OWN} AND src_class <> {OWN} THEN 'ingress'
      WHEN src_class = {OWN} AND dst_class <> {OWN} THEN 'egress'
    END AS side,
    CASE
      WHEN bitwise_and(flags, {ACK}) = {ACK} THEN false
      WHEN bitwise_and(flags, {SYN}) = {SYN} THEN true
      WHEN protocol = {TCP} AND flags IS NOT NULL AND action = 'REJECT' THEN NULL
      WHEN srcport = dstport OR protocol IN ({ICMP}, {ICMPV6}) THEN NULL
      WHEN dst_serves THEN true
      WHEN src_serves THEN false
      WHEN {_REJECTED_REQUEST} THEN true
      WHEN srcport < dstport THEN false
      WHEN srcport > dstport THEN true
    END AS from_source,
    CASE
      WHEN bitwise_and(flags, {SYN}) = {SYN} THEN true
      WHEN src_serves OR dst_serves THEN true
      WHEN {_REJECTED_REQUEST}
        THEN NOT (protocol = {UDP} AND srcport >= {EPHEMERAL} AND dstport >= {EPHEMERAL})
      ELSE flags IS NULL
        AND least(srcport, dstport) < {EPHEMERAL} AND greatest(srcport, dstport) >= {EPHEMERAL}
    END AS sure
  FROM classified
)"""


_FLOWS: Final = """\
flows AS (
  SELECT
    CASE WHEN from_source THEN src ELSE dst END AS client,
    CASE WHEN from_source THEN dst ELSE src END AS server,
    CASE WHEN from_source THEN src_class ELSE dst_class END AS client_class,
    CASE WHEN from_source THEN dst_class ELSE src_class END AS server_class,
    CASE WHEN from_source THEN srcport ELSE dstport END AS client_port,
    CASE WHEN from_source THEN dstport ELSE srcport END AS port,
    from_source AS forward,
    sure, side, protocol, packets, bytes, "start", "end", action, flags,
    interface_id, instance_id, subnet_id
  FROM directed
  WHERE from_source IS NOT NULL
)"""

ANSWER: Final = f"NOT forward AND action = 'ACCEPT' AND (flags IS NULL OR flags <> {RST})"
"""Whether a flow is an answer of the server; a reset alone is none."""
AT_CLIENT: Final = "(forward = (side = 'egress'))"
"""Whether the interface that logged a flow is that of the client."""


def contacts(where: str, spans: Iterable[tuple[int, int]]) -> str:
    """The common table expression `contacts`: flows by client and service, in windows of time.

    Args:
        where: which flows count.
        spans: length and shift of the windows, in seconds. Windows of an hour that are half an hour apart
            contain everything that happens within half an hour in one window.
    """
    return f"""\
contacts AS (
  SELECT
    span, "start" - ("start" + shift) % span AS window_start,
    client, server, protocol, port,
    min(client_class) AS client_class,
    min(server_class) AS server_class,
    COALESCE(bool_or(sure), false) AS sure,
    COALESCE(bool_or({ANSWER}), false) AS answered,
    COALESCE(bool_or(forward AND action = 'REJECT'), false) AS rejected,
    COALESCE(bool_or(NOT forward AND flags = {RST}), false) AS reset,
    COALESCE(bool_or(forward AND action = 'ACCEPT'), false) AS passed,
    protocol <> {TCP} OR count(flags) = 0
      OR COALESCE(bool_or(forward AND bitwise_and(flags, {SYN}) = {SYN}), false) AS attempted,
    min(client_port) AS client_port,
    min("start") AS first_seen
  FROM flows
  CROSS JOIN {windows(spans)}
  WHERE {where}
  GROUP BY span, "start" - ("start" + shift) % span, client, server, protocol, port
)"""


def windows(spans: Iterable[tuple[int, int]]) -> str:
    """A table of windows, to be joined with flows."""
    rows = ", ".join(f"({span}, {shift})" for span, shift in spans)
    return f"(VALUES {rows}) AS spans (span, shift)"


def exempt(policy: Policy, address: str) -> str:
    """A condition that leaves out the hosts that the policy exempts, with AND before it; may be empty."""
    return f" AND NOT {within(f'TRY_CAST({address} AS ipaddress)', policy.exempt)}" if policy.exempt else ""
