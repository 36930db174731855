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
    What was usual before pages at once, and so does everything while a role is learned or not known. Slots
    count also while another detector reports the host, whose finding silences this one.
Events: two-formats.json, ipv6.json; expired-connection.json is none.
ATT&CK: none; most of these are faults.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.monitor.baseline.peers import edge_of
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors.base import Detector, Need
from flowwarden.monitor.findings import (
    FlowSample,
    Severity,
    TrafficFinding,
    identity,
)
from flowwarden.monitor.text import Text, main_server_and_others, started_by
from flowwarden.monitor.traffic.reject_cause import likely_cause
from flowwarden.monitor.view import BatchView
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.host_set import host_set
from flowwarden.network.services import Service
from flowwarden.policy.detection import Thresholds
from flowwarden.records.columnar.tokenizer import ABSENT
from flowwarden.records.model import FlowDirection
from flowwarden.state.schema import BASELINES, MOST_REFUSED, REFUSALS
from flowwarden.state.sets import DAY, Addition

SLOT: Final = 600
SPAN: Final = 36  # slots: six hours
(REFUSED,) = REFUSALS.sets


class Facts(Struct, frozen=True):
    """What the finding stands on."""

    limit: int
    """Rejected packets, from which on attempts count."""


type BlockedConnection = TrafficFinding[Facts]


def detect(view: BatchView, state: StateView, thresholds: Thresholds) -> list[BlockedConnection]:
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


def _waits_in(view: BatchView, finding: BlockedConnection) -> str | None:
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
    view: BatchView, state: StateView, finding: BlockedConnection, scope: str, least: int
) -> BlockedConnection:
    """The finding, as no page until its host was refused in `least` slots lately."""
    today, *_ = [state.add(each) for each in refusals(finding, scope, view.now)]
    return patient(finding, today[REFUSED], least)


def _report(group: list[DirectedFlow], limit: int) -> BlockedConnection:
    sample = FlowSample.of(group)
    example = sample.example
    return DETECTOR.finding(
        subject=example.client,
        peer_class=example.server_class,
        service=Service(example.flow.protocol, example.service_port),
        sample=sample,
        facts=Facts(limit=limit),
    )


def text(finding: BlockedConnection) -> Text:
    """The finding in words."""
    client, server, example = finding.subject, finding.main_server, finding.example
    outside = finding.peer_class is PeerClass.INTERNET
    inbound = example.side is FlowDirection.INGRESS
    rule = f"{finding.service} from {client}"
    return Text(
        summary=f"{client} is refused {finding.service} at {main_server_and_others(finding.tally)}.",
        because=f"{started_by(client, example)}; at least {finding.facts.limit} packets were rejected",
        likely=likely_cause(example, client, server),
        query_terms=(client, server, "REJECT"),
        words={
            "internet_server": server if outside else None,
            "own_server": None if outside else server,
            "rule": f"inbound {rule}" if inbound else f"outbound {rule} to {server}",
        },
    )


def refusals(finding: BlockedConnection, scope: str, now: int) -> list[Addition]:
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


def patient(finding: BlockedConnection, slots: frozenset[int], least: int) -> BlockedConnection:
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
    finds=("egress-rejects", "security-group-fault"),
    runbook=(
        "{internet_server} is on the internet: find out which program on {subject} asks for it.",
        "Ask the owner of {subject} whether it needs {service} at {own_server}.",
        "If it is wanted: allow {rule}; was a rule changed just before it began?",
        "If it is not: find the process on {subject} that asks, and stop it.",
    ),
    detect=detect,
    text=text,
)
