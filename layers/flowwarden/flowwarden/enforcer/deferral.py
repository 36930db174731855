"""VPCs that a run defers to a later one, each with its outcome and its requeued work item. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from flowwarden.enforcer.execute.result import StepResult
from flowwarden.enforcer.modes import RUN_MODES
from flowwarden.enforcer.observe import Observed
from flowwarden.enforcer.planner import Planned
from flowwarden.enforcer.reporting.report import Result, VpcOutcome
from flowwarden.enforcer.state.stack import Stack
from flowwarden.enforcer.triggers.trigger import FRESH_SECONDS, Trigger
from flowwarden.enforcer.work_queue import WorkItem
from flowwarden.errors import CallRefused, EnforcementError

MINUTE = 60


def new_vpcs(trigger: Trigger, grace_minutes: int, stack: Stack, now: int) -> list[StepResult]:
    """New VPCs of this account in their grace period, during which their creator may cover them."""
    # An event with a future timestamp must not defer its VPC forever.
    until = min(trigger.happened_at or now, now) + grace_minutes * MINUTE
    reason = f"new: its creator has {grace_minutes} min to create a flow log"
    if until <= now:
        return []
    return [
        _pending(WorkItem(vpc_id=each.vpc_id, due=until, reason=reason, grace_until=until))
        for each in trigger.vpcs
        if each.owner_id in {"", stack.account_id}
    ]


def not_shown(targets: Collection[str], observed: Observed, trigger: Trigger, now: int) -> list[StepResult]:
    """VPCs that EC2 does not list: not visible yet if they were just created, otherwise deleted."""
    shown = {each.vpc_id for each in observed.vpcs} | observed.all_unlisted.keys()
    return [_not_shown(each, trigger, now) for each in targets if each not in shown]


def unfinished(planned: Sequence[Planned], done: Collection[str | None], now: int) -> list[StepResult]:
    """VPCs of an event that the run had no time for: the next retry handles them."""
    reason = "AWS throttled the calls and this run ran out of time: retried soon"
    return [
        _pending(WorkItem(vpc_id=each.vpc_id, due=now, reason=reason), retryable=True)
        for each in planned
        if each.vpc_id not in done
    ]


def unlisted(targets: Sequence[str] | None, trigger: Trigger, error: Exception, now: int) -> list[StepResult]:
    """The results of a failed listing: a failure, retried if it may be transient."""
    mode = RUN_MODES[trigger.kind]
    named: Sequence[str | None] = targets if targets and mode.vpcs == "named" else (None,)
    return [_unlisted(each, error, now, requeues=mode.requeues_rest) for each in named]


def unlisted_apart(failed: Mapping[str | None, EnforcementError], now: int) -> list[StepResult]:
    """The same for single VPCs about which EC2 does not answer; None stands for an unknown number."""
    return [_unlisted(vpc_id, error, now, requeues=True) for vpc_id, error in failed.items()]


def _unlisted(vpc_id: str | None, error: Exception, now: int, *, requeues: bool) -> StepResult:
    passes, reason = not isinstance(error, CallRefused), str(error)
    item = None
    if vpc_id is not None and passes and requeues:
        item = WorkItem(vpc_id=vpc_id, due=now, reason=reason, failing_since=now)
    outcome = VpcOutcome(result=Result.FAILED, vpc_id=vpc_id, reason=reason, retryable=passes)
    return StepResult(outcome=outcome, requeue_after=item)


def _not_shown(vpc_id: str, trigger: Trigger, now: int) -> StepResult:
    if trigger.was_just_created(vpc_id, now):
        reason = "just created and not visible yet"
        return _pending(WorkItem(vpc_id=vpc_id, due=now + FRESH_SECONDS, reason=reason), retryable=True)
    reason = "not found in EC2: deleted in the meantime"
    return StepResult(outcome=VpcOutcome(result=Result.GONE, vpc_id=vpc_id, reason=reason))


def _pending(item: WorkItem, *, retryable: bool = False) -> StepResult:
    """A pending result for the work item, with the item's reason."""
    outcome = VpcOutcome(result=Result.PENDING, vpc_id=item.vpc_id, reason=item.reason, retryable=retryable)
    return StepResult(outcome=outcome, requeue_after=item)
