"""blocked-connection: connections of an internal host to a service are rejected.

What: REJECTs of connections that an internal host initiates to one service, grouped by host and service,
    never one alert per line. If a service rejects many hosts, service-blocked reports it instead. If a host's
    own rules reject connections to the internet, egress-denied reports it.
Why: a host connects only to services that it needs. Either a security group or network ACL is too strict and
    an application is down, or a process on the host is probing.
False positives: a retired dependency that a client still calls; a port that is closed on purpose and that a
    tool keeps trying. Leftovers of expired connections (a REJECT without a SYN) and rejected replies do not
    count. A connection that is new for a role and rejected from the start is usually a release whose rule
    follows a little later: it pages once it persists for `blocked_slots` slots of 10 min within six hours. A
    connection that was usual before pages at once. The role of the client decides, regardless of which end
    logged the rejection. For a host without a known role, the connection must persist, too, unless no role of
    the account is known. A connection that was refused for the role on two earlier days is usually refused,
    and does not count. Slots also count while another detector reports the host and suppresses this finding.
While all roles of an account are being learned, only connections that worked on two days page.
Events: two-formats.json, ipv6.json; no finding in expired-connection.json.
ATT&CK: none; most of these are faults.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.monitor.baseline.peers import edge_of, outbound_edge
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.causes import Shares
from flowwarden.monitor.detectors.base import Detector, Need
from flowwarden.monitor.findings import (
    FlowSample,
    Severity,
    SurplusFinding,
    Tally,
    TrafficFinding,
    Window,
    identity,
)
from flowwarden.monitor.measured import Measured
from flowwarden.monitor.text import Text, main_server_and_others, narrowed, short_servers, started_by
from flowwarden.monitor.traffic.reject_cause import likely_cause
from flowwarden.monitor.traffic.tally import samples_of
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
from flowwarden.state.sets import DAY, HOUR, Addition, merged

SLOT: Final = 600
SPAN: Final = 36  # slots: six hours
_SLOTS_OF_A_DAY: Final = DAY // SLOT
SPARED_SLOTS: Final = 2
"""So many slots beyond those that page must be recent before any is left out: containers differ by one."""
(REFUSED,) = REFUSALS.sets


class Facts(Struct, frozen=True):
    """The evidence for the finding."""

    limit: int
    """The number of rejected packets from which attempts count."""
    slots: int = 0
    """At least so many slots of the finding's window in which the host was rejected; 0 if the batch alone is
    evidence."""


type BlockedConnection = TrafficFinding[Facts]


def detect(
    view: BatchView, state: StateView, thresholds: Thresholds
) -> list[BlockedConnection | SurplusFinding]:
    """One finding for each internal host and service. New connections page once they persist."""
    if not len(view.rejections):
        return []
    found, surplus = _blocked(view, thresholds.blocked_packets)
    waiting = [each for each in found if must_wait(view, each)]
    held = {identity(each) for each in waiting}
    at_once = [each for each in found if identity(each) not in held]
    waiting.sort(key=lambda each: (-_packets(each.tally), identity(each)))
    # Beyond the budget, the cause is not a single connection.
    room = MOST_REFUSED * state.breadth
    beyond = [replace(each, severity=Severity.INFO) for each in waiting[room:]]
    weighed = [weigh(view, state, each, thresholds.blocked_slots) for each in waiting[:room]]
    return [*at_once, *weighed, *beyond, *surplus]


def _packets(tally: Tally) -> int:
    """The rejected packets; at least one in each record, if the log format lacks the count."""
    return tally.records if tally.packets is None else tally.packets


def _blocked(view: BatchView, limit: int) -> tuple[list[BlockedConnection], list[SurplusFinding]]:
    """The findings about the hosts and services with most rejections, and the numbers of the others.

    Exempt hosts come last and never page.
    """
    blocked = view.rejections.blocked
    exempt = view.rejections.exempt(blocked.leads)
    most, beyond = blocked.those(~exempt).split(view.most_findings)
    silent, left = blocked.those(exempt).split(view.most_findings - len(most))
    samples = samples_of(view.directions, [*most, *silent])
    # The others are not counted over time; see `must_wait` for those that page at once.
    at_once = int(view.rejections.worked(beyond.leads, if_unknown=not view.is_learned).sum())
    surplus = DETECTOR.surplus(at_once, len(beyond) - at_once + len(left))
    return [_report(each, limit) for each in samples], surplus


def must_wait(view: BatchView, finding: TrafficFinding) -> bool:
    """Whether a finding about refusals pages only once they persist: the connection is new for the client.

    It is the client's role that counts, whichever end logged the rejection. If only the server's is known, it
    is usual that the server is connected from the client's network. If neither is known, the connection is
    new in an account with a learned role; otherwise nothing can be compared. Exempt hosts never page.
    """
    example = finding.example
    if host_set(view.policy.exempt).hold(finding.subject):
        return False
    profile, edge = view.client_of(example), outbound_edge(example)
    if profile.interface is None and example.side is FlowDirection.INGRESS:
        profile, edge = view.profile(example.flow.interface_id, _moment(example)), edge_of(example)
    if profile.interface is None:
        return view.is_learned
    return not (edge and profile.knows(edge))


def _moment(example: DirectedFlow) -> int:
    return ABSENT if example.flow.start is None else example.flow.start


def weigh[F: Struct](
    view: BatchView, state: StateView, finding: TrafficFinding[F], least: int
) -> TrafficFinding[F]:
    """The finding about a new connection; it does not page until it was rejected in `least` recent slots.

    Nor does it while the account is being learned, when every connection is new.
    """
    scope = view.client_of(finding.example).scope or view.scope_at(finding.example.flow.interface_id)
    stored = _stored(finding, scope, view.now, state, least)
    # A slot from the future would make all others look old. Clocks of containers can differ by one slot.
    slots = frozenset(each for each in stored if each <= view.now // SLOT + 1)
    if view.all_is_new:
        return replace(finding, severity=Severity.INFO)
    return held_until_persistent(_over_time(finding, recent(slots)), slots, least)


def _over_time[F: Struct](finding: TrafficFinding[F], slots: frozenset[int]) -> TrafficFinding[F]:
    """The finding, with the slots in which its subject was rejected."""
    window = Window(min(slots) * SLOT, (max(slots) + 1) * SLOT) if slots else None
    return replace(finding, window=window, facts=replace(finding.facts, slots=len(slots)))


def _report(sample: FlowSample, limit: int) -> BlockedConnection:
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
    times = f"{plural(finding.facts.slots, 'period')} of 10 min"
    over = f", in at least {times} within 6 h" if finding.facts.slots else ""
    return Text(
        summary=f"{client} is blocked from {finding.service} at {main_server_and_others(finding.tally)}.",
        because=f"{started_by(client, example)}; at least {finding.facts.limit} packets were rejected{over}",
        likely=likely_cause(example, client, example.server),
        counted=f"rejected in at least {times} within 6 h" if finding.facts.slots else "",
        brief=f"{client} blocked from {finding.main_service.number} at {short_servers(finding.tally)}",
        query_terms=narrowed(finding, client, "REJECT"),
        words={
            "internet_server": server if outside else None,
            "own_server": None if outside else server,
            "rule": f"inbound {rule}" if inbound else f"outbound {rule} to {server}",
        },
    )


def _stored(finding: TrafficFinding, scope: str, now: int, state: StateView, least: int) -> frozenset[int]:
    """The slots of the finding's day, to which it is added; early in the day also those of the day before.

    The day before no longer changes, so a container reads it once. Counting does not restart at midnight.
    """
    first, addition = _first(finding, now) // SLOT, refusals(finding, scope, now)
    earlier = _of_yesterday(finding, scope, first, state)
    new = addition.sets[REFUSED]
    known = state.known(addition.key).get(REFUSED, frozenset()) | earlier
    if is_spared(new - known, known, least):
        return known | new
    return state.add(addition)[REFUSED] | earlier


def is_spared(new: frozenset[int], known: frozenset[int], least: int) -> bool:
    """Whether slots need not be stored: the refusals persist, and every second slot shows it."""
    return all(each % 2 for each in new) and len(recent(known | new) - new) >= least + SPARED_SLOTS


def _of_yesterday(finding: TrafficFinding, scope: str, first: int, state: StateView) -> frozenset[int]:
    """The slots of the day before, if they are recent at the slot `first`."""
    if first % _SLOTS_OF_A_DAY >= SPAN:
        return frozenset()
    before = refusal_key(finding, scope, first // _SLOTS_OF_A_DAY - 1)
    yesterday = merged(state.known(before), state.read_once([before]).get(before, {}))
    return yesterday.get(REFUSED, frozenset())


def refusals(finding: TrafficFinding, scope: str, now: int) -> Addition:
    """The evidence that a finding adds: the 10-minute slots in which its subject was rejected at the service.

    Args:
        finding: about rejections.
        scope: where the subject's address is unique.
        now: Unix seconds.
    """
    first = _first(finding, now)
    last = first if finding.tally.last is None else min(finding.tally.last, now)
    slots = frozenset({first // SLOT, last // SLOT})
    day = first // DAY
    return Addition(refusal_key(finding, scope, day), {REFUSED: slots}, REFUSALS.kept_until(day * DAY))


def refusal_key(finding: TrafficFinding, scope: str, day: int) -> str:
    """The key of the item about the finding's subject and service on a day (since 1970)."""
    identity = finding.service.identity if finding.service else ""
    return REFUSALS.key_of(day, f"{scope}/{finding.subject}", finding.peer_class, identity)


