"""Which log groups the monitor should read, and which interfaces should write to them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase

from flowwarden.doctor.fact import Fact
from flowwarden.doctor.facts import Permission
from flowwarden.enforcer.decide.drift import is_tagged, log_group_of
from flowwarden.enforcer.state.interface_activity import writes_since
from flowwarden.enforcer.state.inventory import FlowLog, LogGroup
from flowwarden.enforcer.state.stack import Stack
from flowwarden.network.interface import NetworkInterface


def watched_groups(
    flow_logs: Iterable[FlowLog], stack: Stack, permissions: Iterable[Permission] = ()
) -> tuple[str, ...]:
    """The log groups that the monitor should read, that of the stack first.

    Others are groups into which flow logs write, if the stack created the group or the flow log, or if they
    may invoke the monitor. A name that begins with that of the stack's group may be another stack's.

    Args:
        flow_logs: those of the account and Region.
        stack: the stack, with the suffixes of its policy.
        permissions: who may invoke the monitor.
    """
    own, patterns = stack.log_group_name, patterns_of(each.source for each in permissions)
    found = {own: None}
    for each in flow_logs:
        group = log_group_of(each, stack) or ""
        admitted = not group.startswith(own) and any(fnmatchcase(group, one) for one in patterns)
        own_group = stack.keeps(group) or is_tagged(each, stack)
        if group and not stack.holds_gateways(group) and (own_group or admitted):
            found[group] = None
    return (own, *sorted(found.keys() - {own}))


def is_expected(group: Fact[LogGroup], name: str, others: Collection[str], monitor: str) -> bool:
    """Whether a group should send to the monitor: one of others only if it does.

    The enforcer reads a group of others only because of a VPC that needs it. If that VPC needs it, and the
    filter is missing, the next sweep restores it.
    """
    filters = group.subscriptions if isinstance(group, LogGroup) else ()
    return name not in others or any(each.destination_arn == monitor for each in filters)


def patterns_of(sources: Iterable[str]) -> tuple[str, ...]:
    """The names of log groups, with `*`, in the ARNs of a function's policy."""
    names = (each.partition(":log-group:")[2] for each in sources)
    return tuple(each.removesuffix(":*") for each in names if each)


def expected_writers(
    flow_logs: Mapping[str, Iterable[FlowLog]],
    interfaces: Collection[NetworkInterface],
    seconds: int,
    now: int,
) -> Mapping[str, int]:
    """The number of active interfaces whose records a log group should have received, by group.

    Args:
        flow_logs: those that write into each group.
        interfaces: all interfaces, with their activity.
        seconds: for how long a flow log and an interface must have existed.
        now: Unix seconds.
    """
    old = [each for each in interfaces if writes_since(each, seconds, now)]
    found: dict[str, int] = {}
    for group, writing in flow_logs.items():
        covered = {each.resource_id for each in writing if now - (each.creation_time or 0) >= seconds}
        found[group] = sum(not covered.isdisjoint(_covering(each)) for each in old)
    return found


def writing_into(
    flow_logs: Iterable[FlowLog], groups: Collection[str], stack: Stack
) -> dict[str, list[FlowLog]]:
    """The flow logs that write into each of these groups."""
    found: dict[str, list[FlowLog]] = {name: [] for name in groups}
    for each in flow_logs:
        group = log_group_of(each, stack)
        if group in found:
            found[group].append(each)
    return found


def _covering(interface: NetworkInterface) -> tuple[str, ...]:
    """The ids of the resources whose flow log covers an interface."""
    return interface.vpc_id, interface.subnet_id, interface.interface_id
