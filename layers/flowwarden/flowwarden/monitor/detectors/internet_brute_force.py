"""internet-brute-force: an internet host repeatedly connects to an administration or database port.

What: answered connections of one internet host to an administration port (SSH, RDP, VNC, WinRM and similar)
    or a database port of an internal host, of the same small size: at least `DAY_FACTOR` times
    `brute_force_sessions` since midnight UTC, and at least half of its connections there. `brute-force`
    defines small. Checks whether SSH or RDP is open are too small to count. If the format contains no sizes,
    all connections count.
Why: a service that rejects a password closes the connection, and password guessing opens the next one. Each
    open port is guessed at for ever. So after two days at a host, or four at hosts of its role, guesses are
    usual there, and only a row of the digest remains. It pages again, as high, when a larger session of the
    same source may be a log-in.
False positives: a partner whose jobs open a connection for each small command: list its networks in
    `partner_cidrs`.
Blind: guesses of many sources, a few each; guesses that vary in size by a third or more; guessing over one
    connection. Of more than eight sources with many connections to a host within a day, only some count.
While a role is learned, the finding is a row of the digest and does not page.
Events: none alone; see tests/monitor/detectors/test_internet_brute_force.py.
ATT&CK: T1110 Brute Force.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from flowwarden.monitor.baseline.profile import RoleProfile
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors.base import Detector, Need
from flowwarden.monitor.detectors.brute_force import DAY_FACTOR
from flowwarden.monitor.findings import Severity, TrafficFinding, Window
from flowwarden.monitor.measured import Measured
from flowwarden.monitor.text import Text, estimated, evidence, narrowed, short_clients
from flowwarden.monitor.traffic import sessions
from flowwarden.monitor.traffic.administration import bounded, counted
from flowwarden.monitor.traffic.contact import Contact
from flowwarden.monitor.traffic.internet_contacts import sessions_from_internet
from flowwarden.monitor.traffic.selection import without_repeats
from flowwarden.monitor.traffic.tally import sample_of
from flowwarden.monitor.view import BatchView
from flowwarden.network.addresses import PeerClass
from flowwarden.network.services import TCP, Service
from flowwarden.notify.alert import Route
from flowwarden.notify.text import plural
from flowwarden.policy.detection import Thresholds
from flowwarden.state.schema import BASELINES, MOST_EXPOSED, OUTSIDE_SESSIONS
from flowwarden.state.sets import DAY, Addition, Sets, distinct, error, merged

(SESSIONS,) = OUTSIDE_SESSIONS.sets


class Facts(Struct, frozen=True):
    """The evidence for the finding."""

    role: str
    sessions: int
    """Small connections of a source since midnight, approximately; of the source with most."""
    limit: int
    """The threshold for the connections."""
    day: int
    """Since 1970."""
    sources: int = 1
    """Internet hosts in the batch that reach it."""
    admitted: bool = False
    """Whether a source also had a larger session."""
    usual: bool = False
    """Whether guesses at the port are usual for the host or its role, or the role is still learned."""


type InternetBruteForce = TrafficFinding[Facts]


def detect(view: BatchView, state: StateView, thresholds: Thresholds) -> list[InternetBruteForce]:
    """One finding for each host and port at which internet hosts guess passwords."""
    limit = _limit(thresholds)
    found: list[InternetBruteForce] = []
    for place, contacts in sessions_from_internet(view.contacts, view.directions).items():
        profile = view.profiles.get(place)
        if profile is not None:
            for exposed in _exposed(contacts, profile, view.now)[:MOST_EXPOSED]:
                found += _judge(view, state, exposed, limit)
    return found


class _Exposed(Struct, frozen=True):
    """A host, and its sessions with internet hosts on a day."""

    host: str
    day: int
    """Since 1970."""
    profile: RoleProfile
    contacts: Sequence[Contact]

    @property
    def addition(self) -> Addition:
        """The evidence of the batch: the sessions, with their clients in place of servers."""
        numbers = [
            sessions.numbers(
                each.client, TCP, each.port, sessions.log_ins(each.port, _sizes(each)), usual=False
            )
            for each in self.contacts
        ]
        key = Place(self.day, self.profile.scope, self.host).key
        until = OUTSIDE_SESSIONS.kept_until(self.day * DAY)
        return Addition(key, {SESSIONS: frozenset().union(*numbers)}, until)


def _sizes(contact: Contact) -> sessions.SizedRecords:
    return contact.sizes or frozenset((port, sessions.UNKNOWN_SIZE) for port in contact.client_ports)


def _exposed(contacts: Sequence[Contact], profile: RoleProfile, now: int) -> list[_Exposed]:
    """The hosts with contacts at an interface, those with the most first."""
    by_host: defaultdict[tuple[str, int], list[Contact]] = defaultdict(list)
    for each in contacts:
        by_host[each.server, min(each.first, now) // DAY if each.first >= 0 else now // DAY].append(each)
    most = sorted(by_host, key=lambda host: (-len(by_host[host]), host))
    return [_Exposed(*host, profile, by_host[host]) for host in most]


def _judge(view: BatchView, state: StateView, exposed: _Exposed, limit: int) -> Iterator[InternetBruteForce]:
    # Twice as many numbers as sessions, because those with the same hash can have several sizes.
    added, whole = exposed.addition, 2 * limit
    stored = counted(merged(state.add(bounded(added, state.known(added.key), whole)), added.sets), whole)
    guesses = _guesses(stored, limit)
    by_port: defaultdict[int, list[Contact]] = defaultdict(list)
    for each in exposed.contacts:
        if (sessions.server_number(each.client), each.port) in guesses:
            by_port[each.port].append(each)
    for port, contacts in sorted(by_port.items()):
        of_port = {(sessions.server_number(each.client), port) for each in contacts}
        facts = Facts(
            role=exposed.profile.role,
            sessions=round(max(guesses[each] for each in of_port)),
            limit=limit,
            day=exposed.day,
            sources=len({each.client for each in contacts}),
            admitted=not of_port.isdisjoint(sessions.large_sessions(stored[SESSIONS])),
            usual=exposed.profile.learning or exposed.profile.expects_guesses(port, exposed.host),
        )
        yield _report(view, exposed, port, contacts, facts)


def _guesses(stored: Sets, limit: int) -> Mapping[tuple[int, int], float]:
    """The sources and ports with enough sessions, and their number."""
    every = stored.get(SESSIONS, frozenset())
    if round(distinct(every)) < limit:  # as of nearly all hosts; those of one source are part of these
        return {}
    alike = sessions.small_sessions(every)
    return {
        (each.server, each.port): each.count for each in alike if measured(round(each.count), limit).reached
    }


class Place(Struct, frozen=True):
    """A host on a day, as the state table knows it."""

    day: int
    """Since 1970."""
    scope: str
    """The VPC, within which the address is unique."""
    host: str

    @property
    def key(self) -> str:
        """The key of its item."""
        return OUTSIDE_SESSIONS.key_of(self.day, f"{self.scope}/{self.host}")


def known(state: StateView, place: Place, client: tuple[str, int], thresholds: Thresholds) -> Measured:
    """The known connections of an internet host to a port, against the limit. Reads nothing."""
    limit = _limit(thresholds)
    stored = counted(state.known(place.key), 2 * limit).get(SESSIONS, frozenset())
    wanted = sessions.server_number(client[0]), client[1]
    alike = sessions.small_sessions(stored)
    counts = (round(each.count) for each in alike if (each.server, each.port) == wanted)
    return measured(next(counts, 0), limit)


def _limit(thresholds: Thresholds) -> int:
    return round(DAY_FACTOR * thresholds.brute_force_sessions)


def measured(sessions: int, limit: int) -> Measured:
    """The small connections of an internet host to a port, against the limit."""
    return Measured(
        what="answered connections of the same small size from one internet host, since midnight UTC",
        value=sessions,
        limit=limit,
        threshold="brute_force_sessions",
    )


def _report(
    view: BatchView, exposed: _Exposed, port: int, contacts: Sequence[Contact], facts: Facts
) -> InternetBruteForce:
    rows = np.sort(np.concatenate([each.rows for each in contacts]))
    sample = sample_of(view.directions, without_repeats(view.records.flows, rows))
    most = max(len(sessions.connections(each.sizes, each.client_ports)) for each in contacts)
    window = Window(exposed.day * DAY, (exposed.day + 1) * DAY, most, error(most))
    finding = DETECTOR.finding(
        subject=exposed.host,
        peer_class=PeerClass.INTERNET,
        service=Service(TCP, port),
        sample=replace(sample, window=window),
        facts=facts,
        aspect="admitted" if facts.admitted else "",
    )
    return replace(finding, severity=_severity(exposed.profile, facts))


def _severity(profile: RoleProfile, facts: Facts) -> Severity:
    if facts.admitted and not profile.learning:
        return Severity.HIGH
    return Severity.INFO if facts.usual else Severity.MEDIUM


def text(finding: InternetBruteForce) -> Text:
    """The finding in words."""
    server, facts = finding.subject, finding.facts
    source = finding.main_client if facts.sources == 1 else plural(facts.sources, "internet host")
    count = f"{estimated(facts.sessions, finding.window)} connections"
    each = "" if facts.sources == 1 else " each at most"
    larger = ", and a larger one, as after a log-in" if facts.admitted else ""
    return Text(
        summary=f"{source} opened {count}{each} to {finding.service} at {server} since midnight UTC{larger}.",
        because=(
            f"the initiator is on the internet {evidence(finding.example)}; the connections were answered "
            f"and have the same small size; threshold: {facts.limit} connections"
        ),
        likely="password guessing, successful" if facts.admitted else "password guessing",
        counted=f"{count}{each} since midnight UTC",
        brief=f"{short_clients(finding.tally)} guesses at {finding.main_service.number} of {server}",
        query_terms=narrowed(finding, *([finding.main_client] if facts.sources == 1 else [])),
    )


DETECTOR: Final = Detector(
    name="internet-brute-force",
    summary=(
        "an internet host opens 60 or more connections of the same small size within a day to an "
        "administration or database port; after two days usual for the host, unless another is larger"
    ),
    severity=Severity.HIGH,
    unpaged=Route.DIGEST,
    quiet=DAY,
    technique="T1110",
    thresholds=("brute_force_sessions",),
    needs=frozenset({Need.BASELINE}),
    state=(BASELINES, OUTSIDE_SESSIONS),
    teaches_baseline=True,
    finds=("guessing-from-outside",),
    runbook=(
        "Check the authentication log of {subject}: whether {client} was let in, and with which account.",
        "If it was, isolate {subject}. Otherwise restrict {service} to the networks that need it.",
    ),
    detect=detect,
    text=text,
)