def _first(finding: TrafficFinding, now: int) -> int:
    return now if finding.tally.first is None else min(finding.tally.first, now)


def recent(slots: frozenset[int]) -> frozenset[int]:
    """The slots of the last six hours before the latest one."""
    latest = max(slots, default=0)
    return frozenset(slot for slot in slots if slot > latest - SPAN)


def held_until_persistent[F](
    finding: TrafficFinding[F], slots: frozenset[int], least: int
) -> TrafficFinding[F]:
    """The finding; it does not page while it has fewer than `least` recent slots. For new connections."""
    persists = measured_slots(len(recent(slots)), least).reached
    return finding if persists else replace(finding, severity=Severity.INFO)


def measured_slots(slots: int, least: int) -> Measured:
    """The recent slots in which a new connection was rejected, against the limit."""
    return Measured(
        what="10-minute slots within 6 h with rejections",
        value=slots,
        limit=least,
        threshold="blocked_slots",
    )


DETECTOR: Final = Detector(
    name="blocked-connection",
    summary=(
        "one of your hosts is blocked from a service that it used before, or from a new service for two "
        "hours: a security group is too strict, or the host is probing for open ports"
    ),
    severity=Severity.MEDIUM,
    resolve_after=HOUR // 2,
    asks_rules=True,
    rejects=True,
    incident="refused",
    shares=Shares.RULES,
    thresholds=("blocked_packets", "blocked_slots"),
    needs=frozenset({Need.BASELINE}),
    state=(BASELINES, REFUSALS),
    finds=("egress-rejects", "security-group-fault", "tightened-group", "tightened-egress"),
    runbook=(
        "{internet_server} is on the internet: find the process on {subject} that connects to it.",
        "Ask the owner of {subject} whether it needs {service} at {own_server}.",
        "Check whether a security group or network ACL rule changed just before the first rejection.",
        "If the connection is needed, allow {rule}.",
        "If it is not needed, find the process on {subject} that connects, and stop it.",
    ),
    detect=detect,
    text=text,
)
