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

from typing import Final

from msgspec.structs import replace

from flowwarden.monitor.baseline.peers import edge_of
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors.base import Detector, Need
from flowwarden.monitor.findings import (
    Severity,
    Tally,
    TrafficFinding,
    identity,
    representative,
    started_by,
)
from flowwarden.monitor.traffic.reject_cause import likely_cause
from flowwarden.monitor.view import BatchView
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.host_set import host_set
from flowwarden.network.services import Service
from flowwarden.notify.text import plural
from flowwarden.policy.detection import Thresholds
from flowwarden.records.columnar.tokenizer import ABSENT
from flowwarden.records.model import FlowDirection
from flowwarden.state.schema import BASELINES, MOST_REFUSED, REFUSALS
from flowwarden.state.sets import DAY, Addition

SLOT: Final = 600
SPAN: Final = 36  # slots: six hours
(REFUSED,) = REFUSALS.sets


def detect(view: BatchView, state: StateView, thresholds: Thresholds) -> list[TrafficFinding]:
    """One finding for each own host and service that it is refused. What is new pages when it goes on."""
    found = [_report(group, thresholds.blocked_packets) for group in view.rejections.blocked()]
    scopes = {identity(each): scope for each in found if (scope := _waits_in(view, each)) is not None}
    waiting = [each for each in found if identity(each) in scopes]
    at_once = [each for each in found if identity(each) not in scopes]
    waiting.sort(key=lambda each: (-each.tally.packets, identity(each)))
    # Beyond the budget it is not about one of them.
    beyond = [replace(each, severity=Severity.INFO) for each in waiting[MOST_REFUSED:]]
    weighed = [
        _weigh(view, state, each, scopes[identity(each)], thresholds.blocked_slots)
        for each in waiting[:MOST_REFUSED]
    ]
    return [*at_once, *weighed, *beyond]


def _waits_in(view: BatchView, finding: TrafficFinding) -> str | None:
    """Where the refused host's address is its own, if what it asks for was never usual; else None.

    Those that never page as a blocked connection do not wait: exempt hosts and hosts that probe.
    """
    example = finding.example
    interface_id, start = example.flow.interface_id, example.flow.start
    if interface_id is None or _never_pages(view, finding.subject):
        return None
    profile = view.profile(interface_id, ABSENT if start is None else start)
    edge = edge_of(example)
    return None if profile.learning or (edge and profile.knows(edge)) else profile.scope


def _never_pages(view: BatchView, client: str) -> bool:
    return client in view.rejections.probers or host_set(view.policy.exempt).hold(client)


def _weigh(
    view: BatchView, state: StateView, finding: TrafficFinding, scope: str, least: int
) -> TrafficFinding:
    """The finding, as no page until its host was refused in `least` slots lately."""
    today, *_ = [state.add(each) for each in refusals(finding, scope, view.now)]
    return patient(finding, today[REFUSED], least)


def _report(group: list[DirectedFlow], least: int) -> TrafficFinding:
    tally = Tally.of(group)
    example = representative(group)
    client, service = example.client, Service(example.flow.protocol, example.service_port)
    target = tally.servers[0][0]
    others = f" and {plural(len(tally.servers) - 1, 'other host')}" if len(tally.servers) > 1 else ""
    return TrafficFinding(
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


def refusals(finding: TrafficFinding, scope: str, now: int) -> list[Addition]:
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


def patient(finding: TrafficFinding, slots: frozenset[int], least: int) -> TrafficFinding:
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
    needs=frozenset({Need.BASELINE}),
    state=(BASELINES, REFUSALS),
    detect=detect,
)
