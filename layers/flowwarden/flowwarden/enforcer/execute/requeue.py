"""Makes the work items with which a later run continues or retries what concerns one VPC. Pure."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from flowwarden.enforcer.decide.plan import Verify, Wait
from flowwarden.enforcer.execute.result import StepResult
from flowwarden.enforcer.planner import Planned
from flowwarden.enforcer.reporting.report import Result, VpcOutcome
from flowwarden.enforcer.work_queue import FAILED_AFTER_SECONDS, WorkItem
from flowwarden.notify.text import plural

SOON_SECONDS: Final = 120
"""Delay before a transient failure is retried."""


def requeue(
    vpc_id: str, reason: str, before: WorkItem | None, now: int, *, throttled: bool = False
) -> StepResult:
    """The result of a transient failure: retried soon, and reported as failed only if it has lasted."""
    item = soon(vpc_id, reason, before, now)
    if throttled:
        item = replace(item, due=now, throttled_at=now)
    lasts = now - item.failing_since >= FAILED_AFTER_SECONDS
    outcome = VpcOutcome(
        result=Result.FAILED if lasts else Result.PENDING, vpc_id=vpc_id, reason=reason, retryable=True
    )
    return StepResult(outcome=outcome, requeue_after=item)


def soon(vpc_id: str, reason: str, before: WorkItem | None, now: int) -> WorkItem:
    """The work item for a transient failure, which keeps since when the VPC fails."""
    since = (before.failing_since if before is not None else 0) or now
    item = backoff(before, now) or WorkItem(vpc_id=vpc_id, due=now, reason=reason)
    return replace(item, due=now + SOON_SECONDS, reason=reason, failing_since=since)


def after(planned: Planned, step: Wait | Verify, before: WorkItem | None) -> WorkItem:
    """The work item for a step that waits; an item that is already queued and due earlier stays."""
    now = planned.vpc_state.at
    due = now + step.after
    if before is not None and now < before.due <= due:
        return before
    held = backoff(before, now)
    if held is not None:
        return replace(held, due=due, reason=step.reason)
    return WorkItem(vpc_id=step.vpc_id, due=due, reason=step.reason)


def backoff(before: WorkItem | None, now: int) -> WorkItem | None:
    """The queued backoff of a failed replacement, which must stay in the queue; None if there is none."""
    if before is None or not before.backoff_configuration or before.backoff_until <= now:
        return None
    return replace(before, failing_since=0, throttled_at=0)


def continued(planned: Planned, left: int, item: WorkItem | None) -> WorkItem:
    """The work item with which the next retry deletes the flow logs that this run left."""
    now, reason = planned.vpc_state.at, f"{plural(left, 'flow log')} left to delete"
    return replace(item or WorkItem(vpc_id=planned.vpc_id, due=now, reason=reason), due=now, reason=reason)
