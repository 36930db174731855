"""Baselines: the usual contacts of the interfaces of a role.

An edge is a direction, a protocol, a service port and the kind of the far end. It is learned only from
answered contacts, on the day of the traffic, and is established once it was seen on `DAYS_SEEN` earlier days.
So failed attempts are never learned, and an intruder's successful contacts must go undetected for two days
before they count as usual.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final, Literal, NamedTuple

from msgspec import Struct

from flowwarden.network.addresses import PeerClass
from flowwarden.state.schema import BASELINES, DAYS_READ
from flowwarden.state.sets import DAY, Addition, Sets, fingerprint

DAYS_SEEN: Final = 2
"""Distinct days before an edge is established. With one day, every incident would be usual the day after."""
LEARNING_DAYS: Final = 14
"""Two weeks contain each day of the week twice. In a younger role, most behaviour looks new."""
DAYS_TAUGHT: Final = 7
"""Distinct days with learned edges before a role counts as known: one day two weeks ago is not two weeks, and
a role that works on weekdays has ten."""

(EDGES,) = BASELINES.sets


class Edge(NamedTuple):
    """A kind of contact of a host, as far as a baseline distinguishes it."""

    way: Way
    protocol: int
    port: int
    """The service port."""
    peer: str
    """The kind of the far end; see `peers.peer_of`."""


type Way = Literal["in", "out"]
"""Whether others connect to the host, or the host connects to others."""
type EdgeKind = tuple[object, ...]
"""A group of edges that share their first elements, or one of the kinds below."""
LISTENS: Final[EdgeKind] = ("in",)
GOES_OUT: Final[EdgeKind] = ("out", PeerClass.INTERNET)
"""All edges to the internet, on any protocol and port."""


class Baseline(Struct, frozen=True, dict=True):
    """The learned behaviour of a role that counts on a day."""

    day: int
    """Days since 1970."""
    seen: Mapping[int, frozenset[int]]
    """The fingerprints of edges by day, for earlier days."""

    @property
    def learning(self) -> bool:
        """Whether the role is too young for new behaviour to mean anything."""
        return len(self.seen) < DAYS_TAUGHT or self.day - min(self.seen) < LEARNING_DAYS

    @property
    def can_be_usual(self) -> bool:
        """Whether the role is old enough for any behaviour to be usual; before that, all behaviour is new."""
        return len(self.seen) >= DAYS_SEEN

    def knows(self, edge: Edge | EdgeKind) -> bool:
        """Whether the edge is usual for the role."""
        return fingerprint(*edge) in self._established

    def new_among(self, edges: Sequence[int]) -> list[int]:
        """The positions of the edges, given by fingerprint, that are not usual for the role."""
        usual = self._established
        # Usually all are usual: a set comparison decides that without a loop.
        return [] if usual.issuperset(edges) else [at for at, each in enumerate(edges) if each not in usual]

    def days_of(self, edge: Edge | EdgeKind) -> int:
        """The number of days on which the edge was seen."""
        number = fingerprint(*edge)
        return sum(number in numbers for numbers in self.seen.values())

    @cached_property
    def _established(self) -> set[int]:
        """Processes whole days: a month of a role has tens of thousands of edges, most of them recurring."""
        seen_on: list[set[int]] = [set() for _ in range(DAYS_SEEN)]  # on one day, on two, …
        for numbers in self.seen.values():
            # An edge advances by one day at a time; most are at the top already.
            rising = numbers - seen_on[-1]
            for day in seen_on:
                again = rising & day
                day.update(rising)
                rising = again
        return seen_on[-1]


def kinds_of(edge: Edge) -> list[EdgeKind]:
    """The kinds of an edge: the same service on any host, listening, connecting to the internet."""
    kinds: list[EdgeKind] = [edge[:-1]]
    if edge.way == "in":
        kinds.append(LISTENS)
    elif edge.peer == PeerClass.INTERNET:
        kinds.append(GOES_OUT)
    return kinds


def keys_before(role: str, day: int) -> dict[str, int]:
    """The items that count on a day, with their days."""
    return {BASELINES.key_of(role, before): before for before in range(day - DAYS_READ, day)}


def baseline(day: int, keys: Mapping[str, int], items: Mapping[str, Sets]) -> Baseline:
    """The baseline built from items."""
    seen = {keys[key]: sets[EDGES] for key, sets in items.items() if sets.get(EDGES)}
    return Baseline(day, seen)


def learned(role: str, day: int, edges: frozenset[Edge]) -> Addition:
    """The addition that teaches these edges, and the kinds that they belong to, to a role."""
    numbers = frozenset(fingerprint(*each) for edge in edges for each in (edge, *kinds_of(edge)))
    return Addition(BASELINES.key_of(role, day), {EDGES: numbers}, BASELINES.kept_until(day * DAY))
