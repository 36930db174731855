"""Visits: internet hosts that were refused all over, and got through to what the internet does not reach."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from flowwarden.monitor.baseline.baseline import Edge
from flowwarden.monitor.baseline.profile import RoleProfile
from flowwarden.monitor.caches.state import StateCache
from flowwarden.monitor.detectors import scanner_connected
from flowwarden.monitor.findings import Finding
from flowwarden.monitor.traffic.contacts import MOST_CONTACTS, Contact, Contacts
from flowwarden.monitor.traffic.selection import grouped
from flowwarden.network.addresses import PeerClass
from flowwarden.policy.detection import Thresholds
from flowwarden.records.columnar.tokenizer import Integers
from flowwarden.state.schema import MOST_SCANNERS, MOST_SUSPECTS, SCANNERS
from flowwarden.state.sets import DAY, Addition, Sets, fingerprint

MOST_VISITS: Final = 48
"""Visitors at an interface that a batch asks the table about: two keys each, and one call takes a hundred."""

SUSPECTED: Final = 3
"""Places of an interface that refuse an internet host in one batch before these are remembered: most of the
noise tries one or two. Of who tries fifteen, a batch may hold three."""

REFUSED_AT, VISITED = SCANNERS.sets

MOST_MARKS: Final = 16
"""Services that are remembered of one of them."""
_SERVER_AT, _PROTOCOL_AT = 24, 16
"""Bits of a mark: 24 of the server's hash, 8 of the protocol, 16 of the port."""


def inspect(
    evidence: StateCache,
    contacts: Contacts,
    new: Mapping[Edge, Integers],
    familiar: RoleProfile,
    day: int,
    thresholds: Thresholds,
) -> list[Finding]:
    """A finding for each service at an interface that a scanner got through to.

    Args:
        evidence: what is remembered of scanners, a day at a time.
        contacts: of the interface in a batch.
        new: those of them that are not usual for its role, by edge.
        familiar: what is known of the host.
        day: of the traffic.
        thresholds: the user's.
    """
    least = thresholds.scan_hit_places
    scanners = _scanners(evidence, contacts, day, least)
    visits = _visits(contacts, new, familiar)
    visitors = sorted({each for _, _, clients in visits for each in clients})[:MOST_VISITS]
    keys = {_scanner(each, when): each for each in visitors for when in (day, day - 1)}
    items = evidence.recall(keys) if keys else {}
    known = {*scanners, *(keys[key] for key, sets in items.items() if _is_scanner(sets, least))}
    of_visitor = _by_visitor(contacts, visits, known | {keys[key] for key in items})
    for visitor in sorted({keys[key] for key in items} - known)[:MOST_SUSPECTS]:
        wanted = {_scanner(visitor, day)} | {_scanner(visitor, day - 1)} & items.keys()
        if _remembered(evidence, wanted, of_visitor.get(visitor, ()), day, least):
            known.add(visitor)
    hits = [contact for visitor in sorted(known & of_visitor.keys()) for contact in of_visitor[visitor]]
    services = grouped(contacts.flows(hits), lambda d: (d.server, d.flow.protocol, d.service_port))
    found = [scanner_connected.report(familiar.role, group, least) for group in services.values()]
    return found + _earlier(contacts, scanners, familiar.role, least)


def _remembered(
    evidence: StateCache, keys: Iterable[str], visits: Sequence[Contact], day: int, least: int
) -> bool:
    """Remember the visits of a suspect, and say whether he is known for a scanner by now.

    In the items of today and of the day on which he was refused: whoever adds to these the refusals that are
    missing sees the visits, or this sees the refusals.
    """
    marks = frozenset(sorted({_mark(each) for each in visits})[:MOST_MARKS])
    additions = [
        Addition(key, {VISITED: marks}, SCANNERS.kept_until(day * DAY)) for key in sorted(keys) if marks
    ]
    added = [evidence.add(each) for each in additions]
    return any(_is_scanner(sets, least) for sets in added)


def _by_visitor(
    contacts: Contacts, visits: Sequence[tuple[Edge, Integers, list[str]]], wanted: Collection[str]
) -> dict[str, list[Contact]]:
    """The visits of some visitors one by one."""
    found: defaultdict[str, list[Contact]] = defaultdict(list)
    for edge, groups, clients in visits:
        of_wanted = groups[[each in wanted for each in clients]]
        for contact in contacts.one_by_one(of_wanted[:MOST_CONTACTS], str(edge[-1])):
            found[contact.client].append(contact)
    return dict(found)


def _earlier(
    contacts: Contacts, scanners: Mapping[str, frozenset[int]], role: str, least: int
) -> list[Finding]:
    """A finding for each service that a scanner got through to before anybody knew him for one."""
    found = []
    for visitor, marks in sorted(scanners.items()):
        of_server = grouped(contacts.refusals(visitor), lambda d: _hash(d.server)) if marks else {}
        for mark in sorted(marks):
            server, protocol, port = mark >> _SERVER_AT, mark >> _PROTOCOL_AT & 0xFF, mark & 0xFFFF
            if server in of_server:
                found.append(scanner_connected.report_late(role, of_server[server], least, protocol, port))
    return found


def _mark(visit: Contact) -> int:
    """A server, as a hash, and its service: what has to be told of a visit later."""
    return _hash(visit.server) << _SERVER_AT | visit.protocol << _PROTOCOL_AT | visit.port


def _hash(server: str) -> int:
    return fingerprint(server) >> _SERVER_AT


def _scanners(evidence: StateCache, contacts: Contacts, day: int, least: int) -> dict[str, frozenset[int]]:
    """Internet hosts that were refused all over on a day; of those nothing more is written.

    With the marks of the visits that they had before; once by a container, or each refusal of a day told the
    same visit again.
    """
    found = {}
    for visitor, places in contacts.refused_visitors(min(SUSPECTED, least), MOST_SCANNERS).items():
        enough = frozenset(sorted(places)[:least])
        addition = Addition(_scanner(visitor, day), {REFUSED_AT: enough}, SCANNERS.kept_until(day * DAY))
        if _is_scanner(evidence.known(addition.key), least):
            found[visitor] = frozenset[int]()
        elif _is_scanner(sets := evidence.add(addition), least):
            found[visitor] = sets.get(VISITED, frozenset())
    return found


def _is_scanner(sets: Sets, least: int) -> bool:
    return len(sets.get(REFUSED_AT, frozenset())) >= least


def _visits(
    contacts: Contacts, new: Mapping[Edge, Integers], familiar: RoleProfile
) -> list[tuple[Edge, Integers, list[str]]]:
    """What the internet asked the host for that it does not usually, and got, with who it was."""
    if not familiar.tells:
        return []
    return [
        (edge, *contacts.answered_visits(groups))
        for edge, groups in new.items()
        if edge[0] == "in" and edge[-1] == PeerClass.INTERNET
        if edge[2] in scanner_connected.GRAVE or not familiar.learning
    ]


def _scanner(visitor: str, day: int) -> str:
    """The item of an internet host that was refused at several places on a day."""
    return SCANNERS.key_of(day, visitor)
