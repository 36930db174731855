"""Executes the plans of the subnets or interfaces of one VPC, and makes one result of theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from flowwarden.enforcer.decide.plan import Create, Delete, RollBack
from flowwarden.enforcer.execute.backoff import has_time
from flowwarden.enforcer.execute.result import StepResult
from flowwarden.enforcer.planner import Planned
from flowwarden.enforcer.ports import RunClock
from flowwarden.enforcer.reporting.report import Result, VpcOutcome
from flowwarden.enforcer.work_queue import WorkItem

CHANGED_AT_MOST: Final = 50
"""Parts of one VPC that a run changes, and flow logs of one resource that it deletes: each takes several
calls. The next retry continues."""
NAMED_AT_MOST: Final = 5
"""Parts that the reason of a result names; the rest is counted."""
_FIRST: Final = (
    *(Result.FAILED, Result.CONFLICT, Result.BROKEN, Result.ROLLED_BACK, Result.CREATED),
    *(Result.REPLACED, Result.PENDING, Result.COVERED),
)
"""The result of the VPC is the first that one of its parts has."""


def execute_parts(planned: Planned, execute: Callable[[Planned], StepResult], clock: RunClock) -> StepResult:
    """Execute the plan of each part, then the steps of the VPC itself.

    Args:
        planned: the plan of the VPC, with those of its parts.
        execute: executes the plan of one part, or the VPC's own steps.
        clock: the time that is left.
    """
    results: list[StepResult] = []
    changed = left = 0
    throttled = False
    for each in planned.parts:
        changes = sum(isinstance(step, Create | Delete | RollBack) for step in each.plan.steps)
        if changes and (throttled or changed >= CHANGED_AT_MOST or not has_time(clock)):
            left += 1
            continue
        result = execute(each)
        results.append(_naming(each.vpc_state.part, result))
        changed += changes
        throttled |= result.requeue_after is not None and result.requeue_after.throttled_at > 0
    if own := planned.own_steps:
        results.append(execute(replace(planned, parts=(), plan=replace(planned.plan, steps=own, parts=()))))
    return _merged(planned, results, left)


def _naming(part: str, result: StepResult) -> StepResult:
    """The result of a part, with the part in its reason."""
    reason = result.outcome.reason
    named = reason if part in reason else f"{part}: {reason}"
    return replace(result, outcome=replace(result.outcome, reason=named))


def _merged(planned: Planned, results: Sequence[StepResult], left: int) -> StepResult:
    """One result for the VPC; a part that was deleted in the meantime needs nothing."""
    outcomes = [each.outcome for each in results]
    result = next((each for each in _FIRST if any(one.result is each for one in outcomes)), None)
    if result is None:
        # All parts were deleted in the meantime: there is nothing to cover.
        result = Result.GONE if outcomes else Result.PENDING
    if left and result in {Result.COVERED, Result.REPLACED}:
        result = Result.PENDING
    same = [each for each in outcomes if each.result is result]
    changes = result not in {Result.COVERED, Result.PENDING}
    reason = "; ".join(_reasons(outcomes, left)) if changes else ""
    return StepResult(
        outcome=VpcOutcome(
            result=result,
            vpc_id=planned.vpc_id,
            reason=reason or planned.plan.verdict.reason,
            flow_logs=sum(each.flow_logs for each in same),
            retryable=bool(same) and all(each.retryable for each in same),
            earlier=bool(same) and all(each.earlier for each in same),
        ),
        requeue_after=_soonest(planned, results, left),
    )


def _reasons(outcomes: Sequence[VpcOutcome], left: int) -> Iterator[str]:
    """What changed or failed, the worst first."""
    ranks = {each: rank for rank, each in enumerate(_FIRST)}
    quiet = {Result.COVERED, Result.PENDING, Result.GONE}
    found = sorted(
        (each for each in outcomes if each.result not in quiet), key=lambda each: ranks[each.result]
    )
    yield from (each.reason for each in found[:NAMED_AT_MOST])
    if len(found) > NAMED_AT_MOST:
        yield f"{len(found) - NAMED_AT_MOST} more"
    if left:
        yield f"{left} left for the next retry"


def _soonest(planned: Planned, results: Sequence[StepResult], left: int) -> WorkItem | None:
    """The work item that is due first, with what the others must remember."""
    items = [each.requeue_after for each in results if each.requeue_after is not None]
    if left:
        reason = f"{left} of its {planned.vpc_state.level}s are left"
        items.append(WorkItem(vpc_id=planned.vpc_id, due=planned.vpc_state.at, reason=reason))
    if not items:
        return None
    first = min(items, key=lambda each: each.due)
    failing = [each.failing_since for each in items if each.failing_since]
    held = max(items, key=lambda each: each.backoff_until)
    return replace(
        first,
        failing_since=min(failing, default=0),
        throttled_at=max(each.throttled_at for each in items),
        grace_until=max(each.grace_until for each in items),
        backoff_configuration=held.backoff_configuration,
        backoff_until=held.backoff_until,
    )
