"""VPCs that a run could not see to: put on the list, so that a scheduled look does, and what is said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flowwarden.enforcer.modes import RUN_MODES
from flowwarden.enforcer.observe import Observed
from flowwarden.enforcer.planning import Planned
from flowwarden.enforcer.reporting.report import Result, VpcOutcome
from flowwarden.enforcer.triggers.trigger import FRESH_SECONDS, Trigger
from flowwarden.enforcer.work_item import Cursor, WorkItem
from flowwarden.enforcer.work_queue import WorkQueue
from flowwarden.errors import CallRefused


def left(
    planned: Sequence[Planned], outcomes: Sequence[VpcOutcome], agenda: WorkQueue, now: int
) -> Iterator[VpcOutcome]:
    """VPCs of an event that there was no time for: a scheduled look sees to them."""
    done = {each.vpc_id for each in outcomes}
    for vpc_id in (each.vpc_id for each in planned if each.vpc_id not in done):
        reason = "AWS throttles, and the time of this run is over: looked at again soon"
        agenda.put(WorkItem(vpc_id=vpc_id, due=now, reason=reason))
        yield VpcOutcome(result=Result.PENDING, vpc_id=vpc_id, reason=reason, retryable=True)


def missing(
    wanted: Sequence[str], world: Observed, trigger: Trigger, agenda: WorkQueue, now: int
) -> Iterator[VpcOutcome]:
    """VPCs that EC2 does not show: not yet, if they were created a moment ago; otherwise not any more."""
    shown = {each.vpc_id for each in world.vpcs}
    for vpc_id in wanted:
        if vpc_id in shown:
            continue
        if trigger.is_newborn(vpc_id, now):
            reason = "created a moment ago and not visible yet"
            agenda.put(WorkItem(vpc_id=vpc_id, due=now + FRESH_SECONDS, reason=reason))
            yield VpcOutcome(result=Result.PENDING, vpc_id=vpc_id, reason=reason, retryable=True)
        else:
            agenda.settle(vpc_id, None)
            yield VpcOutcome(
                result=Result.GONE, vpc_id=vpc_id, reason="EC2 does not know it: deleted meanwhile"
            )


def unseen(
    wanted: Sequence[str] | None, trigger: Trigger, agenda: WorkQueue, error: Exception, now: int
) -> list[VpcOutcome]:
    """Nothing could be listed, so nothing can be said: a failure, tried again if it may pass."""
    mode = RUN_MODES[trigger.kind]
    passes = not isinstance(error, CallRefused)
    if passes and mode.keeps_cursor:
        agenda.stop_at(Cursor(after=""), now)
    if passes and mode.requeues_rest:
        for vpc_id in wanted or ():
            agenda.put(WorkItem(vpc_id=vpc_id, due=now, reason=str(error), failing_since=now))
    named: Sequence[str | None] = wanted if wanted and mode.vpcs == "named" else (None,)
    return [
        VpcOutcome(result=Result.FAILED, vpc_id=each, reason=str(error), retryable=passes) for each in named
    ]
