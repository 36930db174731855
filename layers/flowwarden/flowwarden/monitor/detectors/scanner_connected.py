"""scanner-connected: an internet host was refused at many places and then connected.

What: an answered connection from an internet host to an internal service that the internet does not usually
    reach, if at least `scanner_destinations` places (server, protocol and port) refused that host on the same
    day or the day before. For a host that scanned on the day before, half of them are enough. Batches in
    which one interface refuses it fewer than three times count once a container has seen half of these
    places, so that a scan of many interfaces is found. If the host connects before it reaches the limit, the
    batch that reaches it reports the connection, provided that the batch is from the same interface. Without
    `tcp-flags`, and in later records of a connection, the higher port is the initiator's, with the refusals
    as evidence.
Why: scans are noise until a port is open to the scanner. Then it is the first connection of an attack.
False positives: a new public service that an internet scanner finds before its users do.
Blind: a host that connects once, before its scan reaches the limit at another interface. The places that a
    container has not stored yet do not count in others, nor after it ends: fewer than half of the limit for
    each container, so a thin scan over many containers is found later.
While a role is being learned, nearly every service is new to the internet. From the third day, only remote
    administration and databases are reported, unless the internet already reached them on two days.
Events: none alone; see tests/monitor/detectors/test_scanner_connected_over_time.py.
ATT&CK: T1190 Exploit Public-Facing Application.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from flowwarden.monitor.baseline.baseline import Edge
from flowwarden.monitor.baseline.profile import RoleProfile
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.causes import Shares
from flowwarden.monitor.detectors.base import Detector, Need
from flowwarden.monitor.findings import FlowSample, Severity, SurplusFinding, Tally, TrafficFinding, Window
from flowwarden.monitor.text import Text, evidence, narrowed
from flowwarden.monitor.traffic.contact import Contact
from flowwarden.monitor.traffic.contacts import MOST_CONTACTS, Contacts
from flowwarden.monitor.traffic.host_sample import place_of
from flowwarden.monitor.traffic.novelty import NewContacts
from flowwarden.monitor.traffic.refused_sources import (
    CANDIDATE_REFUSALS,
    CONNECTED,
    MOST_PLACES,
    Places,
    is_scanner,
    look_up,
    refused_internet,
    refused_places,
    scanner_key,
    scanners,
)
from flowwarden.monitor.traffic.selection import grouped
from flowwarden.monitor.view import BatchView
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.initiator import by_scanner
from flowwarden.network.services import ADMIN_PORTS, DATABASE_PORTS, Service, short_service
from flowwarden.policy.detection import Thresholds
from flowwarden.records.columnar.tokenizer import Integers
from flowwarden.state.marks import mark, read_mark, server_hash
from flowwarden.state.schema import BASELINES, MOST_CANDIDATES, SCANNERS
from flowwarden.state.sets import DAY, Addition

MOST_SOURCES: Final = 48
"""Sources per interface and batch that are looked up: two keys each, and one call takes a hundred."""
INTERFACES_OF_BATCH: Final = 32
"""Inspected interfaces of a batch: those with sources, then those with most refusals. Each costs a read."""
MOST_THIN: Final = 4
"""Those among them with fewer refusals than one scanner causes. Most batches have one interface."""
MOST_MARKS: Final = 16
"""Services stored for each source."""

_NONE: Final = np.empty(0, np.int64)

SENSITIVE_PORTS: Final = ADMIN_PORTS | DATABASE_PORTS
"""Ports that hardly any role opens to the internet, even if its baseline is still incomplete."""


class Facts(Struct, frozen=True):
    """The evidence for the finding."""

    role: str
    """The server's role."""
    limit: int
    """Places that refused the source; a lower bound."""


type ScannerConnection = TrafficFinding[Facts]


