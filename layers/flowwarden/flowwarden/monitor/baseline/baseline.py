"""Baselines: what interfaces of a role do on ordinary days.

An edge is a direction, a protocol, a service's port and what the far end is. It is learned only from
contacts that were answered, on the day of the traffic; it is established once it was seen on `DAYS_SEEN`
days before. So what somebody tries is never learned, and what he does has to go unnoticed for two days
before it passes for usual.
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
"""Distinct days before an edge is established. One would make every incident usual on the day after."""
LEARNING_DAYS: Final = 14
"""Two weeks hold each day of the week twice. Until a role is that old, most of what it does looks new."""
DAYS_TAUGHT: Final = 7
"""Distinct days on which a role taught anything, before it counts as known: one day two weeks ago is not two
weeks, and who works on weekdays has ten of them."""

(EDGES,) = BASELINES.sets


class Edge(NamedTuple):
    """What a host does with others, as far as a baseline tells it apart."""

    way: Way
    protocol: int
    port: int
    """The service's."""
    peer: str
    """What the far end is; see `peers.peer_of`."""


type Way = Literal["in", "out"]
"""Whether others ask the host, or the host asks others."""
type EdgeKind = tuple[object, ...]
"""Stands for all edges that have something in common: their first parts, or one of those below."""
LISTENS: Final[EdgeKind] = ("in",)
GOES_OUT: Final[EdgeKind] = ("out", PeerClass.INTERNET)
"""Stands for all edges to the internet, by whatever protocol and port."""


class Baseline(Struct, frozen=True, dict=True):
    """What was learned of a role, as far as it counts on a day."""

    day: int
    """Days since 1970."""
    seen: Mapping[int, frozenset[int]]
    """The fingerprints of edges by day, of days before."""

    @property
    def learning(self) -> bool:
        """Whether the role is too young for what is new to mean anything."""
        return len(self.seen) < DAYS_TAUGHT or self.day - min(self.seen) < LEARNING_DAYS

    @property
    def tells(self) -> bool:
        """Whether it is old enough for anything to be usual: until then all is new."""
        return len(self.seen) >= DAYS_SEEN

    def knows(self, edge: Edge | EdgeKind) -> bool:
        """Whether it is usual for the role."""
        return fingerprint(*edge) in self._established

    def new_among(self, edges: Sequence[int]) -> list[int]:
        """The positions of those edges, by their fingerprints, that are not usual for the role."""
        usual = self._established
        # Mostly all are usual, which sets tell without a loop.
        return [] if usual.issuperset(edges) else [at for at, each in enumerate(edges) if each not in usual]

    def days_of(self, edge: Edge | EdgeKind) -> int:
        """On how many days it was seen."""
        number = fingerprint(*edge)
        return sum(number in numbers for numbers in self.seen.values())

    @cached_property
    def _established(self) -> set[int]:
        """Whole days at once: a month of a role has tens of thousands of edges, mostly the same ones."""
        seen_on: list[set[int]] = [set() for _ in range(DAYS_SEEN)]  # on one day, on two, …
        for numbers in self.seen.values():
            # An edge goes up by a day at a time; most of them are at the top already.
            rising = numbers - seen_on[-1]
            for day in seen_on:
                again = rising & day
                day.update(rising)
                rising = again
        return seen_on[-1]


def kinds_of(edge: Edge) -> list[EdgeKind]:
    """What an edge is an example of: the same service wherever it is, listening, and going out."""
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
    """Put together what items hold."""
    seen = {keys[key]: sets[EDGES] for key, sets in items.items() if EDGES in sets}
    return Baseline(day, seen)


def learned(role: str, day: int, edges: frozenset[Edge]) -> Addition:
    """What a batch teaches about a role: its edges, and what they are examples of."""
    numbers = frozenset(fingerprint(*each) for edge in edges for each in (edge, *kinds_of(edge)))
    return Addition(BASELINES.key_of(role, day), {EDGES: numbers}, BASELINES.kept_until(day * DAY))
