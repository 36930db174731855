"""The VPCs that a run observes, and the outcomes of those that it could not observe."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from flowwarden.enforcer import deferral
from flowwarden.enforcer.execute.result import StepResult
from flowwarden.enforcer.modes import RUN_MODES
from flowwarden.enforcer.observe import Observed
from flowwarden.enforcer.reporting import recurring
from flowwarden.enforcer.reporting.report import Result, VpcOutcome
from flowwarden.enforcer.triggers.trigger import Trigger
from flowwarden.enforcer.work_queue import Cursor, WorkQueue
from flowwarden.errors import CallRefused


def targets_of(
    trigger: Trigger, queue: WorkQueue, deferred: Collection[str | None], now: int
) -> list[str] | None:
    """The VPCs to observe, None for all of them."""
    mode = RUN_MODES[trigger.kind]
    if mode.resumes_sweep:
        return queue.due(now) if queue.cursor is None else None
    if mode.vpcs != "named":
        return None
    return [each.vpc_id for each in trigger.vpcs if each.vpc_id not in deferred]


def missing(
    targets: Sequence[str] | None, observed: Observed, trigger: Trigger, queue: WorkQueue, now: int
) -> list[VpcOutcome]:
    """The outcomes of VPCs that EC2 does not list, or about which it does not answer."""
    outcomes = settle(deferral.not_shown(targets or (), observed, trigger, now), queue)
    apart = settle(deferral.unlisted_apart(observed.all_unlisted, now), queue)
    return outcomes + recurring.unlisted(apart, trigger)


def unlisted(
    targets: Sequence[str] | None, trigger: Trigger, queue: WorkQueue, error: Exception, now: int
) -> list[VpcOutcome]:
    """The outcomes of a failed EC2 listing; if a sweep may succeed later, the next retry repeats it."""
    outcomes = settle(deferral.unlisted(targets, trigger, error, now), queue)
    if RUN_MODES[trigger.kind].keeps_cursor and all(each.retryable for each in outcomes):
        queue.stop_at(Cursor(after=""), now)
    return recurring.unlisted(outcomes, trigger)


def list_again(observed: Observed, trigger: Trigger, queue: WorkQueue, now: int) -> None:
    """Let the next retry repeat a sweep that could not list all VPCs, if it may succeed later."""
    error, mode = observed.unlisted.get(None), RUN_MODES[trigger.kind]
    if error is not None and not isinstance(error, CallRefused) and (mode.keeps_cursor or mode.resumes_sweep):
        queue.stop_at(Cursor(after=""), now)


def settle(results: Sequence[StepResult], queue: WorkQueue) -> list[VpcOutcome]:
    """Requeue VPCs to check again, complete those that are gone, and return the outcomes."""
    for each in results:
        if each.requeue_after is not None:
            queue.requeue(each.requeue_after)
        elif each.outcome.result is Result.GONE and each.outcome.vpc_id is not None:
            queue.complete(each.outcome.vpc_id)
    return [each.outcome for each in results]
