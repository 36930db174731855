"""The work queue: VPCs that a later run must check again, and where a sweep stopped.

State that EC2 can report is never stored. A run reads the queue once and writes only changes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Protocol, Self

from msgspec import Struct

from flowwarden.errors import StateUnavailable
from flowwarden.unreadable import CLOCKS, Unreadable

FAILED_AFTER_SECONDS: Final = 15 * 60
"""How long a transient failure is only retried before it counts as a failure."""
LONGEST_SECONDS: Final = 2 * 24 * 3600
"""How far ahead an item's times can be: no grace period and no hold lasts longer than a day."""


class WorkItem(Struct, frozen=True, kw_only=True):
    """One VPC that must be checked again."""

    vpc_id: str
    due: int
    """The earliest time of the check; Unix seconds."""
    reason: str
    failing_since: int = 0
    """Since when its calls fail with transient errors; Unix seconds, 0 if they do not."""
    throttled_at: int = 0
    """When it was last requeued because of throttling; 0 if it was not."""
    grace_until: int = 0
    """End of the grace period in which the creator of the VPC may cover it."""
    backoff_configuration: str = ""
    """The configuration of a replacement that failed to deliver."""
    backoff_until: int = 0
    """Until when that configuration is not retried; Unix seconds."""

    def is_plausible(self, now: int) -> bool:
        """Whether its times can be true at this time (Unix seconds).

        None is negative, none of the past is ahead, and none of the future is further ahead than any period.
        """
        begun = [self.failing_since, self.throttled_at]
        ends = [self.due, self.grace_until, self.backoff_until]
        return min(begun + ends) >= 0 and max(begun) <= now + CLOCKS and max(ends) <= now + LONGEST_SECONDS


class Cursor(Struct, frozen=True, kw_only=True):
    """Where a sweep stopped because time ran out."""

    after: str
    """The id of the last VPC handled; VPCs are handled in the order of their ids."""


BEGINNING: Final = Cursor(after="")
"""A sweep that continues there handles every VPC."""
_VPC_ID: Final = re.compile("vpc-[0-9a-z]+")


class WorkQueueStore(Protocol):
    """The store of the queue between runs. All methods raise StateUnavailable."""

    def load(self) -> tuple[Sequence[WorkItem], Cursor | None]:
        """The queued VPCs, due or not, and where a sweep stopped, if one did. Costs one read."""

    def put(self, item: WorkItem) -> None:
        """Add or replace the item of a VPC."""

    def remove(self, vpc_id: str) -> None:
        """Remove a VPC; does nothing if it is not queued."""

    def put_cursor(self, cursor: Cursor | None, now: int) -> None:
        """Store where the sweep stopped; None if it completed. `now` is Unix seconds."""


class WorkQueue:
    """The queue within one run: as loaded at its start, with the changes of the run."""

    def __init__(
        self,
        store: WorkQueueStore,
        items: Sequence[WorkItem] = (),
        cursor: Cursor | None = None,
        *,
        unavailable: bool = False,
        dry_run: bool = False,
    ) -> None:
        self._store = store
        self._dry_run = dry_run
        self.items = {each.vpc_id: each for each in items}
        self.cursor = cursor
        self.unavailable = unavailable
        """Whether the state table was unavailable, so that something could not be requeued."""

    @classmethod
    def load(
        cls,
        store: WorkQueueStore,
        now: int | None = None,
        unreadable: Unreadable | None = None,
        *,
        dry_run: bool = False,
    ) -> Self:
        """Read the queue; it is empty if the state table is unavailable. A dry run writes nothing.

        Args:
            store: the store.
            now: Unix seconds. An item with a time that cannot be true at this time is removed, because it
                could defer its VPC forever; the sweep checks every VPC anyway.
            unreadable: where such an item is noted.
            dry_run: whether the run only plans.
        """
        try:
            items, cursor = store.load()
        except StateUnavailable:
            return cls(store, unavailable=True, dry_run=dry_run)
        if cursor is not None and cursor != BEGINNING and not _VPC_ID.fullmatch(cursor.after):
            # After any other text, a sweep could leave out every VPC.
            if unreadable is not None:
                unreadable.note("sweep cursor", "is not the id of a VPC")
            cursor = BEGINNING
        queue = cls(store, items, cursor, dry_run=dry_run)
        for each in items:
            if now is not None and not each.is_plausible(now):
                queue._leave_out(each, unreadable)
        return queue

    def _leave_out(self, item: WorkItem, unreadable: Unreadable | None) -> None:
        if unreadable is not None:
            unreadable.note(f"work item of {item.vpc_id}", "has a time that cannot be true")
        self.complete(item.vpc_id)
        self.items.pop(item.vpc_id, None)  # also in a dry run, and if the table does not answer

    def due(self, now: int) -> list[str]:
        """The VPCs that are due."""
        return [each.vpc_id for each in self.items.values() if each.due <= now]

    def requeue(self, item: WorkItem) -> bool:
        """Put a VPC into the queue, unless an equal item is queued. Returns whether it is queued afterward.

        A dry run queues it only for this run.
        """
        if self.items.get(item.vpc_id) == item:
            return True
        try:
            if not self._dry_run:
                self._store.put(item)
        except StateUnavailable:
            self.unavailable = True
            return False
        self.items[item.vpc_id] = item
        return True

    def complete(self, vpc_id: str) -> None:
        """Remove a VPC from the queue, if it is queued."""
        if vpc_id not in self.items or self._dry_run:
            return
        try:
            self._store.remove(vpc_id)
        except StateUnavailable:
            # The VPC is checked once more than necessary.
            return
        del self.items[vpc_id]

    def stop_at(self, cursor: Cursor | None, now: int) -> None:
        """Store where the sweep stopped; None if it completed."""
        if cursor == self.cursor or self._dry_run:
            return
        try:
            self._store.put_cursor(cursor, now)
        except StateUnavailable:
            self.unavailable = True
        self.cursor = cursor