def detect(
    view: BatchView, state: StateView, thresholds: Thresholds
) -> list[ScannerConnection | SurplusFinding]:
    """A finding for each service at an interface that a scanner connected to."""
    found: list[ScannerConnection] = []
    least = thresholds.scanner_destinations
    refused = view.contacts.by_interface(refused_internet(view.contacts, view.directions))
    connections = {
        place: each
        for place, new in _reached(view.new_contacts).items()
        if (each := _connections(view.contacts, new, view.profiles[place]))
    }
    places = sorted(
        {*connections, *refused},
        key=lambda place: (place not in connections, -len(refused.get(place, _NONE))),
    )
    thin = [each for each in places if each not in connections and len(refused[each]) < CANDIDATE_REFUSALS]
    most = INTERFACES_OF_BATCH * state.breadth
    inspected = sorted({*places[:most]}.difference(thin[MOST_THIN * state.breadth :]))
    by_source = {each: refused_places(view.contacts, refused.get(each, _NONE)) for each in inspected}
    of_day: defaultdict[int, list[Places]] = defaultdict(list)
    for place in inspected:
        of_day[view.profiles[place].day].append(by_source[place])
    known = {day: look_up(some, state, day, least) for day, some in of_day.items()}
    for place in inspected:
        connected, profile = connections.get(place, []), view.profiles[place]
        here = _AtInterface(view.contacts, refused.get(place, _NONE), connected, profile, least)
        of_place = scanners(by_source[place], known[profile.day], state, profile.day, least)
        found += _inspect(here, of_place, state)
    # Whether a scanner is among the clients of the others was not looked up.
    return [*found, *DETECTOR.surplus(0, sum(place in connections for place in places[most:]))]


class _Connections(Struct, frozen=True):
    """Answered contacts of one edge that the internet initiated and that are not usual."""

    edge: Edge
    contacts: Integers
    clients: list[str]


class _AtInterface(Struct, frozen=True):
    """Refused and answered contacts of internet hosts at one interface."""

    contacts: Contacts
    refused: Integers
    """Refused contacts of internet hosts."""
    connections: list[_Connections]
    profile: RoleProfile
    least: int
    """The number of places that identifies a scanner."""


def _reached(new: NewContacts) -> NewContacts:
    """The new contacts of internet hosts with services."""
    return new.where(lambda each: each.direction == "in" and each.peer == PeerClass.INTERNET)


def _connections(
    contacts: Contacts, new: Mapping[Edge, Integers], profile: RoleProfile
) -> list[_Connections]:
    if not profile.can_be_usual:
        return []
    counted = [each for each in new if each.port in SENSITIVE_PORTS or not profile.learning]
    answered = {edge: new[edge][contacts.is_connection[new[edge]]] for edge in counted}
    clients = {edge: contacts.texts(contacts.clients(each).tolist()) for edge, each in answered.items()}
    return [_Connections(edge, answered[edge], clients[edge]) for edge in counted]


def _inspect(here: _AtInterface, scanners: Places, state: StateView) -> list[ScannerConnection]:
    sources = sorted({client for each in here.connections for client in each.clients})[:MOST_SOURCES]
    days = here.profile.day, here.profile.day - 1
    keys = {scanner_key(each, when): each for each in sources for when in days}
    items = state.read(keys) if keys else {}
    known = {*scanners, *(keys[key] for key, sets in items.items() if is_scanner(sets, here.least))}
    by_source = _by_source(here, known | {keys[key] for key in items})
    for source in sorted({keys[key] for key in items} - known)[:MOST_CANDIDATES]:
        if _remember(here, state, items.keys(), source, by_source.get(source, ())):
            known.add(source)
    hits = [contact for source in sorted(known & by_source.keys()) for contact in by_source[source]]
    services = grouped(here.contacts.flows(hits), lambda d: (d.server, d.flow.protocol, d.service_port))
    connected = [
        report(here.profile.role, group, here.least, Service(*where[1:]), here.contacts.tally(all_of))
        for where, group in services.items()
        if (all_of := [each for each in hits if place_of(each) == where])
    ]
    return [*connected, *_earlier(here, scanners)]


def _remember(
    here: _AtInterface, state: StateView, items: Collection[str], source: str, connections: Sequence[Contact]
) -> bool:
    """Store the connections of a candidate; return whether it is known as a scanner by now.

    Written to the items of today and of the day on which it was refused: either the batch that adds the
    missing refusals sees the connections, or this batch sees the refusals.
    """
    keys = {scanner_key(source, here.profile.day)} | {scanner_key(source, here.profile.day - 1)} & set(items)
    marks = sorted({mark(each.server, each.protocol, each.port) for each in connections})[:MOST_MARKS]
    connected, until = {CONNECTED: frozenset(marks)}, SCANNERS.kept_until(here.profile.day * DAY)
    added = [state.add(Addition(key, connected, until)) for key in sorted(keys) if marks]
    return any(is_scanner(sets, here.least) for sets in added)


