"""A queue of future events, by their second."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

from msgspec import Struct

from benchmarks.evaluation.generator.conversations import Talk


class Leftover(Struct, frozen=True):
    """A packet on a connection that the security groups no longer track."""

    talk: Talk
    at: int
    """Unix seconds."""
    packets: int


class Agenda:
    """Accepts events in any order, and returns them in order of time."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Talk | Leftover]] = []
        self._count = 0

    def put(self, thing: Talk | Leftover) -> None:
        """Add an event."""
        at = thing.begin if isinstance(thing, Talk) else thing.at
        self._count += 1
        heappush(self._heap, (at, self._count, thing))

    def due(self, until: int) -> Iterator[Talk | Leftover]:
        """Remove and return all events before a second."""
        heap = self._heap
        while heap and heap[0][0] < until:
            yield heappop(heap)[2]
