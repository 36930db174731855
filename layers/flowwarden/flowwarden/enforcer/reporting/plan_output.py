"""Renders a plan as text and as JSON: exactly the steps that would be executed, in order. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from flowwarden import printable
from flowwarden.enforcer.decide import cost
from flowwarden.enforcer.decide.log_groups import (
    AssociateKmsKey,
    CreateLogGroup,
    LogGroupStep,
    ProtectLogGroup,
    PutRetentionPolicy,
    PutSubscriptionFilter,
)
from flowwarden.enforcer.decide.other_stacks import ADVICE, other_stacks
from flowwarden.enforcer.decide.plan import Create, Delete, Notify, Plan, RollBack, Step, Tag, Verify, Wait
from flowwarden.enforcer.decide.subscriptions import (
    AllowInvocation,
    RevokeInvocation,
    Subscribe,
    SubscriptionStep,
    Unsubscribe,
)
from flowwarden.enforcer.reporting.report import EnforcementReport
from flowwarden.notify.text import plural
from flowwarden.policy.transit_gateways import is_gateway
from flowwarden.printable import one_line

WITHOUT: Final = "; without transit gateways, whose traffic is unknown"


def as_text(report: EnforcementReport) -> str:
    """The plan of a dry run as text: log groups first, then the VPCs that have steps."""
    lines = [f"Plan for account {report.account_id}, region {report.region}", ""]
    lines += [f"  {_log_group_step(each)} ({each.reason})" for each in report.log_group_steps]
    busy = [each for each in report.plans if each.steps]
    for each in busy:
        lines += [
            f"{report.named(each.verdict.vpc_id)}: {each.verdict.coverage.lower()}, {each.verdict.reason}"
        ]
        lines += [f"  {number}. {_step(step)}" for number, step in enumerate(_in_order(each), 1)]
    lines += [*_duplicates(report), *_other_stacks(report)]
    lines += [f"! {each.reason}" for each in report.failures]
    lines += [f"! {each.resource}: {each.summary}" for each in report.problems]
    return "\n".join(map(printable.printable, [*lines, *_summary(report, len(busy))])) + "\n"


def as_document(report: EnforcementReport, notes: Sequence[str] = ()) -> dict[str, Any]:
    """The plan as plain data; `notes` say what it is based on."""
    return ({"notes": list(notes)} if notes else {}) | {
        "account": report.account_id,
        "region": report.region,
        "log_groups": [msgspec.to_builtins(each) for each in report.log_group_steps],
        "vpcs": [
            {
                "vpc": each.verdict.vpc_id,
                "name": one_line(report.names.get(each.verdict.vpc_id, "")) or None,
                "coverage": each.verdict.coverage,
                "reason": each.verdict.reason,
                "flow_log": each.verdict.flow_log_id,
                "duplicates": each.verdict.duplicates,
                "other_stacks": each.verdict.other_stacks,
                "steps": [msgspec.to_builtins(step) for step in each.steps],
            }
            for each in report.plans
        ],
        "failures": [each.reason for each in report.failures],
        "problems": [{"subject": each.resource, "what": each.summary} for each in report.problems],
        "monthly_dollars": added_dollars(report),
        "monthly_dollars_basis": cost.BASIS,
    }


def added_dollars(report: EnforcementReport) -> float:
    """The estimated monthly cost of the flow logs to be created, in USD."""
    return round(sum(step.monthly_dollars for step in _created(report)), 2)


def _created(report: EnforcementReport) -> Iterator[Create]:
    """The steps that create a flow log."""
    return (step for each in report.plans for step in _in_order(each) if isinstance(step, Create))


def _in_order(plan: Plan) -> Iterator[Step]:
    """The steps; each `Wait` is followed by the steps that come after it."""
    for step in plan.steps:
        yield step
        if isinstance(step, Wait):
            yield from step.then


def _summary(report: EnforcementReport, busy: int) -> Iterator[str]:
    if not (busy or report.log_group_steps or report.failures or report.problems):
        yield "Nothing to do."
    counts: dict[str, int] = {}
    for each in report.plans:
        counts[each.verdict.coverage.lower()] = counts.get(each.verdict.coverage.lower(), 0) + 1
    summary = ", ".join(f"{number} {name}" for name, number in sorted(counts.items())) or "none"
    yield f"VPCs: {summary}"
    if any(_created(report)):
        added = cost.about(added_dollars(report)) or ", less than 0.01 USD a month"
        without = any(is_gateway(each.target) for each in _created(report))
        yield f"Added cost:{added.removeprefix(',')} ({cost.BASIS}{WITHOUT if without else ''})"


def _duplicates(report: EnforcementReport) -> Iterator[str]:
    for each in report.plans:
        if each.verdict.duplicates:
            others = ", ".join(each.verdict.duplicates)
            vpc = report.named(each.verdict.vpc_id)
            yield f"{vpc}: unmanaged flow logs record the same traffic, at extra cost: {others}"


def _other_stacks(report: EnforcementReport) -> Iterator[str]:
    for each in other_stacks(one.verdict for one in report.plans):
        vpcs = ", ".join(map(report.named, each.vpc_ids))
        yield f"another Flow Warden stack ({each.name}, by its tag) has flow logs in {vpcs}: {ADVICE}"


def _step(step: Step) -> str:
    match step:
        case Create(flow_log=wanted):
            of = f" of {step.resource_id}" if step.resource_id else ""
            traffic = "" if is_gateway(step.target) else f" for {wanted.traffic_type} traffic"
            return (
                f"create a flow log{of}{traffic} to {wanted.destination} "
                f"({wanted.destination_type}, aggregation interval {wanted.max_aggregation_interval} s)"
                f"{cost.about(step.monthly_dollars)}"
            )
        case Delete():
            return f"delete managed flow log {step.flow_log_id}: {step.reason}"
        case RollBack():
            return f"roll back: delete managed flow log {step.flow_log_id}; {step.reason}"
        case Tag():
            tags = ", ".join(f"{key}={value}" for key, value in step.tags.items())
            return f"tag managed flow log {step.flow_log_id}: {tags}"
        case Verify() | Wait() | Notify():
            return _unchanged(step)


def _unchanged(step: Verify | Wait | Notify) -> str:
    """The text of a step that changes nothing."""
    match step:
        case Verify():
            return f"check delivery after {step.after // 60} min; {step.reason}"
        case Wait():
            return f"wait {step.after // 60} min: {step.reason}"
        case Notify():
            return f"notify operations: {step.reason}"


def _log_group_step(step: LogGroupStep | SubscriptionStep) -> str:
    match step:
        case CreateLogGroup():
            return f"create log group {step.group}"
        case PutRetentionPolicy():
            return f"set the retention of {step.group} to {plural(step.days, 'day')}"
        case AssociateKmsKey():
            return f"encrypt {step.group} with {step.kms_key_arn}"
        case ProtectLogGroup():
            return f"protect {step.group} from deletion"
        case PutSubscriptionFilter() | Subscribe():
            return f"subscribe {step.subscription.destination_arn} to {step.group}"
        case Unsubscribe() | AllowInvocation() | RevokeInvocation():
            return _subscription_step(step)


def _subscription_step(step: Unsubscribe | AllowInvocation | RevokeInvocation) -> str:
    match step:
        case Unsubscribe():
            return f"delete subscription filter {step.filter_name} of {step.group}"
        case AllowInvocation():
            return f"let CloudWatch Logs invoke the monitor for {step.group}"
        case RevokeInvocation():
            return f"no longer let CloudWatch Logs invoke the monitor for {step.group}"
