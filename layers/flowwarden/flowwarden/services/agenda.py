"""What is to be looked at again, for one run: read once, written where something changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flowwarden.compliance.pending import Cursor, Pending
from flowwarden.compliance.report import Outcome, Result
from flowwarden.compliance.triggers import FRESH_SECONDS, Trigger
from flowwarden.errors import StateUnavailable
from flowwarden.ports import EnforcerMemory
from flowwarden.services.looking import World
from flowwarden.services.planning import Planned


class Agenda:
    """The list of pending VPCs and the sweep's cursor, as they were when the run began."""

    def __init__(self, memory: EnforcerMemory, *, dry_run: bool = False) -> None:
        self._memory = memory
        self._dry_run = dry_run
        self.pending: dict[str, Pending] = {}
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

    def put(self, pending: Pending) -> bool:
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

    def settle(self, vpc_id: str, again: Pending | None) -> None:
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


def left(
    planned: Sequence[Planned], outcomes: Sequence[Outcome], agenda: Agenda, now: int
) -> Iterator[Outcome]:
    """VPCs of an event that there was no time for: a scheduled look sees to them."""
    done = {each.vpc_id for each in outcomes}
    for vpc_id in (each.vpc_id for each in planned if each.vpc_id not in done):
        reason = "AWS throttles, and the time of this run is over: looked at again soon"
        agenda.put(Pending(vpc_id=vpc_id, due=now, reason=reason))
        yield Outcome(result=Result.PENDING, vpc_id=vpc_id, reason=reason, retryable=True)


def missing(
    wanted: Sequence[str], world: World, trigger: Trigger, agenda: Agenda, now: int
) -> Iterator[Outcome]:
    """VPCs that EC2 does not show: not yet, if they were created a moment ago; otherwise not any more."""
    shown = {each.vpc_id for each in world.vpcs}
    for vpc_id in wanted:
        if vpc_id in shown:
            continue
        if trigger.is_newborn(vpc_id, now):
            reason = "created a moment ago and not visible yet"
            agenda.put(Pending(vpc_id=vpc_id, due=now + FRESH_SECONDS, reason=reason))
            yield Outcome(result=Result.PENDING, vpc_id=vpc_id, reason=reason, retryable=True)
        else:
            agenda.settle(vpc_id, None)
            yield Outcome(result=Result.GONE, vpc_id=vpc_id, reason="EC2 does not know it: deleted meanwhile")
