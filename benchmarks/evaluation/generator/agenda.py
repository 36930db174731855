"""The agenda: what is going to happen at a given second, kept until its time has come."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

from msgspec import Struct

from benchmarks.evaluation.generator.conversations import Talk


class Leftover(Struct, frozen=True):
    """A packet on a connection that security groups have forgotten."""

    talk: Talk
    at: int
    """Unix seconds."""
    packets: int


class Agenda:
    """Takes what is to come in any order, and gives it in that of time."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Talk | Leftover]] = []
        self._count = 0

    def put(self, thing: Talk | Leftover) -> None:
        """Note something."""
        at = thing.begin if isinstance(thing, Talk) else thing.at
        self._count += 1
        heappush(self._heap, (at, self._count, thing))

    def due(self, until: int) -> Iterator[Talk | Leftover]:
        """All that happens before a second; it is off the agenda then."""
        heap = self._heap
        while heap and heap[0][0] < until:
            yield heappop(heap)[2]
