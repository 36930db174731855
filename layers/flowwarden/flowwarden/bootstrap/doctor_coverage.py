"""Judges the coverage of each VPC as the enforcer does, for `flowwarden doctor`; only reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from flowwarden.aws.doctor.reading import fact
from flowwarden.aws.dynamodb.registry import DynamoDbRegistry
from flowwarden.aws.dynamodb.sets import DynamoDbEvidence
from flowwarden.aws.dynamodb.work_queue import DynamoDbWorkQueue
from flowwarden.aws.ec2.flow_logs import Ec2FlowLogs
from flowwarden.bootstrap.enforcer import stack_of
from flowwarden.bootstrap.installed import Installed
from flowwarden.doctor.fact import Fact, Unread
from flowwarden.doctor.facts import FunctionState
from flowwarden.enforcer.decide.coverage import Coverage
from flowwarden.enforcer.decide.drift import log_group_of
from flowwarden.enforcer.decide.plan import Plan
from flowwarden.enforcer.decide.subscriptions import Reading, own_filter
from flowwarden.enforcer.gateways import SUBJECT
from flowwarden.enforcer.observe import observe, seen_in
from flowwarden.enforcer.planner import Planned, Planner
from flowwarden.enforcer.registry import Registry
from flowwarden.enforcer.state.desired import with_policy
from flowwarden.enforcer.state.inventory import FoundSubscription, LogGroup
from flowwarden.enforcer.state.stack import Stack
from flowwarden.enforcer.work_queue import WorkItem
from flowwarden.errors import EnforcementError, SettingsError
from flowwarden.policy.last_good import PolicyInUse
from flowwarden.settings import EnforcerSettings

ALL: Final = "VPCs"
"""The subject of a line about all VPCs."""
CUT: Final = Unread(
    "DescribeVpcs or DescribeFlowLogs: a description cannot be read, so that it is unknown what is covered"
)

type Made = tuple[list[Planned], EnforcementError | None]
"""The plans, and why transit gateways could not be listed."""


def read(
    found: Installed,
    enforcer: Fact[FunctionState],
    policy: Fact[PolicyInUse],
    groups: Mapping[str, Fact[LogGroup]],
) -> Mapping[str, Fact[Plan]]:
    """The plan for each VPC, by its id; nothing without enforcer or policy, which other checks report.

    Args:
        found: the stack.
        enforcer: its variables say which flow logs it creates.
        policy: the policy in use.
        groups: the log groups that the monitor reads or may read.
    """
    if enforcer is None or policy is None:
        return {}
    if isinstance(enforcer, Unread):
        return {ALL: enforcer}
    if isinstance(policy, Unread):
        return {ALL: policy}
    try:
        settings = EnforcerSettings.from_mapping({**enforcer.variables, "AWS_REGION": found.place.region})
    except SettingsError as error:
        return {ALL: Unread(f"the variables of the enforcer cannot be used: {error}")}
    stack = with_policy(stack_of(settings), policy.policy.flow_logs)
    planner = Planner(policy.policy.flow_logs, stack)
    made: Fact[Made] = found.named(
        "StateTable",
        lambda table: fact("DescribeVpcs", lambda: _plans(found, table, planner, stack, groups)),
    )
    if isinstance(made, Unread):
        return {ALL: made}
    plans, fault = made or ([], None)
    known = {each.vpc_id: _known(each, stack, groups) for each in plans}
    return known | ({SUBJECT: Unread(str(fault))} if fault else {})


def _plans(
    found: Installed, table: str, planner: Planner, stack: Stack, groups: Mapping[str, Fact[LogGroup]]
) -> Made | Unread:
    """The plans. Raises the errors of AWS, and StateUnavailable."""
    now, state, ec2 = found.place.now, found.clients("dynamodb"), Ec2FlowLogs(found.clients("ec2"))
    evidence, records = DynamoDbEvidence(state, table), DynamoDbRegistry(state, table)
    queue: dict[str, WorkItem] = {each.vpc_id: each for each in DynamoDbWorkQueue(state, table).load()[0]}
    registry = Registry(records, records.load(), dry_run=True)
    observed = observe(ec2, evidence, registry, stack, None, now)
    if not observed.complete:
        return CUT
    since = _subscribed(groups, stack)
    seen = seen_in(evidence, since.keys() - observed.seen.keys(), now)
    observed = replace(observed, reading=Reading(groups=since), seen={**observed.seen, **seen})
    return planner.vpcs(observed, queue, now), observed.gateways.fault


def _subscribed(groups: Mapping[str, Fact[LogGroup]], stack: Stack) -> dict[str, int]:
    """Since when the monitor reads existing log groups that the policy names, in Unix seconds."""
    found: dict[str, int] = {}
    for name, each in groups.items():
        own = own_filter(each, stack) if isinstance(each, LogGroup) and stack.may_read(name) else None
        if own is not None:
            found[name] = own.creation_time or 0 if isinstance(own, FoundSubscription) else 0
    return found


def _known(planned: Planned, stack: Stack, groups: Mapping[str, Fact[LogGroup]]) -> Fact[Plan]:
    """The plan; unknown if the VPC may be covered by a flow log into a log group that could not be read."""
    if planned.plan.verdict.coverage is Coverage.UNCOVERED:
        into = (groups.get(log_group_of(each, stack) or "") for each in planned.vpc_state.parts.flow_logs)
        unread = next((each for each in into if isinstance(each, Unread)), None)
        return unread or planned.plan
    return planned.plan
