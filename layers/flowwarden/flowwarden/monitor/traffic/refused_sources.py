"""Internet hosts that a batch refuses, and which of them may be scanners.

Most background noise tries one or two places of an interface, and so does a scan that is spread over many
interfaces. Only a count over all interfaces distinguishes them, but storing every source would cost a write
for each. So a container remembers the places of each source, and stores those of likely scanners only: all
places from half of the limit on. If a place is new to the container, it reads the item of the source. So a
container continues where another one ended, and a retry finds what the first attempt found.

A scanner of the day before is one again from half of the limit on: most scanners come every day, and counting
them anew costs several writes each. Its item of the day then also contains places of the day before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Final

import numpy as np
from msgspec import Struct

from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.measured import Measured
from flowwarden.monitor.traffic.contacts import Contacts
from flowwarden.network.direction import INTERNET, Directions
from flowwarden.network.services import EPHEMERAL
from flowwarden.records.columnar.group_by import Groups
from flowwarden.records.columnar.tokenizer import Integers
from flowwarden.state.schema import MOST_SCANNERS, SCANNERS
from flowwarden.state.sets import DAY, Addition, Sets

MOST_PLACES: Final = 100
"""Maximum places per internet host that are counted; no threshold is higher."""
CANDIDATE_REFUSALS: Final = 3
"""An internet host that so many places of an interface refuse in one batch is stored at once. Of a scanner
that tries fifteen, a batch may contain three."""
SHARE: Final = 0.5
"""The share of the limit from which the places that a container remembers are stored, each of them. So a scan
is found if two containers each saw half of it, and a container that ends loses less than half."""
MOST_SEEN: Final = 64
"""Maximum internet hosts per interface and batch that a container remembers, those with most places first."""
MOST_READ: Final = 100
"""Maximum internet hosts of a batch that are looked up, in one call: DynamoDB accepts 100 keys."""
REFUSED_AT, CONNECTED = SCANNERS.sets
_NONE: Final = np.empty(0, np.int64)

type Places = Mapping[str, frozenset[int]]
"""Internet hosts that were refused, with the fingerprints of the places."""


@lru_cache(maxsize=2**12)
def scanner_key(source: str, day: int) -> str:
    """The key of the item about an internet host on a day (since 1970), also in the container's memory."""
    return SCANNERS.key_of(day, source)


def is_scanner(sets: Sets, least: int) -> bool:
    """Whether at least so many places refused the host of an item."""
    return measured(len(sets.get(REFUSED_AT, frozenset())), least).reached


def measured(places: int, least: int) -> Measured:
    """The places that refused an internet host, against the limit."""
    return Measured(
        what="host/port pairs that refused the internet host, on this day or the day before",
        value=places,
        limit=least,
        threshold="scanner_destinations",
    )


def known_refusals(state: StateView, source: str, day: int) -> int:
    """The places that are known to have refused an internet host on a day or the day before, at most."""
    stored = (state.known(scanner_key(source, when)).get(REFUSED_AT, frozenset()) for when in (day, day - 1))
    return max(len(state.refused(scanner_key(source, day))), *map(len, stored))


def refused_internet(contacts: Contacts, directions: Directions) -> Integers:
    """The contacts of internet hosts that were refused at the server's own interface."""
    (refused,) = contacts.refused.nonzero()
    rows = contacts.lead_rows(refused)
    mine = contacts.inbound(rows) & (directions.client_class[rows] == INTERNET)
    # A server's late reply to a client port is not an attempt; without flags it looks like one.
    mine &= directions.service_port[rows] < EPHEMERAL
    attempts: Integers = refused[mine]
    return attempts


class LookedUp(Struct, frozen=True):
    """Which of a batch's hosts were looked up."""

    found: frozenset[str]
    """Those with an item."""
    left_out: frozenset[str]
    """Those beyond `MOST_READ`: the next batch with them looks them up."""


