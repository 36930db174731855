"""Chooses the existing log groups to read, from the unmanaged flow logs that deliver to them. Pure.

A group is read only because of a flow log that can cover its VPC: unmanaged, of all traffic, in a format
that is good enough, and not failing. If the VPC has a managed flow log, its traffic is not read a second
time, which would double every count. A group that the policy names in full is read in any case.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from flowwarden.enforcer.decide.delivery import SILENCE_SECONDS, may_deliver
from flowwarden.enforcer.decide.drift import is_managed, log_group_of
from flowwarden.enforcer.state.inventory import FlowLog, VpcResources
from flowwarden.enforcer.state.stack import Stack
from flowwarden.policy.field_needs import lacking
from flowwarden.policy.flow_logs import CLOUD_WATCH_LOGS
from flowwarden.policy.log_groups import LogGroupSelection, is_of_function, matches


def can_cover(flow_log: FlowLog, stack: Stack) -> bool:
    """Whether an unmanaged flow log records enough to cover its VPC, if the monitor reads its log group."""
    return (
        not is_managed(flow_log, stack)
        and flow_log.log_destination_type in {None, CLOUD_WATCH_LOGS}
        and flow_log.traffic_type == "ALL"
        and not lacking(flow_log.log_format)
    )


def groups_to_read(
    vpc_ids: Iterable[str],
    resources: Mapping[str, VpcResources],
    selections: Collection[LogGroupSelection],
    stack: Stack,
    *,
    named: bool,
) -> frozenset[str]:
    """The log groups to read; their tags are not considered yet.

    Args:
        vpc_ids: the VPCs of this run that need a flow log.
        resources: the resources of each VPC.
        selections: the selections of the policy.
        stack: the stack; its own groups are left out, because it maintains them in another way.
        named: whether to include the groups that the policy names in full.
    """
    found = {
        group
        for vpc_id in vpc_ids
        if vpc_id in resources
        for group in _delivered_to(resources[vpc_id].flow_logs, stack)
    }
    if named:
        found |= {each.name for each in selections if not each.is_pattern}
    return frozenset(each for each in found if _is_readable(each, selections, stack))


def groups_read_twice(
    resources: Mapping[str, VpcResources],
    selections: Collection[LogGroupSelection],
    stack: Stack,
    now: int,
) -> frozenset[str]:
    """The log groups under a pattern that only VPCs with managed flow logs deliver to.

    Such a VPC got its managed flow log after its group was subscribed. At `now` (Unix seconds), that one
    counts if it is as old as a flow log that should be verified.
    """
    twice: set[str] = set()
    once: set[str] = set()
    for each in resources.values():
        groups = {log_group_of(one, stack) for one in each.flow_logs if not is_managed(one, stack)} - {None}
        (twice if _has_managed(each.flow_logs, stack, now) else once).update(filter(None, groups))
    in_full = {each.name for each in selections if not each.is_pattern}
    return frozenset(each for each in twice - once - in_full if _is_readable(each, selections, stack))


def _has_managed(flow_logs: Collection[FlowLog], stack: Stack, now: int) -> bool:
    """Whether the monitor gets all traffic of a VPC from a managed flow log that has had time to deliver."""
    return any(
        is_managed(each, stack)
        and may_deliver(each)
        and each.traffic_type == "ALL"
        and stack.keeps(log_group_of(each, stack) or "")
        and each.creation_time is not None
        and now - each.creation_time >= SILENCE_SECONDS
        for each in flow_logs
    )


def _delivered_to(flow_logs: Collection[FlowLog], stack: Stack) -> Iterator[str]:
    """The groups of the flow logs that can cover a VPC; none if a managed flow log records it."""
    if any(is_managed(each, stack) and may_deliver(each) for each in flow_logs):
        return
    for each in flow_logs:
        group = log_group_of(each, stack)
        if group is not None and can_cover(each, stack) and may_deliver(each):
            yield group


def _is_readable(group: str, selections: Collection[LogGroupSelection], stack: Stack) -> bool:
    own = stack.keeps(group) or is_of_function(group)
    return not own and any(matches(each.name, group) for each in selections)
