"""Executes the plan of one VPC. Every step may be executed twice, or by two concurrent runs.

A response from EC2 is not trusted as the current state: after FlowLogAlreadyExists, and before anything is
deleted, the VPC is observed again. A call whose response is lost (timeout, throttling) may have succeeded;
the next observation shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from msgspec.structs import replace

from flowwarden.enforcer.decide.cost import about
from flowwarden.enforcer.decide.coverage import Coverage, CoverageVerdict
from flowwarden.enforcer.decide.drift import is_tagged, same_destination
from flowwarden.enforcer.decide.levels import observed_resources
from flowwarden.enforcer.decide.plan import Create, Delete, Notify, RollBack, Verify, Wait
from flowwarden.enforcer.decide.reasons import why_not
from flowwarden.enforcer.execute.backoff import has_time, with_backoff
from flowwarden.enforcer.execute.parts import CHANGED_AT_MOST, NAMED_AT_MOST, execute_parts
from flowwarden.enforcer.execute.recorded import RecordedFlowLogs, creation_of, meanwhile, still_recording
from flowwarden.enforcer.execute.requeue import after, backoff, continued, requeue, soon
from flowwarden.enforcer.execute.result import StepResult
from flowwarden.enforcer.planner import Planned, Planner
from flowwarden.enforcer.ports import FlowLogService, RunClock
from flowwarden.enforcer.registry import Registry
from flowwarden.enforcer.reporting.report import DELETED, Result, VpcOutcome
from flowwarden.enforcer.state.desired import BACKOFF_SECONDS, BACKOFF_TAG, backoff_tag
from flowwarden.enforcer.state.inventory import FlowLog, VpcResources, kind_of
from flowwarden.enforcer.triggers.trigger import Trigger
from flowwarden.enforcer.work_queue import WorkItem
from flowwarden.errors import (
    CallRefused,
    CallThrottled,
    EnforcementError,
    FlowLogExists,
    VpcGone,
)

RESULTS: Final = {
    Coverage.COVERED: Result.COVERED,
    Coverage.UNPROVEN: Result.PENDING,
    Coverage.SKIPPED: Result.SKIPPED,
    Coverage.EXEMPT: Result.EXEMPT,
    Coverage.BROKEN: Result.BROKEN,
    Coverage.UNCOVERED: Result.FAILED,
}
"""The result of a verdict that leads to no change."""


class FlowLogExecutor:
    """Executes the plan of one VPC."""

    def __init__(self, ec2: FlowLogService, planner: Planner, clock: RunClock, registry: Registry) -> None:
        self._ec2 = ec2
        self._planner = planner
        self._clock = clock
        self._registry = registry
        self._recorded = RecordedFlowLogs(ec2, registry, clock)

    def execute(self, planned: Planned, before: WorkItem | None, trigger: Trigger) -> StepResult:
        """Execute the plan; after a transient failure the VPC is requeued.

        A VPC that is still throttled after all attempts is requeued, too, and from then on comes after the
        others, so that it does not block them.
        """
        one = partial(self._try, before=before, trigger=trigger)
        done = execute_parts(planned, one, self._clock) if planned.parts else one(planned)
        creates = any(isinstance(step, Create) for step in planned.plan.steps)
        awaited = creates and done.outcome.result is Result.PENDING and done.outcome.retryable
        return replace(done, outcome=replace(done.outcome, awaited=awaited))

    def _try(self, planned: Planned, before: WorkItem | None, trigger: Trigger) -> StepResult:
        vpc_id, now = planned.vpc_id, planned.vpc_state.at
        try:
            return self._execute_steps(planned, before, trigger)
        except VpcGone as error:
            if trigger.was_just_created(vpc_id, now):
                reason = f"just created and not visible everywhere yet ({error})"
                return requeue(vpc_id, reason, before, now)
            return StepResult(outcome=_outcome(Result.GONE, vpc_id, f"deleted in the meantime ({error})"))
        except CallThrottled as error:
            return requeue(vpc_id, str(error), before, now, throttled=True)
        except CallRefused as error:
            return StepResult(outcome=_outcome(Result.FAILED, vpc_id, f"{error}{meanwhile(planned)}"))
        except EnforcementError as error:
            return requeue(vpc_id, str(error), before, now)

    def _execute_steps(self, planned: Planned, before: WorkItem | None, trigger: Trigger) -> StepResult:
        steps = planned.plan.steps
        outcome = _unchanged(planned, trigger)
        requeue_after = backoff(before, planned.vpc_state.at)
        remaining: dict[str, EnforcementError] = {}
        done: list[VpcOutcome] = []
        left = 0
        for step in steps:
            match step:
                case Create():
                    return self._create(planned, step, before, trigger)
                case Delete() if _deleted(done) == CHANGED_AT_MOST or not has_time(self._clock):
                    left += 1
                case Delete():
                    try:
                        done.append(self._delete(planned, step))
                    except EnforcementError as error:
                        remaining[step.flow_log_id] = error
                case RollBack():
                    return self._roll_back(planned, step)
                case Wait() | Verify():
                    requeue_after = after(planned, step, before)
                    outcome = outcome if outcome.earlier else _pending(outcome, step)
                case Notify():
                    flow_log_id = planned.plan.verdict.flow_log_id
                    outcome = _outcome(Result.BROKEN, step.vpc_id, step.reason, flow_log_id)
        outcome = _with_deletions(outcome, done)
        if left:
            requeue_after = continued(planned, left, requeue_after)
        result = StepResult(outcome=outcome, requeue_after=requeue_after)
        return _with_remaining(result, remaining, before, planned.vpc_state.at) if remaining else result

    def _create(
        self, planned: Planned, step: Create, before: WorkItem | None, trigger: Trigger
    ) -> StepResult:
        now = planned.vpc_state.at
        # An event without an id must not repeat the request of another event.
        token = step.flow_log.client_token(step.target, trigger.idempotency_key or f"at {now}")
        creation = creation_of(step, token, now)
        # After a deletion, coverage comes first: a decoy with the tag must not postpone it.
        replaced = () if trigger.is_deletion else still_recording(planned.vpc_state)
        try:
            flow_log_id = self._recorded.create(creation, replaced)
        except FlowLogExists as error:
            return self._after_conflict(planned, step, before, trigger, error)
        what = step.resource_id or kind_of(step.vpc_id)
        reason = f"{what} {step.reason}: created {flow_log_id}{about(step.monthly_dollars)}"
        verify = next((each for each in planned.plan.steps if isinstance(each, Verify)), None)
        return StepResult(
            outcome=_outcome(Result.CREATED, step.vpc_id, reason, flow_log_id),
            requeue_after=after(planned, verify, None) if verify else None,
        )

    def _after_conflict(
        self, planned: Planned, step: Create, before: WorkItem | None, trigger: Trigger, exists: FlowLogExists
    ) -> StepResult:
        """After EC2 reported that such a flow log exists: only the required one counts as success.

        A flow log that the event reports as deleted never counts, even while EC2 still lists it.
        """
        parts = self._fresh(planned, without=trigger.deleted)
        verdict = self._planner.replan(planned, parts).plan.verdict
        stack, now = planned.vpc_state.stack, planned.vpc_state.at
        if verdict.coverage is not Coverage.UNCOVERED:
            return StepResult(
                outcome=_of(verdict), requeue_after=soon(step.vpc_id, verdict.reason, before, now)
            )
        conflicting = [each for each in parts.flow_logs if same_destination(each, step.flow_log, stack)]
        if not conflicting:
            reason = f"{exists}; it is not listed yet, so it is unknown whether it is the required one"
            return requeue(step.vpc_id, reason, before, now)
        again = replace(planned.vpc_state, parts=parts)
        differences = "; ".join(why_not(each, again) for each in conflicting)
        reason = f"{exists}; conflicting flow log: {differences}; delete it if it is yours"
        return StepResult(outcome=_outcome(Result.CONFLICT, step.vpc_id, reason))

    def _delete(self, planned: Planned, step: Delete) -> VpcOutcome:
        """Delete the old managed flow log, if a second observation leads to the same step."""
        again = self._planner.replan(planned, self._fresh(planned))
        if step not in again.plan.steps:
            return _outcome(
                Result.PENDING, step.vpc_id, f"{step.flow_log_id} not deleted: {again.plan.verdict.reason}"
            )
        self._recorded.delete(step.flow_log_id, again.vpc_state)
        reason = f"deleted {step.flow_log_id}: {step.reason}"
        result = Result.REPLACED if again.vpc_state.selected else Result.REMOVED
        return _outcome(result, step.vpc_id, reason, again.plan.verdict.flow_log_id)

    def _roll_back(self, planned: Planned, step: RollBack) -> StepResult:
        """Delete the managed replacement that failed, if a second observation leads to the same step."""
        again = self._planner.replan(planned, self._fresh(planned))
        if step not in again.plan.steps:
            return StepResult(outcome=_outcome(Result.PENDING, step.vpc_id, again.plan.verdict.reason))
        now = planned.vpc_state.at
        kept = [each.flow_log_id for each in again.plan.verdict.replaced]
        # Store the backoff on the flow log, too, because the queue may be lost. EC2 may refuse the tag.
        with suppress(CallRefused):
            self._call(lambda: self._ec2.tag(kept, {BACKOFF_TAG: backoff_tag(step.configuration, now)}))
        self._recorded.delete(step.flow_log_id, again.vpc_state)
        item = WorkItem(
            vpc_id=step.vpc_id,
            due=now + BACKOFF_SECONDS,
            reason="the replacement failed to deliver",
            backoff_configuration=step.configuration,
            backoff_until=now + BACKOFF_SECONDS,
        )
        return StepResult(outcome=_outcome(Result.ROLLED_BACK, step.vpc_id, step.reason), requeue_after=item)

    def _fresh(self, planned: Planned, without: Collection[str] = ()) -> VpcResources:
        """The resources, with their own flow logs observed again, except those in `without`."""
        vpc_state = planned.vpc_state
        named = observed_resources(vpc_state)
        own: list[FlowLog] = self._call(lambda: self._registry.marked(self._ec2.flow_logs(named)))
        others = [each for each in vpc_state.parts.flow_logs if each.resource_id not in named]
        there = [each for each in (*own, *others) if each.flow_log_id not in without]
        return replace(vpc_state.parts, flow_logs=tuple(there))

    def _call[T](self, call: Callable[[], T]) -> T:
        return with_backoff(call, self._clock)


def _unchanged(planned: Planned, trigger: Trigger) -> VpcOutcome:
    """The outcome of a verdict without a change; CREATED if the flow log was created since the event."""
    verdict = planned.plan.verdict
    outcome = _of(verdict)
    if verdict.coverage not in {Coverage.COVERED, Coverage.UNPROVEN} or trigger.happened_at is None:
        return outcome
    for each in planned.vpc_state.parts.flow_logs:
        is_new = (each.creation_time or 0) >= trigger.happened_at and is_tagged(each, planned.vpc_state.stack)
        if each.flow_log_id == verdict.flow_log_id and is_new:
            reason = f"{each.flow_log_id} was created since this event by an earlier or concurrent run"
            return replace(outcome, result=Result.CREATED, reason=reason, earlier=True)
    return outcome


def _deleted(done: Sequence[VpcOutcome]) -> int:
    return sum(each.result in DELETED for each in done)


def _with_deletions(outcome: VpcOutcome, done: Sequence[VpcOutcome]) -> VpcOutcome:
    """The outcome with those of the deletions for one resource, the first of which are named."""
    if not done:
        return outcome
    shown = sorted(done, key=lambda each: each.result not in DELETED)
    reasons = [each.reason for each in shown[:NAMED_AT_MOST]]
    if more := len(shown) - len(reasons):
        reasons.append(f"{more} more")
    return replace(shown[0], reason="; ".join(reasons), flow_logs=_deleted(done) or 1)


def _pending(outcome: VpcOutcome, step: Wait | Verify) -> VpcOutcome:
    reason = step.reason if isinstance(step, Wait) else outcome.reason
    return replace(outcome, result=Result.PENDING, reason=reason)


def _with_remaining(
    result: StepResult, remaining: Mapping[str, EnforcementError], before: WorkItem | None, now: int
) -> StepResult:
    """The result with the flow logs that could not be deleted, which do not hide those that were deleted.

    Raises:
        EnforcementError: none was deleted; the message names each.
    """
    lasting = [each for each in remaining.values() if isinstance(each, CallRefused)]
    error = next(iter(lasting or remaining.values()))
    text = "; ".join(f"{name} was not deleted: {why}" for name, why in remaining.items())
    if result.outcome.result not in DELETED:
        raise type(error)(text) from error
    outcome = replace(result.outcome, reason=f"{result.outcome.reason}; {text}")
    if lasting:
        return replace(result, outcome=replace(outcome, result=Result.FAILED))
    vpc_id = outcome.vpc_id or ""
    return StepResult(outcome=outcome, requeue_after=soon(vpc_id, text, before, now))


def _of(verdict: CoverageVerdict) -> VpcOutcome:
    return _outcome(RESULTS[verdict.coverage], verdict.vpc_id, verdict.reason, verdict.flow_log_id)


def _outcome(result: Result, vpc_id: str, reason: str, flow_log_id: str | None = None) -> VpcOutcome:
    return VpcOutcome(result=result, vpc_id=vpc_id, reason=reason, flow_log_id=flow_log_id)
