"""blocked-connection: one of our own hosts is refused what it asks for.

What: REJECTs of connections that an own host starts to one service, inside the network or out of it,
    grouped by the host and the service: never one alert a line.
Why: a host does not ask for what it does not want. Either a security group or a network ACL is too
    strict and an application is down, or something on the host looks around.
False positives: a retired dependency that a client still asks for; a port that is closed on purpose and
    that a tool keeps trying. Leftovers of expired connections (a REJECT without a SYN) and rejected
    answers do not count.
What to do: decide whether the connection is wanted; then open it or stop the one who asks.
ATT&CK: none; most of these are faults.
"""

from __future__ import annotations

from collections.abc import Sequence

from flowwarden.detection.findings import Finding, Severity, Tally, representative
from flowwarden.detection.selection import grouped, plural, refused_own
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.ports import describe_service
from flowwarden.policy import Policy
from flowwarden.records.model import FlowDirection

NAME = "blocked-connection"

MIN_PACKETS = 3
"""Rejected packets before it counts. A blocked TCP connect sends its SYN at 0, 1, 3, 7, 15 and 31 s, so
one real attempt passes; a single stray packet does not."""

MANY_CLIENTS = 5
"""Own hosts refused the same service at one host, from which it is told once, about the host that refuses:
a security group that somebody tightened shuts out all its clients at the same time."""

REASONS = {
    "BPA": "VPC Block Public Access refused it",
    "EC": "VPC encryption controls refused it: the traffic is not encrypted in transit",
}
"""`reject-reason` codes that name the cause outright."""


def inspect(flows: Sequence[DirectedFlow], _policy: Policy) -> list[Finding]:
    """One finding for each own host and service that it is refused; one for a service that refuses many."""
    refused = refused_own(flows)
    shut = {
        service: group
        for service, group in grouped(refused, _service_at).items()
        if len({directed.client for directed in group}) >= MANY_CLIENTS
    }
    others = grouped(
        (directed for directed in refused if _service_at(directed) not in shut),
        lambda d: (d.client, d.server_class, d.flow.protocol, d.service_port),
    )
    reports = [_report_service(group) for group in shut.values()]
    reports += [_report(group) for group in others.values()]
    return [finding for finding in reports if finding.tally.packets >= MIN_PACKETS]


def _service_at(directed: DirectedFlow) -> tuple[str, int | None, int | None]:
    return (directed.server, directed.flow.protocol, directed.service_port)


def _report_service(group: list[DirectedFlow]) -> Finding:
    tally = Tally.of(group)
    example = representative(group)
    target, service = example.server, describe_service(example.flow.protocol, example.service_port)
    clients = plural(len(tally.clients), "host")
    return Finding(
        detector=NAME,
        severity=Severity.MEDIUM,
        subject=target,
        peer_class=example.server_class,
        service=service,
        summary=f"{clients} of ours are refused {service} at {target}.",
        because=(
            f"they are ours and started it ({example.verdict.evidence}, confidence "
            f"{example.confidence:.2f}); {MANY_CLIENTS} hosts and more are told together"
        ),
        likely=_likely(example, "each of them", target),
        advice=(
            f"Look at the security group and the network ACL of {target}: were they changed just before?",
            f"If the hosts need {service} there: allow it again, for their security group or subnets.",
            "If they do not: find out what they have in common that makes them ask.",
        ),
        query_terms=(target, "REJECT"),
        tally=tally,
        example=example,
    )


def _report(group: list[DirectedFlow]) -> Finding:
    tally = Tally.of(group)
    example = representative(group)
    client, service = example.client, describe_service(example.flow.protocol, example.service_port)
    target = tally.servers[0][0]
    others = f" and {plural(len(tally.servers) - 1, 'other host')}" if len(tally.servers) > 1 else ""
    return Finding(
        detector=NAME,
        severity=Severity.MEDIUM,
        subject=client,
        peer_class=example.server_class,
        service=service,
        summary=f"{client} is refused {service} at {target}{others}.",
        because=(
            f"{client} is ours and started it ({example.verdict.evidence}, "
            f"confidence {example.confidence:.2f}); at least {MIN_PACKETS} packets were rejected"
        ),
        likely=_likely(example, client, target),
        advice=_advice(example, client, target, service),
        query_terms=(client, target, "REJECT"),
        tally=tally,
        example=example,
    )


def _likely(example: DirectedFlow, client: str, target: str) -> str:
    reason = REASONS.get(example.flow.reject_reason or "")
    if reason:
        return reason
    match example.side:
        case FlowDirection.INGRESS:
            return f"the inbound rules at {target}: its security group or its subnet's network ACL"
        case FlowDirection.EGRESS:
            return f"the outbound rules at {client}: its security group or its subnet's network ACL"
        case None:
            return f"a security group or network ACL at {client} or {target}"


def _advice(example: DirectedFlow, client: str, target: str, service: str) -> tuple[str, ...]:
    rule = (
        f"inbound {service} from {client}"
        if example.side is FlowDirection.INGRESS
        else (f"outbound {service} from {client} to {target}")
    )
    far_end = (
        f"{target} is on the internet: find out which program on {client} asks for it."
        if example.server_class is PeerClass.INTERNET
        else f"Ask the owner of {client} whether it needs {service} at {target}."
    )
    return (
        far_end,
        f"If it is wanted: allow {rule}; was a rule changed just before it began?",
        f"If it is not: find the process on {client} that asks, and stop it.",
    )
