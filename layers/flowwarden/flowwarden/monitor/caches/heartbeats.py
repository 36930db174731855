"""The interfaces that a container has seen, by log group and slot of `state.heartbeats`. Memory only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flowwarden.state.heartbeats import SLOT

WRITE_AT: Final = 1320
"""Seconds of a slot after which a container writes it, once: each interface has written a window of 10
minutes by then, and records arrive minutes late. What is new after that waits for the next slot. If a
container ends before it writes, others have seen the same interfaces: an interface writes many batches in 90
min."""
SPREAD: Final = 300
"""Seconds within which containers write, not all at once: they add to the same items."""
REPEAT_SECONDS: Final = 300
"""Seconds after a failed write."""
WRITES_AT_ONCE: Final = 8
"""The first writes of a container do not wait: many containers process only a few batches."""
MOST_SEEN: Final = 1000
"""Maximum interfaces of a slot that a batch can add: more than any batch of flow logs contains. A slice of a
replay can contain more; the next slices add the others."""


class GroupHeartbeats:
    """The interfaces that a container has seen in one log group, as their numbers (`state.heartbeats`)."""

    def __init__(self, begin: int) -> None:
        """Begin with the current slot."""
        self.unwritten: dict[int, set[int]] = {}
        """Interfaces that were seen but are not in the state table yet, by slot."""
        self._written: dict[int, set[int]] = {}
        self._writes = 0
        self._write_again = 0
        """Unix seconds of the next write."""
        self.watermark = 0
        """The latest slot of `state.watermarks` that was written."""
        self.judged = begin - 1
        """The last slot that was checked for silent interfaces."""

    def see(self, sightings: Mapping[int, set[int]], oldest: int) -> None:
        """Record sightings by slot, and drop the slots before the oldest one in use."""
        for slot, numbers in sightings.items():
            new = numbers - self._written.get(slot, set()) - self.unwritten.get(slot, set())
            if slot >= oldest and new:
                self.unwritten.setdefault(slot, set()).update(sorted(new)[:MOST_SEEN])
        for register in (self.unwritten, self._written):
            for slot in [each for each in register if each < oldest]:
                del register[slot]

    def is_due(self, now: int) -> bool:
        """Whether a write is due at this time (Unix seconds)."""
        return now >= self._write_again

    def mark_written(self, now: int, *, complete: bool) -> None:
        """Record a write; after the first ones, the next one is due in the next slot.

        Args:
            now: Unix seconds.
            complete: whether the state table now contains all sightings; else a batch soon after repeats it.
        """
        self._writes += 1
        if not complete:
            self._write_again = now + REPEAT_SECONDS
            return
        if self._writes >= WRITES_AT_ONCE:
            slot = (now - WRITE_AT) // SLOT + 1
            self._write_again = slot * SLOT + WRITE_AT + now % SPREAD
        for slot, numbers in self.unwritten.items():
            self._written.setdefault(slot, set()).update(numbers)
        self.unwritten.clear()


class HeartbeatCache:
    """The interfaces that a container has seen, by log group."""

    def __init__(self) -> None:
        self._groups: dict[str, GroupHeartbeats] = {}

    def of(self, log_group: str, slot: int) -> GroupHeartbeats:
        """The heartbeats of a log group; a new log group begins in the given, current slot."""
        return self._groups.setdefault(log_group, GroupHeartbeats(slot))
