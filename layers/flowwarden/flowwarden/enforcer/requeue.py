"""VPCs that a run could not see to: put on the list, so that a scheduled look does, and what is said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flowwarden.enforcer.modes import mode_of
from flowwarden.enforcer.observe import World
from flowwarden.enforcer.planning import Planned
from flowwarden.enforcer.reporting.report import Outcome, Result
from flowwarden.enforcer.triggers.trigger import FRESH_SECONDS, Trigger
from flowwarden.enforcer.work_item import Cursor, Pending
from flowwarden.enforcer.work_queue import Agenda
from flowwarden.errors import CallRefused


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


def unseen(
    wanted: Sequence[str] | None, trigger: Trigger, agenda: Agenda, error: Exception, now: int
) -> list[Outcome]:
    """Nothing could be listed, so nothing can be said: a failure, tried again if it may pass."""
    mode = mode_of(trigger.kind)
    passes = not isinstance(error, CallRefused)
    if passes and mode.keeps_cursor:
        agenda.stop_at(Cursor(after=""), now)
    if passes and mode.requeues_rest:
        for vpc_id in wanted or ():
            agenda.put(Pending(vpc_id=vpc_id, due=now, reason=str(error), failing_since=now))
    named: Sequence[str | None] = wanted if wanted and mode.vpcs == "named" else (None,)
    return [Outcome(result=Result.FAILED, vpc_id=each, reason=str(error), retryable=passes) for each in named]
