"""Reads flow logs, log groups and what arrived in them, for `flowwarden doctor`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final

from msgspec import Struct

from flowwarden.aws.doctor.groups import GroupReader
from flowwarden.aws.doctor.metrics import Metric, MetricReader
from flowwarden.aws.doctor.reading import fact
from flowwarden.aws.dynamodb.sets import DynamoDbEvidence
from flowwarden.aws.ec2.flow_logs import Ec2FlowLogs
from flowwarden.bootstrap.installed import Installed, named_stack
from flowwarden.doctor.checks.subscriptions import monitor_arn
from flowwarden.doctor.fact import Fact, Unread, known
from flowwarden.doctor.facts import Delivery, Permission
from flowwarden.doctor.groups import expected_writers, is_expected, watched_groups, writing_into
from flowwarden.enforcer.state.interface_activity import judged
from flowwarden.enforcer.state.inventory import FlowLog, LogGroup
from flowwarden.network.interface import NetworkInterface
from flowwarden.policy.last_good import PolicyInUse
from flowwarden.state.heartbeats import SLOT, keys, seen, slot_of
from flowwarden.state.sets import HOUR

HOURS: Final = 2
"""The window in which records are expected: interfaces without traffic write every 10 minutes, too."""


class Logs(Struct, frozen=True, kw_only=True):
    """See the members of `Facts` with these names."""

    groups: Mapping[str, Fact[LogGroup]]
    deliveries: Mapping[str, Fact[Delivery]]
    flow_logs: Mapping[str, Fact[FlowLog]]
    all_groups: Mapping[str, Fact[LogGroup]]
    """With those that need not send to the monitor, or that could not be read."""


def read(found: Installed, policy: Fact[PolicyInUse], permissions: Fact[tuple[Permission, ...]]) -> Logs:
    """Read them.

    Args:
        found: the stack.
        policy: gives the suffixes of further groups.
        permissions: who may invoke the monitor: further groups.
    """
    suffixes = policy.policy.flow_logs.suffixes if isinstance(policy, PolicyInUse) else ()
    ec2, stack = Ec2FlowLogs(found.clients("ec2")), named_stack(found, found.names, suffixes)
    flow_logs = fact("DescribeFlowLogs", lambda: list(ec2.flow_logs(None)))
    listed = flow_logs if isinstance(flow_logs, list) else []
    names = watched_groups(listed, stack, known(permissions, ())) if stack.log_group_name else ()
    others, monitor = {*names} - {*watched_groups(listed, stack)}, monitor_arn(found.place, found.names)
    reader = GroupReader(found.clients("logs"))
    read_groups = reader.groups(names) if names else {"log groups": fact_of_missing(found)}
    groups = {name: each for name, each in read_groups.items() if is_expected(each, name, others, monitor)}
    names = tuple(each for each in names if each in groups)
    writing = writing_into(listed, names, stack)
    expected = _expected(ec2, flow_logs, writing, found)
    arrived = _metrics(found, groups)
    return Logs(
        groups=groups,
        deliveries={
            name: Delivery(
                hours=HOURS,
                writers=_writers(found, name),
                incoming=arrived[name][0],
                delivery_errors=arrived[name][1],
                last_event=reader.last_event(name) if isinstance(arrived[name][0], Unread) else None,
                expected=expected if isinstance(expected, Unread) else expected.get(name, 0),
            )
            for name in names
            if groups.get(name) is not None
        },
        flow_logs=_of_groups(ec2, flow_logs, writing),
        all_groups=read_groups,
    )


def fact_of_missing(found: Installed) -> Unread | None:
    """Why the log group of the stack is unknown; None if the stack has none."""
    return found.state.listed if isinstance(found.state.listed, Unread) else None


def _of_groups(
    ec2: Ec2FlowLogs, flow_logs: Fact[list[FlowLog]], writing: Mapping[str, Iterable[FlowLog]]
) -> Mapping[str, Fact[FlowLog]]:
    """The flow logs that write into the groups; one missing entry if there are none, but VPCs."""
    if isinstance(flow_logs, Unread):
        return {"flow logs": flow_logs}
    written = {each.flow_log_id: each for some in writing.values() for each in some}
    if written:
        return dict(written)
    vpcs = fact("DescribeVpcs", lambda: len(list(ec2.vpcs(None))))
    return {"flow logs": vpcs if isinstance(vpcs, Unread) else None} if vpcs else {}


def _expected(
    ec2: Ec2FlowLogs,
    flow_logs: Fact[list[FlowLog]],
    writing: Mapping[str, Iterable[FlowLog]],
    found: Installed,
) -> Mapping[str, int] | Unread:
    """The number of interfaces that should have written to each group."""
    if isinstance(flow_logs, Unread):
        return flow_logs
    if not any(writing.values()):
        return {}
    interfaces = fact("DescribeNetworkInterfaces", partial(_interfaces, ec2, found.place.account))
    if interfaces is None or isinstance(interfaces, Unread):
        return interfaces or {}
    return expected_writers(writing, interfaces, HOURS * HOUR, found.place.now)


def _interfaces(ec2: Ec2FlowLogs, account: str) -> list[NetworkInterface]:
    listed = list(ec2.interfaces(None))
    return list(judged(listed, dict(ec2.running(None)), account))


def _writers(found: Installed, group: str) -> Fact[int]:
    """The number of interfaces whose records the monitor processed in the window."""
    now = found.place.now
    wanted = keys(range(slot_of(now - HOURS * HOUR), now // SLOT + 1))

    def count(table: str) -> Fact[int]:
        store = DynamoDbEvidence(found.clients("dynamodb"), table)
        return fact(
            "BatchGetItem",
            lambda: len(frozenset[int]().union(*seen(wanted, store.read([*wanted]), group).values())),
        )

    return found.named("StateTable", count)


def _metrics(
    found: Installed, groups: Mapping[str, Fact[LogGroup]]
) -> dict[str, tuple[Fact[int], Fact[int]]]:
    """The log events that arrived in each group, and those that its filter could not send."""
    monitor = monitor_arn(found.place, found.names)
    pairs = {
        name: _of_group(name, _filter(each, monitor, found.place.stack)) for name, each in groups.items()
    }
    sums = MetricReader(found.clients("cloudwatch"), found.place.now).sums(
        [metric for pair in pairs.values() for metric in pair]
    )
    return {name: (sums[one], sums[two]) for name, (one, two) in pairs.items()}


def _filter(group: Fact[LogGroup], monitor: str, stack: str) -> str:
    """The name of the group's filter to the monitor; that of the stack if there is none."""
    filters = group.subscriptions if isinstance(group, LogGroup) else ()
    return next((each.name for each in filters if each.destination_arn == monitor), stack)


def _of_group(group: str, filter_name: str) -> tuple[Metric, Metric]:
    of_group = ("LogGroupName", group)
    of_filter = (of_group, ("DestinationType", "Lambda"), ("FilterName", filter_name))
    seconds = HOURS * HOUR
    return (
        Metric(namespace="AWS/Logs", name="IncomingLogEvents", dimensions=(of_group,), seconds=seconds),
        Metric(namespace="AWS/Logs", name="DeliveryErrors", dimensions=of_filter, seconds=seconds),
    )
