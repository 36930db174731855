"""new-egress-port: a role uses a TCP port of the internet that it never used before.

What: an answered TCP connection of an internal host to an internet host, on a service port that is new for
    the host's role. It is a row of the digest at once. It pages if the role uses the port in
    `new_egress_slots` slots of 10 min within a day, or at once if the port is one of `GRAVE_PORTS`. One
    finding for a role and port, with its hosts. Ports from 32,768 count as one.
Why: command and control, miners, reverse shells and spam need an outbound connection, often on a port of
    their own, and the connection lasts or returns.
False positives: a release that uses a new external service. A port that a role uses on two days counts as
    usual from then on; add hosts that may use any port to `exempt`.
Blind: ports that no common service uses, if the log format has no TCP flags, because the initiator is a guess
    then. What uses ports that are usual for the role, HTTPS above all; see egress-volume. Roles that never
    connect to the internet are reported by unexpected-egress, and databases by database-egress.
While a role is learned, only `GRAVE_PORTS` are reported, in the digest.
Events: none alone; see tests/monitor/detectors/test_new_egress_port.py.
ATT&CK: T1571 Non-Standard Port.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.monitor.baseline.baseline import Edge
from flowwarden.monitor.baseline.peers import DYNAMIC
from flowwarden.monitor.baseline.profile import RoleProfile
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors.base import Detector, Need
from flowwarden.monitor.findings import Severity, SurplusFinding, TrafficFinding, Window
from flowwarden.monitor.text import (
    Text,
    evidence,
    main_server_and_others,
    narrowed,
    short_clients,
    short_servers,
)
from flowwarden.monitor.traffic.internet_contacts import NewServices, new_services
from flowwarden.monitor.traffic.selection import without_repeats
from flowwarden.monitor.traffic.tally import sample_of
from flowwarden.monitor.view import BatchView
from flowwarden.network.addresses import PeerClass
from flowwarden.network.host_set import host_set
from flowwarden.network.services import TCP, Service
from flowwarden.notify.alert import Route
from flowwarden.notify.text import plural
from flowwarden.policy.detection import Thresholds
from flowwarden.records.columnar.tokenizer import ABSENT, Integers
from flowwarden.state.schema import BASELINES, MOST_NEW_EGRESS, NEW_EGRESS
from flowwarden.state.sets import DAY, Addition

SLOT: Final = 600
SPAN: Final = DAY // SLOT  # slots
GRAVE_PORTS: Final = frozenset({23, 25, 135, 139, 445, 3389, 5900, 6667})
"""Telnet, mail relay, Windows RPC, NetBIOS, SMB, RDP, VNC, IRC. Worms and spam use them; providers and
companies block them outbound, and a server has other ways: mail submission (587), SSH, HTTPS."""
(SLOTS,) = NEW_EGRESS.sets


class Facts(Struct, frozen=True):
    """The evidence for the finding."""

    role: str
    slots: int
    """10-minute slots within a day in which the role used the port."""
    limit: int
    """The threshold for the slots."""


type NewEgressPort = TrafficFinding[Facts]


class _RolePort(Struct, frozen=True):
    """A port that is new for a role."""

    role: str
    port: int
    """`DYNAMIC` for all ports from there on."""
    learning: bool


def detect(view: BatchView, state: StateView, thresholds: Thresholds) -> list[NewEgressPort | SurplusFinding]:
    """One finding for each role and new port. It pages if the use continues, or if the port is grave."""
    new = _by_role(view)
    most = sorted(new, key=lambda each: (each.port not in GRAVE_PORTS, -len(new[each]), each.port, each.role))
    found = [
        _weigh(view, state, each, new[each], thresholds.new_egress_slots) for each in most[:MOST_NEW_EGRESS]
    ]
    silent = [replace(each, severity=Severity.INFO) for each in DETECTOR.surplus(len(most) - len(found))]
    return [*found, *silent]


def _by_role(view: BatchView) -> dict[_RolePort, list[int]]:
    """The contacts with new ports, by role and port."""
    exempt, texts = host_set(view.policy.exempt), view.records.flows.texts
    found: defaultdict[_RolePort, list[int]] = defaultdict(list)
    for service, contacts in _services(view).items():
        profile = view.profiles[service.place]
        if not exempt.hold(texts[service.host]):
            found[_RolePort(profile.role, min(service.port, DYNAMIC), profile.learning)] += contacts
    return found


def _services(view: BatchView) -> NewServices:
    def is_reported(place: int, edge: Edge) -> bool:
        return edge.direction == "out" and _is_reported(view.profiles[place], edge.port)

    return new_services(view.contacts, view.directions, view.new_contacts, is_reported)


def _is_reported(profile: RoleProfile, port: int) -> bool:
    """Whether this detector reports a new port of the role."""
    if profile.interface is None:
        return False  # it may be a NAT gateway, which connects for many hosts
    if profile.learning:
        return port in GRAVE_PORTS
    return not profile.only_listens and not profile.databases


def _weigh(
    view: BatchView, state: StateView, new: _RolePort, contacts: Sequence[int], least: int
) -> NewEgressPort:
    """The finding; it does not page before the use has continued."""
    rows = without_repeats(view.records.flows, view.contacts.rows_of(contacts))
    today, *_ = [state.add(each) for each in additions(new.role, new.port, _slots(view, rows), view.now)]
    slots = [each for each in today[SLOTS] if view.now // SLOT - SPAN < each <= view.now // SLOT + 1]
    sample = sample_of(view.directions, rows)
    if slots:
        sample = replace(sample, window=Window(min(slots) * SLOT, (max(slots) + 1) * SLOT, len(slots)))
    finding = DETECTOR.finding(
        subject=new.role,
        peer_class=PeerClass.INTERNET,
        service=Service(TCP, sample.example.service_port if new.port == DYNAMIC else new.port),
        sample=sample,
        facts=Facts(role=new.role, slots=len(slots), limit=least),
    )
    pages = not new.learning and (new.port in GRAVE_PORTS or len(slots) >= least)
    return finding if pages else replace(finding, severity=Severity.INFO)


def _slots(view: BatchView, rows: Integers) -> frozenset[int]:
    """The slots in which the flows of these rows began; none is in the future."""
    starts = view.records.flows["start"][rows].tolist()
    return frozenset(min(view.now if each == ABSENT else each, view.now) // SLOT for each in starts)


def additions(role: str, port: int, slots: frozenset[int], now: int) -> list[Addition]:
    """The evidence of a batch: the slots, for the day of `now` (Unix seconds) and for the next one.

    So the slots of the last 24 hours are always in one item, and counting does not restart at midnight.
    """
    days = now // DAY, now // DAY + 1
    recent = frozenset(each for each in slots if each > now // SLOT - SPAN) or frozenset({now // SLOT})
    return [
        Addition(NEW_EGRESS.key_of(day, role, port), {SLOTS: recent}, NEW_EGRESS.kept_until(day * DAY))
        for day in days
    ]


def text(finding: NewEgressPort) -> Text:
    """The finding in words."""
    tally, facts = finding.tally, finding.facts
    hosts = finding.main_client if len(tally.clients) == 1 else plural(len(tally.clients), "host")
    return Text(
        summary=(
            f"{hosts} of role {facts.role} connected to the internet on a new port: "
            f"{finding.service} at {main_server_and_others(tally)}."
        ),
        because=(
            f"{finding.main_client} initiated the connection {evidence(finding.example)} and was answered; "
            f"new for the role; {_reason(finding.main_service, facts)}"
        ),
        likely="a new external service of a release, or command and control, a miner or spam",
        counted=_used(facts),
        brief=f"{short_clients(tally)} to internet {short_servers(tally)}: new {finding.main_service.number}",
        query_terms=narrowed(finding, *([finding.main_client] if len(tally.clients) == 1 else [])),
    )


def _reason(service: Service, facts: Facts) -> str:
    """The rule that makes it a page, or will."""
    if service.port in GRAVE_PORTS:
        return f"worms and spam use the port; {_used(facts)}"
    return f"{_used(facts)}, threshold: {facts.limit}"


def _used(facts: Facts) -> str:
    return f"used in {plural(facts.slots, 'period')} of 10 min within 24 h"


DETECTOR: Final = Detector(
    name="new-egress-port",
    summary=(
        "a role uses a TCP port of the internet that is new for it, on two hours of a day, or at once if "
        "worms and spam use the port; a row of the digest before; after two days the port counts as usual"
    ),
    severity=Severity.MEDIUM,
    unpaged=Route.DIGEST,
    technique="T1571",
    thresholds=("new_egress_slots",),
    needs=frozenset({Need.BASELINE, Need.TCP_FLAGS}),
    state=(BASELINES, NEW_EGRESS),
    teaches_baseline=True,
    finds=("beacon",),
    runbook=(
        "Find the process on {client} that owns the connection to {server}, and its owner.",
        "If no owner confirms it, isolate {client} and check the other hosts of {subject}.",
        "If the connection is expected, no action is required: the port counts as usual after two days.",
    ),
    detect=detect,
    text=text,
)
