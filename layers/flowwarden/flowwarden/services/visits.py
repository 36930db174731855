"""Visits: internet hosts that were refused all over, and got through to what the internet does not reach."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flowwarden.detection import scan_hit
from flowwarden.detection.baseline import Edge
from flowwarden.detection.contacts import MOST_CONTACTS, Contacts
from flowwarden.detection.evidence import DAY, Addition, Sets
from flowwarden.detection.findings import Finding
from flowwarden.detection.selection import grouped
from flowwarden.detection.thresholds import Thresholds
from flowwarden.network.addresses import PeerClass
from flowwarden.records.tokens import Integers
from flowwarden.services.evidence import EvidenceBook
from flowwarden.services.familiar import Familiar

MOST_SCANNERS: Final = 16
"""Internet hosts that a batch remembers at an interface, so that a flood of them is no flood of writes."""
MOST_VISITS: Final = 48
"""Visitors at an interface that a batch asks the table about: two keys each, and one call takes a hundred."""

SUSPECTED: Final = 3
"""Places of an interface that refuse an internet host in one batch before these are remembered: most of the
noise tries one or two. Of who tries fifteen, a batch may hold three."""

REFUSED_AT: Final = "refused-at"


def inspect(
    evidence: EvidenceBook,
    contacts: Contacts,
    new: Mapping[Edge, Integers],
    familiar: Familiar,
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
    known = scanners | {keys[key] for key, sets in items.items() if _is_scanner(sets, least)}
    of_known = ((edge, groups[[each in known for each in clients]]) for edge, groups, clients in visits)
    hits = [
        contact
        for edge, groups in of_known
        for contact in contacts.one_by_one(groups[:MOST_CONTACTS], str(edge[-1]))
    ]
    services = grouped(contacts.flows(hits), lambda d: (d.server, d.flow.protocol, d.service_port))
    return [scan_hit.report(familiar.role, group, least) for group in services.values()]


def _scanners(evidence: EvidenceBook, contacts: Contacts, day: int, least: int) -> set[str]:
    """Internet hosts that were refused all over on a day; of those nothing more is written."""
    found = set()
    for visitor, places in contacts.refused_visitors(min(SUSPECTED, least), MOST_SCANNERS).items():
        enough = frozenset(sorted(places)[:least])
        addition = Addition(_scanner(visitor, day), {REFUSED_AT: enough}, (day + 2) * DAY)
        known = evidence.known(addition.key)
        if _is_scanner(known, least) or _is_scanner(evidence.add(addition), least):
            found.add(visitor)
    return found


def _is_scanner(sets: Sets, least: int) -> bool:
    return len(sets.get(REFUSED_AT, frozenset())) >= least


def _visits(
    contacts: Contacts, new: Mapping[Edge, Integers], familiar: Familiar
) -> list[tuple[Edge, Integers, list[str]]]:
    """What the internet asked the host for that it does not usually, and got, with who it was."""
    if not familiar.tells:
        return []
    return [
        (edge, *contacts.answered_visits(groups))
        for edge, groups in new.items()
        if edge[0] == "in" and edge[-1] == PeerClass.INTERNET
        if edge[2] in scan_hit.GRAVE or not familiar.learning
    ]


def _scanner(visitor: str, day: int) -> str:
    """The item of an internet host that was refused at several places on a day."""
    return f"scanner#{day}#{visitor}"
