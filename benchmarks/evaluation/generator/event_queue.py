"""A queue of future events, by their second."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

from msgspec import Struct

from benchmarks.evaluation.generator.conversations import Conversation


class UntrackedPacket(Struct, frozen=True):
    """A packet on a connection that the security groups no longer track."""

    conversation: Conversation
    at: int
    """Unix seconds."""
    packets: int


class EventQueue:
    """Accepts events in any order, and returns them in order of time."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Conversation | UntrackedPacket]] = []
        self._count = 0

    def put(self, event: Conversation | UntrackedPacket) -> None:
        """Add an event."""
        at = event.begin if isinstance(event, Conversation) else event.at
        self._count += 1
        heappush(self._heap, (at, self._count, event))

    def due(self, until: int) -> Iterator[Conversation | UntrackedPacket]:
        """Remove and return all events before a second."""
        heap = self._heap
        while heap and heap[0][0] < until:
            yield heappop(heap)[2]
