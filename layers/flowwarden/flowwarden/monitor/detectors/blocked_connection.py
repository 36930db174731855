"""blocked-connection: one of our own hosts is refused what it asks for.

What: REJECTs of connections that an own host starts to one service, inside the network or out of it,
    grouped by the host and the service: never one alert a line. A service that refuses many hosts is told
    by service-blocked.
Why: a host does not ask for what it does not want. Either a security group or a network ACL is too
    strict and an application is down, or something on the host looks around.
False positives: a retired dependency that a client still asks for; a port that is closed on purpose and
    that a tool keeps trying. Leftovers of expired connections (a REJECT without a SYN) and rejected
    answers do not count. What is new for a role and refused from the start is mostly a release whose rule
    comes a little later: it pages when it has gone on for `blocked_slots` of ten minutes within six hours.
    What was usual before pages at once, and so does everything while a role is learned or not known.
What to do: decide whether the connection is wanted; then open it or stop the one who asks.
Events: two-formats.json, ipv6.json; expired-connection.json is none.
ATT&CK: none; most of these are faults.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from flowwarden.monitor.detectors.base import Detector, PerBatch
from flowwarden.monitor.findings import Finding, Severity, Tally, representative, started_by
from flowwarden.monitor.traffic.reject_cause import likely_cause
from flowwarden.monitor.traffic.rejections import Refusals
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.services import Service
from flowwarden.notify.text import plural
from flowwarden.policy.policy import Policy
from flowwarden.records.model import FlowDirection
from flowwarden.state.schema import REFUSALS
from flowwarden.state.sets import DAY, Addition

SLOT: Final = 600
SPAN: Final = 36  # slots: six hours
(REFUSED,) = REFUSALS.sets


def inspect(flows: Sequence[DirectedFlow], policy: Policy) -> list[Finding]:
    """One finding for each own host and service that it is refused."""
    least = policy.thresholds.blocked_packets
    return [_report(group, least) for group in Refusals(flows, policy).blocked()]


def _report(group: list[DirectedFlow], least: int) -> Finding:
    tally = Tally.of(group)
    example = representative(group)
    client, service = example.client, Service(example.flow.protocol, example.service_port)
    target = tally.servers[0][0]
    others = f" and {plural(len(tally.servers) - 1, 'other host')}" if len(tally.servers) > 1 else ""
    return Finding(
        detector=DETECTOR.name,
        severity=DETECTOR.severity,
        subject=client,
        peer_class=example.server_class,
        service=service,
        summary=f"{client} is refused {service} at {target}{others}.",
        because=(f"{started_by(client, example)}; at least {least} packets were rejected"),
        likely=likely_cause(example, client, target),
        advice=_advice(example, client, target, service),
        technique=DETECTOR.technique,
        query_terms=(client, target, "REJECT"),
        tally=tally,
        example=example,
    )


def _advice(example: DirectedFlow, client: str, target: str, service: Service) -> tuple[str, ...]:
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


def refusals(finding: Finding, scope: str, now: int) -> list[Addition]:
    """What a finding adds to the ten-minute slots in which its host was refused the service.

    Args:
        finding: of this detector.
        scope: where the subject's address is its own.
        now: Unix seconds.

    Returns:
        What is added to the item of the finding's day, which says how long it has gone on; in the evening
        also what is added to that of the next day, so that nothing begins anew at midnight.
    """
    first = now if finding.tally.first is None else min(finding.tally.first, now)
    last = first if finding.tally.last is None else min(finding.tally.last, now)
    slots = frozenset({first // SLOT, last // SLOT})
    identity = finding.service.identity if finding.service else ""
    subject = f"{scope}/{finding.subject}", finding.peer_class, identity
    days = dict.fromkeys((first // DAY, (first + SPAN * SLOT) // DAY))
    return [
        Addition(REFUSALS.key_of(day, *subject), {REFUSED: slots}, REFUSALS.kept_until(day * DAY))
        for day in days
    ]


def patient(finding: Finding, slots: frozenset[int], least: int) -> Finding:
    """The finding, as no page while there are fewer than `least` slots lately; for what was never usual."""
    latest = max(slots, default=0)
    lately = sum(slot > latest - SPAN for slot in slots)
    return finding if lately >= least else replace(finding, severity=Severity.INFO)


DETECTOR: Final = Detector(
    name="blocked-connection",
    summary=(
        "one of your hosts is refused a service that it used to have, or goes on being refused for "
        "two hours: a security group is too strict, or the host is looking for open ports"
    ),
    severity=Severity.MEDIUM,
    thresholds=("blocked_packets", "blocked_slots"),
    detect=(PerBatch(inspect),),
)
