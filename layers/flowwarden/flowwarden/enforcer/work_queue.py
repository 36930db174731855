"""What is to be looked at again, for one run: read once, written where something changes."""

from __future__ import annotations

from flowwarden.enforcer.ports import EnforcerMemory
from flowwarden.enforcer.work_item import Cursor, WorkItem
from flowwarden.errors import StateUnavailable


class WorkQueue:
    """The list of pending VPCs and the sweep's cursor, as they were when the run began."""

    def __init__(self, memory: EnforcerMemory, *, dry_run: bool = False) -> None:
        self._memory = memory
        self._dry_run = dry_run
        self.pending: dict[str, WorkItem] = {}
        self.cursor: Cursor | None = None
        self.forgotten = False
        """Whether the state table did not answer, so that something could not be put off."""
        try:
            found, self.cursor = memory.recall()
            self.pending = {each.vpc_id: each for each in found}
        except StateUnavailable:
            self.forgotten = True

    def due(self, now: int) -> list[str]:
        """The VPCs whose time has come."""
        return [each.vpc_id for each in self.pending.values() if each.due <= now]

    def put(self, pending: WorkItem) -> bool:
        """Put a VPC on the list, unless it stands there just so; whether it stands there.

        In a dry run it stands there for this run alone.
        """
        if self.pending.get(pending.vpc_id) == pending:
            return True
        try:
            if not self._dry_run:
                self._memory.remember(pending)
        except StateUnavailable:
            self.forgotten = True
            return False
        self.pending[pending.vpc_id] = pending
        return True

    def settle(self, vpc_id: str, again: WorkItem | None) -> None:
        """Put a VPC on the list, or take it from there."""
        if again is not None:
            self.put(again)
        elif vpc_id in self.pending and not self._dry_run:
            try:
                self._memory.forget(vpc_id)
            except StateUnavailable:
                # It is looked at once more than it needs.
                return
            del self.pending[vpc_id]

    def stop_at(self, cursor: Cursor | None, now: int) -> None:
        """Remember where the sweep stopped; None if it came to its end."""
        if cursor == self.cursor or self._dry_run:
            return
        try:
            self._memory.stop_at(cursor, now)
        except StateUnavailable:
            self.forgotten = True
        self.cursor = cursor