def look_up(refused: Iterable[Places], state: StateView, day: int, least: int) -> LookedUp:
    """Read what other containers stored about hosts that new places refused.

    Costs one call for a batch. Hosts with many places are not read: storing them returns the whole item.
    """
    many = min(CANDIDATE_REFUSALS, least)
    by_source = [(source, places) for each in refused for source, places in each.items()]
    new = {
        source: scanner_key(source, day)
        for source, places in by_source
        if len(places) < many and not places <= state.refused(scanner_key(source, day))
    }
    sources, room = [*new], MOST_READ * state.breadth
    earlier = _of_yesterday(by_source, state, day, least)[: max(0, room - len(sources))]
    items = state.look_up([*(new[each] for each in sources[:room]), *earlier])
    left_out = frozenset(sources[room:])
    state.unread += len(left_out)
    return LookedUp(frozenset(each for each in sources[:room] if new[each] in items), left_out)


def _of_yesterday(
    refused: Sequence[tuple[str, frozenset[int]]], state: StateView, day: int, least: int
) -> list[str]:
    """The keys of the day before of the hosts that are scanners today if they were then."""
    half = round(SHARE * least)
    together: dict[str, frozenset[int]] = {}
    for source, places in refused:
        together[source] = together[source] | places if source in together else places
    return [
        scanner_key(source, day - 1)
        for source, places in together.items()
        if _together(places, state.refused(scanner_key(source, day))) >= half
        if not any(is_scanner(state.known(scanner_key(source, when)), least) for when in (day - 1, day))
    ]


def _together(some: frozenset[int], others: frozenset[int]) -> int:
    """The number of places in either set."""
    return len(some | others) if others else len(some)


def scanners(
    refused: Places, looked_up: LookedUp, state: StateView, day: int, least: int
) -> dict[str, frozenset[int]]:
    """Internet hosts that were refused at enough places on a day; nothing more is stored about them.

    Half of them are enough for a scanner of the day before.

    Includes the marks of their earlier connections, once per container; otherwise each refusal of a day would
    report the same connection again. A host that the table already has as a scanner has them only if the
    places of the batch are among those that made it one: then this is a retry.

    Args:
        refused: the hosts that an interface refused, with the places.
        looked_up: see `look_up`; hosts that it left out are not inspected.
        state: what the containers know of the hosts.
        day: days since 1970.
        least: the number of places that identifies a scanner.
    """
    found: dict[str, frozenset[int]] = {}
    until = SCANNERS.kept_until(day * DAY)
    inspected = {source: each for source, each in refused.items() if source not in looked_up.left_out}
    for source, places, together in _worth_storing(inspected, state, day, least):
        key = scanner_key(source, day)
        known = state.known(key)
        if is_scanner(known, least):
            is_retry = source in looked_up.found and places <= known[REFUSED_AT]
            found[source] = known.get(CONNECTED, frozenset()) if is_retry else frozenset()
            continue
        yesterday = state.known(scanner_key(source, day - 1))
        is_again = is_scanner(yesterday, least) and len(together) >= round(SHARE * least)
        earlier = yesterday[REFUSED_AT] - together if is_again else frozenset()
        # The places of the batch are stored in any case, so that a retry of it finds them.
        some = [*sorted(places), *sorted(together - places), *sorted(earlier)][:least]
        sets = state.add(Addition(key, {REFUSED_AT: frozenset(some)}, until))
        if is_scanner(sets, least):
            found[source] = sets.get(CONNECTED, frozenset())
    return found


def _worth_storing(
    refused: Places, state: StateView, day: int, least: int
) -> Iterator[tuple[str, frozenset[int], frozenset[int]]]:
    """The hosts that may be scanners, with the places of the batch and all that are known.

    At most `MOST_SCANNERS`, those with the most places in the batch first.
    """
    half, many = round(SHARE * least), min(CANDIDATE_REFUSALS, least)
    stored = 0
    for source, places in refused.items():
        key = scanner_key(source, day)
        together = state.remembered(key, places)
        if known := state.known(key).get(REFUSED_AT):
            together |= known
        worth = len(places) >= many or len(together) >= half
        if worth and stored < MOST_SCANNERS:
            stored += 1
            yield source, places, together


def refused_places(contacts: Contacts, refused: Integers) -> dict[str, frozenset[int]]:
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
