"""Unreadable parts of stored items and of AWS's responses: counted each time, logged once per container.

One bad member must not fail a batch or a run, and must not stay unnoticed either. So an adapter ignores it
and notes it here, and the service takes the notes at the end for its metric and its log.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from flowwarden.printable import one_line

CLOCKS: Final = 300
"""Seconds by which the clocks of two containers can differ: a stored time may be ahead by no more."""
REMEMBERED: Final = 1000
"""Notes that are not named again; beyond that, the oldest are."""
NAMED: Final = 20
"""Notes of a batch or a run that are named; the others are counted."""


class Notes(Struct, frozen=True):
    """The notes of one batch or run."""

    count: int
    """All of them, repetitions included."""
    named: tuple[str, ...]
    """Those that were not named before, one line each."""


NOTHING: Final = Notes(0, ())


class Unreadable:
    """Collects notes. One per container and source, so that each is named once."""

    def __init__(self) -> None:
        self._count = 0
        self._new: dict[str, None] = {}
        self._named: dict[str, None] = {}

    def note(self, where: str, what: str) -> None:
        """Note that something was ignored.

        Args:
            where: the key of the item, or the call and the resource.
            what: the member and what is wrong with it, such as `sent_at is not a whole number`.
        """
        self._count += 1
        note = one_line(f"{where}: {what}")
        if note not in self._named and len(self._new) < NAMED:
            self._new[note] = None

    def take(self) -> Notes:
        """The notes since the last call."""
        notes = Notes(self._count, tuple(self._new))
        self._named |= self._new
        while len(self._named) > REMEMBERED:
            del self._named[next(iter(self._named))]
        self._count, self._new = 0, {}
        return notes
