"""Executes the plans of many VPCs, one after the other, as long as the run has time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from flowwarden.enforcer.execute.backoff import has_time
from flowwarden.enforcer.execute.flow_logs import FlowLogExecutor
from flowwarden.enforcer.planner import Planned
from flowwarden.enforcer.ports import RunClock
from flowwarden.enforcer.reporting.report import VpcOutcome
from flowwarden.enforcer.triggers.trigger import Trigger
from flowwarden.enforcer.work_queue import WorkItem, WorkQueue


class VpcExecution(Struct, frozen=True, kw_only=True):
    """The results of the plans."""

    outcomes: tuple[VpcOutcome, ...]
    stopped_after: str | None
    """The last VPC handled before time ran out ('' if there was none); None if time did not run out."""


def execute_plans(
    planned: Sequence[Planned],
    queue: WorkQueue,
    executor: FlowLogExecutor,
    clock: RunClock,
    trigger: Trigger,
    *,
    resumed_after: str = "",
) -> VpcExecution:
    """Execute plans, and complete or requeue each VPC right after its plan.

    All VPCs up to the stopping point are done or in the queue. Those that were throttled before come last
    and are in the queue, so a sweep that reaches them is complete.
    """
    outcomes: list[VpcOutcome] = []
    last = resumed_after
    for each in in_fair_order(planned, queue.items):
        before = queue.items.get(each.vpc_id)
        if each.plan.steps and not has_time(clock):
            stopped = None if before is not None and before.throttled_at else last
            return VpcExecution(outcomes=tuple(outcomes), stopped_after=stopped)
        result = executor.execute(each, before, trigger)
        if result.requeue_after is not None:
            queue.requeue(result.requeue_after)
        else:
            queue.complete(each.vpc_id)
        outcomes.append(result.outcome)
        last = max(last, each.vpc_id)
    return VpcExecution(outcomes=tuple(outcomes), stopped_after=None)


def in_fair_order(planned: Iterable[Planned], queued: Mapping[str, WorkItem]) -> list[Planned]:
    """The plans in the given order, but throttled VPCs last, the most recently throttled one at the end."""

    def throttled_at(one: Planned) -> int:
        before = queued.get(one.vpc_id)
        return before.throttled_at if before is not None else 0

    return sorted(planned, key=throttled_at)
