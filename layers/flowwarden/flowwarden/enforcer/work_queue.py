"""The work queue: VPCs that a later run has to look at again, and where a sweep stopped.

What EC2 can tell is never stored. One run reads the queue once and writes what changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol, Self

from msgspec import Struct

from flowwarden.errors import StateUnavailable

PATIENCE_SECONDS: Final = 15 * 60
"""How long what may pass by itself is only looked at again, before it counts as a failure."""


class WorkItem(Struct, frozen=True, kw_only=True):
    """One VPC that has to be looked at again."""

    vpc_id: str
    due: int
    """Not before then; Unix seconds."""
    reason: str
    failing_since: int = 0
    """Since when its calls fail in a way that may pass; Unix seconds, 0 if they do not."""
    throttled_at: int = 0
    """When it was last put back because its calls were throttled; 0 if they were not."""
    grace_until: int = 0
    """Until when whoever made the VPC may cover it."""
    backoff_configuration: str = ""
    """The configuration of a replacement that failed to deliver."""
    backoff_until: int = 0
    """Until when it is not tried again; Unix seconds."""


class Cursor(Struct, frozen=True, kw_only=True):
    """Where a sweep stopped because time ran out."""

    after: str
    """The id of the last VPC that was looked at; they are looked at in the order of their ids."""


class WorkQueueStore(Protocol):
    """Where the queue is kept between runs. All raise StateUnavailable."""

    def load(self) -> tuple[Sequence[WorkItem], Cursor | None]:
        """The VPCs to look at again, due or not, and where a sweep stopped, if one did. Costs one read."""

    def put(self, item: WorkItem) -> None:
        """Add a VPC, or change what is stored about it."""

    def remove(self, vpc_id: str) -> None:
        """Remove a VPC; nothing happens if it is not there."""

    def put_cursor(self, cursor: Cursor | None, now: int) -> None:
        """Store where the sweep stopped; None if it came to its end. `now` is Unix seconds."""


class WorkQueue:
    """The queue in one run, as it was when the run began and as the run changes it."""

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
        """Whether the state table did not answer, so that something could not be requeued."""

    @classmethod
    def load(cls, store: WorkQueueStore, *, dry_run: bool = False) -> Self:
        """Read the queue; it is empty if the state table does not answer. In a dry run nothing is written."""
        try:
            items, cursor = store.load()
        except StateUnavailable:
            return cls(store, unavailable=True, dry_run=dry_run)
        return cls(store, items, cursor, dry_run=dry_run)

    def due(self, now: int) -> list[str]:
        """The VPCs whose time has come."""
        return [each.vpc_id for each in self.items.values() if each.due <= now]

    def requeue(self, item: WorkItem) -> bool:
        """Put a VPC into the queue, unless it is in there just so; whether it is in there then.

        In a dry run it is in there for this run alone.
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
        """Remove a VPC from the queue, if it is in there."""
        if vpc_id not in self.items or self._dry_run:
            return
        try:
            self._store.remove(vpc_id)
        except StateUnavailable:
            # It is looked at once more than it needs.
            return
        del self.items[vpc_id]

    def stop_at(self, cursor: Cursor | None, now: int) -> None:
        """Store where the sweep stopped; None if it came to its end."""
        if cursor == self.cursor or self._dry_run:
            return
        try:
            self._store.put_cursor(cursor, now)
        except StateUnavailable:
            self.unavailable = True
        self.cursor = cursor
