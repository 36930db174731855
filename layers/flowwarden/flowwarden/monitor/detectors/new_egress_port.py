"""new-egress-port: a role uses a TCP port of the internet that it never used before.

What: an answered TCP connection of an internal host to an internet host, on a service port that is new for
    the host's role. The finding first has the route digest. It pages if the role uses the port in
    `new_egress_slots` slots of 10 min within a day, or at once if worms and spam use the port (`GRAVE_PORTS`:
    Telnet, SMTP, Windows RPC, NetBIOS, SMB, RDP, VNC, IRC). One finding for a role and port, with its hosts.
    All ports from 32,768 count as one port. Only the first records of a long connection show the initiator;
    the later ones count if the role opened a connection to the port within a day.
Why: command and control, miners, reverse shells and spam need an outbound connection, often on a port of
    their own, and the connection lasts or returns.
False positives: a release that uses a new external service. A port that a role uses on two days counts as
    usual from then on; add hosts that may use any port to `exempt`.
Blind: ports that no common service uses, if the log format has no TCP flags, because the initiator is a guess
    then. Later records of a connection on a port from 32,768, or of a connection whose opening no batch
    shows: these do not count, and the baseline does not learn them. Connections on ports that are usual for
    the role, above all HTTPS; see egress-volume. Roles that never connect to the internet are reported by
    unexpected-egress, and databases by database-egress.
While a role is being learned, only `GRAVE_PORTS` are reported, with the route digest.
Events: none alone; see tests/monitor/detectors/test_new_egress_port.py.
ATT&CK: T1571 Non-Standard Port.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.monitor.baseline.baseline import Edge
from flowwarden.monitor.baseline.peers import DYNAMIC
from flowwarden.monitor.baseline.profile import RoleProfile
from flowwarden.monitor.behavior import Behavior, always
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors.base import Detector, Need
from flowwarden.monitor.findings import FlowSample, Severity, SurplusFinding, TrafficFinding, Window
from flowwarden.monitor.measured import Measured
from flowwarden.monitor.text import (
    Text,
    evidence,
    main_server_and_others,
    narrowed,
    services,
    short_clients,
    short_servers,
    short_services,
)
from flowwarden.monitor.traffic.internet_contacts import NewServices, lasting, new_services, opened
from flowwarden.monitor.traffic.new_egress import MOST_READ, SLOT, additions, recent
from flowwarden.monitor.traffic.selection import without_repeats
from flowwarden.monitor.traffic.tally import sample_of
from flowwarden.monitor.view import BatchView
from flowwarden.network.addresses import PeerClass
from flowwarden.network.host_set import host_set
from flowwarden.network.initiator import by_opening
from flowwarden.network.services import TCP, Service
from flowwarden.notify.alert import Route
from flowwarden.notify.text import plural
from flowwarden.policy.detection import Thresholds
from flowwarden.records.columnar.tokenizer import ABSENT, Integers, Mask
from flowwarden.state.schema import BASELINES, MOST_NEW_EGRESS, NEW_EGRESS
from flowwarden.state.sets import DAY

GRAVE_PORTS: Final = frozenset({23, 25, 135, 139, 445, 3389, 5900, 6667})
"""Telnet, mail relay, Windows RPC, NetBIOS, SMB, RDP, VNC, IRC. Worms and spam use them; providers and
companies block them outbound, and a server has other ways: mail submission (587), SSH, HTTPS."""
DYNAMIC_PORTS: Final = "dynamic"
"""The aspect of a finding about ports from `DYNAMIC` on."""


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

    @property
    def is_grave(self) -> bool:
        """Whether a single use pages."""
        return self.port in GRAVE_PORTS and not self.learning


def detect(view: BatchView, state: StateView, thresholds: Thresholds) -> list[NewEgressPort | SurplusFinding]:
    """One finding for each role and new port. It pages if the use continues, or if the port is grave."""
    new = _used(view, state)
    most = sorted(new, key=lambda each: (not each.is_grave, -len(new[each]), each.port, each.role))
    least, room = thresholds.new_egress_slots, MOST_NEW_EGRESS * state.breadth
    found, beyond = [_weigh(view, state, each, new[each], least) for each in most[:room]], most[room:]
    grave = sum(each.is_grave for each in beyond)
    return [*found, *DETECTOR.surplus(grave, len(beyond) - grave)]


def _used(view: BatchView, state: StateView) -> dict[_RolePort, list[int]]:
    """The contacts with new ports, by role and port.

    Those that began before count if the role opens the port in this batch, or opened it within a day.
    """
    now = _by_role(view, opened(view.contacts))
    later = _by_role(view, lasting(view.contacts, view.directions))
    known = now.keys() | _opened_before(state, {each: later[each] for each in later if each not in now}, view)
    every = [each for each in dict.fromkeys((*now, *later)) if each in known]
    return {each: [*now.get(each, ()), *later.get(each, ())] for each in every}


def _opened_before(
    state: StateView, later: Mapping[_RolePort, Sequence[int]], view: BatchView
) -> set[_RolePort]:
    """The ports among these that their role opened within a day; reads at most `MOST_READ`."""
    ranked = sorted(later, key=lambda each: (-len(later[each]), each.port, each.role))
    most = ranked[: MOST_READ * state.breadth]
    keys = {NEW_EGRESS.key_of(view.now // DAY, each.role, each.port): each for each in most}
    unknown = [key for key in keys if not recent(state.known(key), view.now)]
    read = state.read(unknown) if unknown else {}
    return {each for key, each in keys.items() if recent(read.get(key) or state.known(key), view.now)}


def _by_role(view: BatchView, counted: Mask) -> dict[_RolePort, list[int]]:
    """The contacts with new ports among those that count, by role and port."""
    exempt, texts = host_set(view.policy.exempt), view.records.flows.texts
    found: defaultdict[_RolePort, list[int]] = defaultdict(list)
    for service, contacts in _services(view, counted).items():
        profile = view.profiles[service.place]
        if not exempt.hold(texts[service.host]):
            found[_RolePort(profile.role, min(service.port, DYNAMIC), profile.learning)] += contacts
    return found


def _services(view: BatchView, counted: Mask) -> NewServices:
    def is_new(place: int, edge: Edge) -> bool:
        return edge.direction == "out" and is_reported(view.profiles[place], edge.port)

    return new_services(view.contacts, view.directions, view.new_of_internet, counted, is_new)


def is_reported(profile: RoleProfile, port: int) -> bool:
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
    added = [state.add(each) for each in additions(new.role, new.port, _slots(view, rows), view.now)]
    slots = recent(added[0], view.now) if added else frozenset()
    is_dynamic = new.port == DYNAMIC
    finding = DETECTOR.finding(
        subject=new.role,
        peer_class=PeerClass.INTERNET,
        # The number of a dynamic port differs from batch to batch.
        service=None if is_dynamic else Service(TCP, new.port),
        aspect=DYNAMIC_PORTS if is_dynamic else "",
        sample=_sample(view, rows, slots),
        facts=Facts(role=new.role, slots=len(slots), limit=least),
    )
    pages = new.is_grave or (not new.learning and measured(len(slots), least).reached)
    return finding if pages else replace(finding, severity=Severity.INFO)


def measured(slots: int, least: int) -> Measured:
    """The 10-minute slots in which a role used a port, against the limit."""
    return Measured(
        what="10-minute slots within 24 h in which the role used the port",
        value=slots,
        limit=least,
        threshold="new_egress_slots",
    )


def _sample(view: BatchView, rows: Integers, slots: frozenset[int]) -> FlowSample:
    """The flows in these rows, and the slots that count."""
    sample = sample_of(view.directions, rows)
    example = replace(sample.example, verdict=by_opening(sample.example.verdict))
    window = Window(min(slots) * SLOT, (max(slots) + 1) * SLOT, len(slots)) if slots else None
    return replace(sample, example=example, window=window)


def _slots(view: BatchView, rows: Integers) -> frozenset[int]:
    """The slots in which the flows of these rows began; none is in the future."""
    starts = view.records.flows["start"][rows].tolist()
    return frozenset(min(view.now if each == ABSENT else each, view.now) // SLOT for each in starts)


def text(finding: NewEgressPort) -> Text:
    """The finding in words."""
    tally, facts = finding.tally, finding.facts
    hosts = finding.main_client if len(tally.clients) == 1 else plural(len(tally.clients), "host")
    return Text(
        summary=(
            f"{hosts} of role {facts.role} connected to the internet on a new port: "
            f"{services(tally)} at {main_server_and_others(tally)}."
        ),
        because=(
            f"{finding.main_client} initiated the connection {evidence(finding.example)} and was answered; "
            f"the port is new for the role; {_reason(finding.main_service, facts)}"
        ),
        likely="a release that uses a new external service, or command and control, a miner or spam",
        counted=_counted(facts) if facts.slots else "",
        brief=f"{short_clients(tally)} to internet {short_servers(tally)}: new {short_services(tally)}",
        query_terms=narrowed(finding, *([finding.main_client] if len(tally.clients) == 1 else [])),
    )


def _reason(service: Service, facts: Facts) -> str:
    """The rule that makes it a page, or will."""
    if service.port in GRAVE_PORTS:
        return "; ".join(["worms and spam use this port", *([_counted(facts)] if facts.slots else [])])
    return f"{_counted(facts)}, threshold: {facts.limit}"


def _counted(facts: Facts) -> str:
    return f"used in {plural(facts.slots, 'period')} of 10 min within 24 h"


DETECTOR: Final = Detector(
    name="new-egress-port",
    summary=(
        "a role connects to the internet on a TCP port that is new for it: pages after two hours of use "
        "within a day, or at once if worms and spam use the port; after two days the port counts as usual"
    ),
    severity=Severity.MEDIUM,
    unpaged=Route.DIGEST,
    behavior=always(Behavior.EGRESS),
    technique="T1571",
    thresholds=("new_egress_slots",),
    needs=frozenset({Need.BASELINE, Need.TCP_FLAGS}),
    state=(BASELINES, NEW_EGRESS),
    teaches_baseline=True,
    finds=("beacon",),
    runbook=(
        "Find the process on {client} that owns the connection to {server}, and who is responsible for it.",
        "If no owner confirms it, isolate {client} and check the other hosts of {subject}.",
        "If the connection is expected, no action is required: the port counts as usual after two days.",
    ),
    detect=detect,
    text=text,
)