def _by_source(here: _AtInterface, wanted: Collection[str]) -> dict[str, list[Contact]]:
    """The individual connections of some sources."""
    found: defaultdict[str, list[Contact]] = defaultdict(list)
    for connections in here.connections:
        of_wanted = connections.contacts[[each in wanted for each in connections.clients]]
        peers = repeat(connections.edge.peer)
        for contact in here.contacts.one_by_one(of_wanted[:MOST_CONTACTS].tolist(), peers):
            found[contact.client].append(contact)
    return dict(found)


def _earlier(here: _AtInterface, scanners: Places) -> Iterator[ScannerConnection]:
    """A finding for each service that a scanner connected to before it was known as a scanner."""
    for source, marks in sorted(scanners.items()):
        of_server = grouped(_refusals(here, source), lambda d: server_hash(d.server)) if marks else {}
        for number in sorted(marks):
            server, protocol, port = read_mark(number)
            if server in of_server:
                yield report(here.profile.role, of_server[server], here.least, Service(protocol, port))


def _refusals(here: _AtInterface, source: str) -> list[DirectedFlow]:
    """A flow of each refused contact of an internet host at this interface."""
    clients = here.contacts.texts(here.contacts.clients(here.refused).tolist())
    return here.contacts.flows_of(here.refused[[each == source for each in clients]][:MOST_PLACES])


def report(
    role: str, flows: Sequence[DirectedFlow], places: int, service: Service, tally: Tally | None = None
) -> ScannerConnection:
    """The finding about a server, with its role and the service that answered an internet host.

    `flows` are those that succeeded or, if these came before the refusals of `places`, the refused ones;
    `tally` sums up more of them.
    """
    sample = FlowSample.of([replace(each, verdict=by_scanner(each.verdict)) for each in flows])
    sample = replace(sample, tally=tally or sample.tally)
    day = sample.tally.first and sample.tally.first // DAY
    window = None if day is None else Window((day - 1) * DAY, (day + 1) * DAY)
    return DETECTOR.finding(
        subject=sample.example.server,
        peer_class=PeerClass.INTERNET,
        service=service,
        sample=replace(sample, window=window),
        facts=Facts(role=role, limit=places),
    )


def text(finding: ScannerConnection) -> Text:
    """The finding in words."""
    server, source, facts = finding.subject, finding.main_client, finding.facts
    is_here = finding.main_service.number in {short_service(*each) for each, _ in finding.tally.services}
    refused = f"refused at {facts.limit} or more host/port pairs"
    return Text(
        summary=f"{source}, refused at many host/port pairs, connected to {finding.service} at {server}.",
        because=(
            f"{source} is on the internet and initiated the connection {evidence(finding.example)}; "
            f"the server answered{'' if is_here else ', before this batch'}; {source} was {refused}; "
            f"the internet does not usually reach this service of the server's role ({facts.role})"
        ),
        likely="a port opened by mistake or by an intruder",
        counted=f"{refused} on this day or before{'' if is_here else ', connected before this batch'}",
        brief=f"scanner {source} connected to {finding.main_service.number} at {server}",
        query_terms=narrowed(finding, server, source),
    )


DETECTOR: Final = Detector(
    name="scanner-connected",
    summary="a scanner from the internet connected to a service that the internet does not usually reach",
    severity=Severity.HIGH,
    shares=Shares.CLIENTS,
    technique="T1190",
    thresholds=("scanner_destinations",),
    needs=frozenset({Need.BASELINE}),
    inhibits=("internet-to-private",),
    state=(BASELINES, SCANNERS),
    finds=("scan-hit", "thin-scan-hit"),
    runbook=(
        "If {service} at {subject} must not be reachable from the internet, close it now.",
        "Check the connection of {client}; then search for {subject} alone: what it did afterward.",
        "If {service} is meant to be public, no action is required: regular users make it usual in two days.",
    ),
    detect=detect,
    text=text,
)
