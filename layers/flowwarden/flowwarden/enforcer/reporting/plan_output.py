"""A plan as people and as programs read it: exactly what would be done, in its order. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from flowwarden.enforcer.decide import cost
from flowwarden.enforcer.decide.log_groups import (
    AssociateKmsKey,
    CreateLogGroup,
    LogGroupStep,
    PutRetentionPolicy,
    PutSubscriptionFilter,
)
from flowwarden.enforcer.decide.plan import Create, Delete, Notify, Plan, RollBack, Step, Tag, Verify, Wait
from flowwarden.enforcer.reporting.report import EnforcementReport


def as_text(report: EnforcementReport) -> str:
    """The plan of a run that only plans, for people: log groups first, then VPCs with something to do."""
    lines = [f"Plan for account {report.account_id}, region {report.region}", ""]
    lines += [f"  {_upkeep(each)} ({each.reason})" for each in report.log_group_steps]
    busy = [each for each in report.plans if each.steps]
    for each in busy:
        lines += [f"{each.verdict.vpc_id}: {each.verdict.coverage.lower()}, {each.verdict.reason}"]
        lines += [f"  {number}. {_step(step)}" for number, step in enumerate(_in_order(each), 1)]
    lines += list(_duplicates(report.plans))
    lines += [f"! {each.reason}" for each in report.failures]
    lines += [f"! {each.resource}: {each.summary}" for each in report.troubles]
    return "\n".join([*lines, *_summary(report, len(busy))]) + "\n"


def as_json(report: EnforcementReport) -> bytes:
    """The same for programs: a document, indented."""
    return msgspec.json.format(msgspec.json.encode(as_document(report)), indent=2) + b"\n"


def as_document(report: EnforcementReport) -> dict[str, Any]:
    """The same as plain data."""
    return {
        "account": report.account_id,
        "region": report.region,
        "log_groups": [msgspec.to_builtins(each) for each in report.log_group_steps],
        "vpcs": [
            {
                "vpc": each.verdict.vpc_id,
                "coverage": each.verdict.coverage,
                "reason": each.verdict.reason,
                "flow_log": each.verdict.flow_log_id,
                "duplicates": each.verdict.duplicates,
                "steps": [msgspec.to_builtins(step) for step in each.steps],
            }
            for each in report.plans
        ],
        "failures": [each.reason for each in report.failures],
        "troubles": [{"subject": each.resource, "what": each.summary} for each in report.troubles],
        "monthly_dollars": added_dollars(report),
        "monthly_dollars_basis": cost.BASIS,
    }


def added_dollars(report: EnforcementReport) -> float:
    """What the flow logs to be made cost a month, about."""
    made = (step for each in report.plans for step in _in_order(each) if isinstance(step, Create))
    return round(sum(step.monthly_dollars for step in made), 2)


def _in_order(plan: Plan) -> Iterator[Step]:
    """The steps, each with what follows it by and by."""
    for step in plan.steps:
        yield step
        if isinstance(step, Wait):
            yield from step.then


def _summary(report: EnforcementReport, busy: int) -> Iterator[str]:
    if not (busy or report.log_group_steps or report.failures or report.troubles):
        yield "Nothing to do."
    counts: dict[str, int] = {}
    for each in report.plans:
        counts[each.verdict.coverage.lower()] = counts.get(each.verdict.coverage.lower(), 0) + 1
    told = ", ".join(f"{number} {name}" for name, number in sorted(counts.items())) or "none"
    yield f"VPCs: {told}"
    if any(isinstance(step, Create) for each in report.plans for step in _in_order(each)):
        yield f"Added cost: about {added_dollars(report):.2f} USD a month ({cost.BASIS})"


def _duplicates(plans: tuple[Plan, ...]) -> Iterator[str]:
    for each in plans:
        if each.verdict.duplicates:
            others = ", ".join(each.verdict.duplicates)
            yield f"{each.verdict.vpc_id}: {others} record the same traffic, and cost as much again; not ours"


def _step(step: Step) -> str:
    match step:
        case Create(flow_log=wanted):
            return (
                f"create a flow log of {wanted.traffic_type} traffic into {wanted.destination} "
                f"({wanted.destination_type}, every {wanted.max_aggregation_interval} s), "
                f"about {step.monthly_dollars:.2f} USD a month"
            )
        case Delete():
            return f"delete our own {step.flow_log_id}: {step.reason}"
        case RollBack():
            return f"roll back: delete our own {step.flow_log_id}; {step.reason}"
        case Tag():
            told = ", ".join(f"{key}={value}" for key, value in step.tags.items())
            return f"tag our own {step.flow_log_id}: {told}"
        case Verify() | Wait() | Notify():
            return _unchanged(step)


def _unchanged(step: Verify | Wait | Notify) -> str:
    """Steps that change nothing."""
    match step:
        case Verify():
            return f"look again after {step.after // 60} min whether it delivers; {step.reason}"
        case Wait():
            return f"wait {step.after // 60} min: {step.reason}"
        case Notify():
            return f"tell operations: {step.reason}"


def _upkeep(step: LogGroupStep) -> str:
    match step:
        case CreateLogGroup():
            return f"make the log group {step.group}"
        case PutRetentionPolicy():
            return f"keep the records of {step.group} for {step.days} days"
        case AssociateKmsKey():
            return f"encrypt {step.group} with {step.kms_key_arn}"
        case PutSubscriptionFilter():
            return f"subscribe {step.subscription.destination_arn} to {step.group}"
