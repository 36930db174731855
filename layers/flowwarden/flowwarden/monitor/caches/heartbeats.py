"""Which interfaces a container has seen, by log group and slot of `state.heartbeats`. Pure memory."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Final

WRITE_SECONDS: Final = 600
"""How long a container waits before it writes heartbeats again, so that they cost a few writes in ten minutes
and not one a batch. What a container loses when it ends others have seen: interfaces write many batches in an
hour and a half."""
MOST_SEEN: Final = 1000
"""Interfaces of a slot that a batch adds: more than any batch that flow logs write has."""


class GroupHeartbeats:
    """What a container knows of one log group. Interfaces stand by their numbers."""

    def __init__(self, begin: int) -> None:
        """Begin in a slot."""
        self.unwritten: dict[int, set[int]] = {}
        """Interfaces that were seen and are not in the state table yet, by slot."""
        self._written: dict[int, set[int]] = {}
        self._write_again = 0
        """Unix seconds."""
        self.judged = begin
        """The last slot in whose traffic silent interfaces were looked for. That in which a container begins
        counts: what another container had seen and not written when it ended is seen again by the next slot.
        """

    def see(self, sightings: Mapping[int, set[int]], oldest: int) -> None:
        """Keep what was seen, by slot, and forget the slots before the oldest one that is asked for."""
        for slot, numbers in sightings.items():
            new = numbers - self._written.get(slot, set())
            if slot >= oldest and new:
                self.unwritten.setdefault(slot, set()).update(islice(new, MOST_SEEN))
        for register in (self.unwritten, self._written):
            for slot in [each for each in register if each < oldest]:
                del register[slot]

    def is_due(self, now: int) -> bool:
        """Whether it is time (Unix seconds) to write."""
        return now >= self._write_again

    def mark_written(self, now: int, *, complete: bool) -> None:
        """It was written, so it is not due for the next `WRITE_SECONDS`.

        Args:
            now: Unix seconds.
            complete: whether the state table has all that was seen.
        """
        self._write_again = now + WRITE_SECONDS
        if not complete:
            return
        for slot, numbers in self.unwritten.items():
            self._written.setdefault(slot, set()).update(numbers)
        self.unwritten.clear()


class HeartbeatCache:
    """What a container knows of all log groups."""

    def __init__(self) -> None:
        self._groups: dict[str, GroupHeartbeats] = {}

    def of(self, log_group: str, slot: int) -> GroupHeartbeats:
        """What is known of a log group; the slot is the present one, in which a new log group begins."""
        return self._groups.setdefault(log_group, GroupHeartbeats(slot))
