"""egress-denied: the rules of a role's own hosts reject its connections to the internet.

What: REJECTs of connections to the internet, logged at the host that initiates them: its own outbound rules
    reject them. One finding for a role and a service, with its hosts. If a role is denied more than
    `MOST_SERVICES` services in a batch, one finding for all of them. If the role of a host is unknown, the
    finding is about the host. REJECTs to internal hosts count, too, if a host's own rules reject
    `probing_destinations` connections that usually work: the rules were tightened, and the host is not a
    scanner. That is one finding for the role and all of these services.
Why: a program tries something that the rules do not allow, for as long as it runs. Either the rules lack a
    service that the role needs, or the program needs another setting. The rejections say nothing about the
    servers. Internet addresses of a service vary, so the rejections count by service, and alone they are not
    evidence of a scan.
False positives: hosts that may not reach the internet on purpose, whose programs keep trying to update
    themselves or to send telemetry. Repeats are suppressed for 30 days. If a service is new for a role and
    denied from the start, it pages only when this persists for `blocked_slots` slots of 10 min within six
    hours. A service that was usual before pages at once, because a rule was tightened.
Events: egress-denied.json; no finding in host-probing.json.
ATT&CK: none; most of these are faults.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from flowwarden.monitor.baseline.peers import outbound_edge
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.causes import Shares
from flowwarden.monitor.detectors.base import Detector, Need
from flowwarden.monitor.detectors.blocked_connection import weigh
from flowwarden.monitor.findings import FlowSample, Severity, SurplusFinding, TrafficFinding
from flowwarden.monitor.text import Text, evidence, service_port
from flowwarden.monitor.traffic.reject_cause import likely_cause
from flowwarden.monitor.traffic.row_groups import RowGroups
from flowwarden.monitor.traffic.tally import samples_of
from flowwarden.monitor.view import BatchView
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import OWN
from flowwarden.network.roles import UNKNOWN
from flowwarden.network.services import Service
from flowwarden.notify.text import plural
from flowwarden.policy.detection import Thresholds
from flowwarden.records.columnar.group_by import Groups, packed
from flowwarden.records.columnar.tokenizer import ABSENT, Integers
from flowwarden.state.schema import BASELINES, MOST_REFUSED, REFUSALS
from flowwarden.state.sets import DAY, HOUR

MOST_SERVICES: Final = 5
"""Services of a role that are findings of their own in a batch. If the rules deny more, that is one fact."""
NAMED: Final = 3
"""Hosts that a step names, those with most records; the page lists more."""


class Facts(Struct, frozen=True):
    """The evidence for the finding."""

    role: str
    """`UNKNOWN` if EC2 does not describe the interface."""
    limit: int
    """The number of rejected packets from which attempts count."""
    slots: int = 0
    """At least so many 10-minute slots within six hours in which the role was denied the service."""


type EgressDenied = TrafficFinding[Facts]


def detect(view: BatchView, state: StateView, thresholds: Thresholds) -> list[EgressDenied | SurplusFinding]:
    """One finding for each role and service. New ones page once they persist; exempt hosts never page."""
    if not len(view.rejections):
        return []
    rows = view.rejections.denied
    exempt = view.rejections.exempt(rows)
    ordinary, beyond = _inspected(view, rows[~exempt], thresholds)
    quiet, left = _inspected(view, rows[exempt], thresholds)
    least = thresholds.blocked_slots
    weighed = [each if _was_usual(view, each) else weigh(view, state, each, least) for each in ordinary]
    silent = [replace(each, severity=Severity.INFO) for each in quiet]
    # Those beyond are not counted over time, so only a rule that was tightened is certain.
    at_once = int(view.rejections.worked(beyond).sum())
    surplus = DETECTOR.surplus(at_once, len(beyond) - at_once + len(left))
    return [*weighed, *silent, *surplus]


def _inspected(
    view: BatchView, rows: Integers, thresholds: Thresholds
) -> tuple[list[EgressDenied], Integers]:
    """The findings about these rows, those with most records; and a row of each of the others."""
    if not len(rows):
        return [], rows
    subjects = _subjects(view, rows)
    groups = _by_service(view, rows, subjects)
    most, others = groups.split(MOST_REFUSED * view.state.breadth)
    samples = samples_of(view.directions, [*most])
    return [_report(view, each, thresholds.blocked_packets) for each in samples], others.leads


def _subjects(view: BatchView, rows: Integers) -> Integers:
    """A number for the subject of each row, its role or else its host, and whether the server is internal."""
    places = view.index.of_row[rows]
    roles = {place: view.role_at(place) for place in sorted(set(places.tolist()))}
    numbers = {role: number for number, role in enumerate(dict.fromkeys(roles.values()))}
    of_place = np.full(len(view.index), ABSENT)
    of_place[[*roles]] = [ABSENT if each == UNKNOWN else numbers[each] for each in roles.values()]
    of_row = of_place[places]
    subjects = np.where(of_row == ABSENT, len(numbers) + view.directions.client[rows], of_row)
    inside: Integers = subjects * 2 + (view.directions.server_class[rows] == OWN)
    return inside


def _by_service(view: BatchView, rows: Integers, subjects: Integers) -> RowGroups:
    """The rows by subject and service; all together of too many services, or if they are internal."""
    directions, size = view.directions, int(subjects.max(initial=0)) + 1
    services = [directions.traffic.flows["protocol"][rows], directions.service_port[rows]]
    each = Groups(packed([subjects, *services], [size, 2**8, 2**16]))
    many = np.bincount(subjects[each.rows], minlength=size) > MOST_SERVICES
    many |= np.arange(size) % 2 == 1  # to internal hosts
    parts = [np.where(many[subjects], ABSENT, column) for column in services]
    groups = Groups(packed([subjects, *parts], [size, 2**8, 2**16]), ordered=True)
    return RowGroups(rows, groups, np.arange(len(groups)))


def _report(view: BatchView, sample: FlowSample, limit: int) -> EgressDenied:
    profile = view.client_of(sample.example)
    services = sample.tally.services
    return DETECTOR.finding(
        subject=sample.example.client if profile.role == UNKNOWN else profile.role,
        # Some formats tell AWS services from the internet, and it is the same rule.
        peer_class=PeerClass.OWN if sample.example.server_class is PeerClass.OWN else PeerClass.INTERNET,
        service=Service(*services[0][0]) if len(services) == 1 else None,
        sample=sample,
        facts=Facts(role=profile.role, limit=limit),
    )


def _was_usual(view: BatchView, finding: EgressDenied) -> bool:
    edge = outbound_edge(finding.example)
    return edge is not None and view.client_of(finding.example).knows(edge)


def text(finding: EgressDenied) -> Text:
    """The finding in words."""
    tally, example = finding.tally, finding.example
    hosts = [name for name, _ in tally.clients]
    one = len(hosts) == 1
    subject = hosts[0] if one else plural(len(hosts), "host")
    inside = finding.peer_class is PeerClass.OWN
    where = f"at {plural(len(tally.servers), 'internal host')}" if inside else "on the internet"
    services = str(finding.service or plural(len(tally.services), "service"))
    return Text(
        summary=f"{finding.subject} is denied {services} {where} by outbound rules.",
        because=(
            f"{subject} of the role initiated the connections {evidence(example)}; at least "
            f"{finding.facts.limit} packets were rejected at the hosts that sent them"
        ),
        likely=likely_cause(example, "each host", where),
        query_terms=(*(hosts[:1] if one else []), "REJECT", *service_port(finding)),
        words={"services": f"{services} {where}", "hosts": ", ".join(hosts[:NAMED])},
    )


DETECTOR: Final = Detector(
    name="egress-denied",
    summary=(
        "outbound rules deny your hosts a service on the internet that they used before, or a new service "
        "for two hours; at most one page in 30 days for each role and service"
    ),
    severity=Severity.MEDIUM,
    resolve_after=HOUR // 2,
    asks_rules=True,
    rejects=True,
    shares=Shares.ROLE,
    quiet=30 * DAY,
    thresholds=("blocked_packets", "blocked_slots", "probing_destinations"),
    needs=frozenset({Need.BASELINE}),
    state=(BASELINES, REFUSALS),
    teaches_baseline=True,
    finds=("egress-rejects", "security-group-fault", "tightened-egress"),
    runbook=(
        "Check whether outbound rules of the security group or network ACL changed before the rejections.",
        "Ask the owners of hosts such as {hosts} whether they need {services}.",
        "If they need it, allow it in the outbound rules.",
        "If they do not need it, find the process that connects, and stop it.",
    ),
    detect=detect,
    text=text,
)
