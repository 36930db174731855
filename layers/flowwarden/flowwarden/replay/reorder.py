"""A bounded reorder buffer: holds lines until their time slice is complete, and passes on whole slices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

import numpy as np
from msgspec import Struct

from flowwarden.records.columnar.tokenizer import Integers
from flowwarden.replay.merged import Piece
from flowwarden.replay.timed import Layouts, Timed

SLICE: Final = 600
"""Seconds of a slice: the aggregation interval of most flow logs, which is about what a batch contains."""
SLACK: Final = 900
"""Seconds by which a line can be older than the lines before it, and still gets into its slice."""
MOST_HELD: Final = 1_500_000
"""Lines held at most: about 450 MB."""


class Slice(Struct, frozen=True):
    """The lines whose records ended within a time."""

    begin: int
    """Unix seconds."""
    end: int
    """Unix seconds; not in the slice."""
    lines: dict[Layouts, Sequence[str]]
    """By the log formats that they may have, ordered by time."""
    late: int
    """Lines of an earlier slice, which was complete before they were read."""


class Reorder:
    """Collects lines by slice."""

    def __init__(self, seconds: int = SLICE, slack: int = SLACK, most_held: int = MOST_HELD) -> None:
        self._seconds = seconds
        self._slack = slack
        self._most = most_held
        self._slots: defaultdict[int, _Slot] = defaultdict(_Slot)
        self._untimed: list[Timed] = []
        """Lines of which none has a time; they go with the next slice."""
        self._held = 0
        self._next = 0
        """The first slot that was not passed on."""

    def slices(self, pieces: Iterable[Piece]) -> Iterator[Slice]:
        """The slices of all lines, in order; each when it is complete, or when too many lines are held."""
        for piece in pieces:
            self._add(piece.timed)
            yield from self._ready((piece.read_until - self._slack) // self._seconds)
            while self._slots and self._held > self._most:
                yield self._pass_on(min(self._slots))
        yield from self._ready(None)
        if self._untimed:
            yield self._pass_on(self._next)

    def _ready(self, before: int | None) -> Iterator[Slice]:
        while self._slots and (before is None or min(self._slots) < before):
            yield self._pass_on(min(self._slots))

    def _pass_on(self, number: int) -> Slice:
        slot = self._slots.pop(number, None) or _Slot()
        for untimed in self._untimed:
            slot.add(untimed, 0)
        self._untimed = []
        self._held -= slot.count
        self._next = number + 1
        begin = number * self._seconds
        return Slice(begin, begin + self._seconds, slot.ordered(), slot.late)

    def _add(self, timed: Timed) -> None:
        self._held += len(timed.lines)
        if timed.span is None:
            self._untimed.append(timed)
            return
        numbers = timed.times // self._seconds
        late = numbers < self._next
        numbers[late] = self._next
        if len(numbers) and (numbers == numbers[0]).all():
            self._slots[int(numbers[0])].add(timed, int(late.sum()))
            return
        order = np.argsort(numbers, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1):
            if len(rows):
                lines = [*map(timed.lines.__getitem__, rows.tolist())]
                some = Timed(timed.layouts, lines, timed.times[rows])
                self._slots[int(numbers[rows[0]])].add(some, int(late[rows].sum()))


class _Slot:
    """The lines of a slice until it is complete."""

    def __init__(self) -> None:
        self.count = 0
        self.late = 0
        self._parts: defaultdict[Layouts, list[Timed]] = defaultdict(list)

    def add(self, timed: Timed, late: int) -> None:
        """Add some lines."""
        self._parts[timed.layouts].append(timed)
        self.count += len(timed.lines)
        self.late += late

    def ordered(self) -> dict[Layouts, Sequence[str]]:
        """All lines by time."""
        return {layouts: _ordered(parts) for layouts, parts in self._parts.items()}


def _ordered(parts: Sequence[Timed]) -> list[str]:
    lines = [*chain.from_iterable(part.lines for part in parts)]
    times: Integers = np.concatenate([part.times for part in parts])
    order = np.argsort(times, kind="stable")
    return [*map(lines.__getitem__, order.tolist())]
