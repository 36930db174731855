"""Internet hosts that a batch refuses, and which of them may be scanners.

Most background noise tries one or two places of an interface, and so does a scan that is spread over many
interfaces. Only a count over all interfaces distinguishes them, but storing every source would cost a write
for each. So a container remembers the places of each source, and stores those of likely scanners only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

import numpy as np

from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.traffic.contacts import Contacts
from flowwarden.network.direction import INTERNET, Directions
from flowwarden.network.services import EPHEMERAL
from flowwarden.records.columnar.group_by import Groups
from flowwarden.records.columnar.tokenizer import Integers
from flowwarden.state.schema import MOST_SCANNERS

MOST_PLACES: Final = 100
"""Maximum places per internet host that are counted; no threshold is higher."""
CANDIDATE_REFUSALS: Final = 3
"""An internet host that so many places of an interface refuse in one batch is stored at once. Of a scanner
that tries fifteen, a batch may contain three."""
SHARE: Final = 0.5
"""The share of the limit from which the places that a container remembers are stored. So a scan is found if
two containers each saw half of it."""
MOST_SEEN: Final = 64
"""Maximum internet hosts per interface and batch that a container remembers, those with the most places
first.
"""
_NONE: Final = np.empty(0, np.int64)


def refused_internet(contacts: Contacts, directions: Directions) -> Integers:
    """The contacts of internet hosts that were refused at the server's own interface."""
    (refused,) = contacts.refused.nonzero()
    rows = contacts.lead_rows(refused)
    mine = contacts.inbound(rows) & (directions.client_class[rows] == INTERNET)
    # A server's late reply to a client port is not an attempt; without flags it looks like one.
    mine &= directions.service_port[rows] < EPHEMERAL
    attempts: Integers = refused[mine]
    return attempts


def worth_storing(
    contacts: Contacts,
    refused: Integers,
    state: StateView,
    day: int,
    least: int,
    stored_of: Callable[[str], int],
) -> Iterator[tuple[str, frozenset[int]]]:
    """The internet hosts that may be scanners, with the fingerprints of at most `least` places.

    At most `MOST_SCANNERS`, those with the most places in the batch first.

    Args:
        contacts: of the batch.
        refused: those of internet hosts that an interface refused.
        state: remembers the places that this container saw.
        day: days since 1970.
        least: the number of places that identifies a scanner.
        stored_of: the number of places of a host that this container has stored.
    """
    half, many = round(SHARE * least), min(CANDIDATE_REFUSALS, least)
    stored = 0
    for source, places in _places(contacts, refused).items():
        together = state.remembered(f"{day}#{source}", places)
        worth = len(places) >= many
        if not worth and len(together) >= half:  # of most sources, a container has seen fewer
            worth = len(together) >= (least if stored_of(source) >= half else half)
        if worth and stored < MOST_SCANNERS:
            stored += 1
            yield source, frozenset(sorted(together)[:least])


def _places(contacts: Contacts, refused: Integers) -> dict[str, frozenset[int]]:
    """Internet hosts that were refused, with the fingerprints of the places.

    At most `MOST_SEEN` hosts, those with the most places first, and `MOST_PLACES` of each.
    """
    groups = Groups(contacts.clients(refused), ordered=True)
    (many,) = (groups.sizes >= CANDIDATE_REFUSALS).nonzero()
    ranks = sorted(
        zip(
            (-groups.sizes[many]).tolist(),
            contacts.texts(groups.keys[many].tolist()),
            many.tolist(),
            strict=True,
        )
    )
    (few,) = (groups.sizes < CANDIDATE_REFUSALS).nonzero()
    few = few[: max(0, MOST_SEEN - len(ranks))]
    chosen = [
        *((name, number) for _, name, number in ranks[:MOST_SEEN]),
        *zip(contacts.texts(groups.keys[few].tolist()), few.tolist(), strict=True),
    ]
    most = [(name, groups.members(number)[:MOST_PLACES]) for name, number in chosen]
    # One call for all: a batch can contain many sources, and each call costs more than a place.
    members = np.concatenate([_NONE, *(each for _, each in most)])
    places = iter(contacts.places(refused[members]))
    return {name: frozenset(islice(places, len(each))) for name, each in most}
