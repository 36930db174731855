"""Merges sources by time: reads on where the records are earliest.

A folder can have one file for an hour or one for an interface, whose records of a week lie side by side. A
source is opened when its first record is due, and closed at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush
from typing import Final

from msgspec import Struct

from flowwarden.replay.timed import Timed

MOST_OPEN: Final = 400
"""Sources that are read at once: a process can usually open 1,024 files."""


class Source(Struct, frozen=True):
    """A source of lines, not opened yet."""

    name: str
    first: int
    """Unix seconds of its first records."""
    read: Callable[[], Iterator[Timed]]


class Piece(Struct, frozen=True):
    """Some lines, and up to when everything was read."""

    timed: Timed
    read_until: int
    """Unix seconds: later lines are rarely older."""


def merged(sources: Sequence[Source], most_open: int = MOST_OPEN) -> Iterator[Piece]:
    """The lines of all sources, roughly by time."""
    waiting = sorted(sources, key=lambda each: (each.first, each.name), reverse=True)
    under_way: list[tuple[int, int, Iterator[Timed]]] = []
    opened = 0
    while waiting or under_way:
        while waiting and len(under_way) < most_open and _is_due(waiting[-1], under_way):
            source = waiting.pop()
            heappush(under_way, (source.first, opened, source.read()))
            opened += 1
        position, number, lines = heappop(under_way)
        timed = next(lines, None)
        if timed is None:
            continue
        # Not the latest time: after a record with a time far ahead, all others would be late.
        position = max(position, timed.middle or position)
        heappush(under_way, (position, number, lines))
        read_until = under_way[0][0]
        yield Piece(timed, min(read_until, waiting[-1].first) if waiting else read_until)


def _is_due(source: Source, under_way: Sequence[tuple[int, int, Iterator[Timed]]]) -> bool:
    return not under_way or source.first <= under_way[0][0]
