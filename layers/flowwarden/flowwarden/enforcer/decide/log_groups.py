"""What is kept around the flow logs: the log groups and their subscriptions. Pure.

A log group without its subscription is a monitor without eyes; one without retention, or with less, loses
evidence or costs for ever. The enforcer puts log groups right; `delivery_role` is about the other need.

A group that no spec names any more is kept as long as a flow log of ours writes into it: while its
replacement is not proven, or waits after it failed, nothing else watches. One whose suffix the policy has
dropped as well cannot be told from another stack's, and is left alone.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from msgspec import Struct

from flowwarden.enforcer.state.desired import DesiredFlowLog
from flowwarden.enforcer.state.inventory import LogGroup, Subscription
from flowwarden.enforcer.state.stack import Stack
from flowwarden.policy.flow_logs import CLOUD_WATCH_LOGS


class CreateLogGroup(Struct, frozen=True, kw_only=True, tag=True):
    """Make the log group, which is missing."""

    group: str
    kms_key_arn: str
    reason: str = "the log group was missing: made anew, without the records that it held"


class PutRetentionPolicy(Struct, frozen=True, kw_only=True, tag=True):
    """Keep records for so many days."""

    group: str
    days: int
    reason: str


class AssociateKmsKey(Struct, frozen=True, kw_only=True, tag=True):
    """Encrypt what comes from now on with this key."""

    group: str
    kms_key_arn: str
    reason: str


class PutSubscriptionFilter(Struct, frozen=True, kw_only=True, tag=True):
    """Hand every line to the monitor, instead of what this filter did."""

    group: str
    subscription: Subscription
    reason: str


type LogGroupStep = CreateLogGroup | PutRetentionPolicy | AssociateKmsKey | PutSubscriptionFilter


def groups_wanted(
    desired: Iterable[DesiredFlowLog], in_use: Container[str], stack: Stack
) -> dict[str, DesiredFlowLog]:
    """The log groups that are kept, with a flow log whose spec holds for them.

    Args:
        desired: flow logs that are wanted.
        in_use: log groups that flow logs write into: a group beside a wanted one is kept if it is among them.
        stack: the stack, whose groups are kept and no others.
    """
    found: dict[str, DesiredFlowLog] = {}
    for each in desired:
        beside = each.alternate_destination
        if each.destination_type == CLOUD_WATCH_LOGS and stack.keeps(each.destination):
            found[each.destination] = each
            if beside is not None and beside.destination in in_use:
                found[beside.destination] = beside
    return found


def keep(
    wanted: Mapping[str, DesiredFlowLog],
    found: Iterable[LogGroup],
    stack: Stack,
    ours: AbstractSet[str] = frozenset(),
) -> Iterator[LogGroupStep]:
    """What is to be done about log groups, in this order.

    Args:
        wanted: log groups, with a flow log whose spec holds for them.
        found: those that exist, of all that are kept.
        stack: the stack.
        ours: log groups that the stack's own flow logs write into, whether they are wanted or not.
    """
    there = {each.name: each for each in found}
    for name, desired in sorted(wanted.items()):
        group = there.get(name)
        if group is None:
            yield CreateLogGroup(group=name, kms_key_arn=desired.kms_key_arn)
            group = LogGroup(name=name, kms_key_arn=desired.kms_key_arn or None)
        yield from _differences(group, desired.retention_days, desired.kms_key_arn, stack)
    for name in sorted(ours - wanted.keys()):
        yield from _as_the_stack_has_it(name, there.get(name), stack)


def _as_the_stack_has_it(name: str, group: LogGroup | None, stack: Stack) -> Iterator[LogGroupStep]:
    """A group that goes on by a spec of before, which is no longer known.

    So what it keeps for longer stays, and so does its key: only what is missing comes from the stack.
    """
    if group is None:
        yield CreateLogGroup(group=name, kms_key_arn=stack.kms_key_arn)
        group = LogGroup(name=name, kms_key_arn=stack.kms_key_arn or None)
        yield from _differences(group, stack.retention_days, "", stack)
        return
    days, had = stack.retention_days, group.retention_days
    too_short = days is not None and had is not None and had < days
    yield from _differences(
        group, days if too_short else None, "" if group.kms_key_arn else stack.kms_key_arn, stack
    )


def _differences(group: LogGroup, days: int | None, kms_key_arn: str, stack: Stack) -> Iterator[LogGroupStep]:
    name = group.name
    if days is not None and group.retention_days != days:
        had = "for ever" if group.retention_days is None else f"for {group.retention_days} days"
        yield PutRetentionPolicy(group=name, days=days, reason=f"records were kept {had}: {days} days again")
    if kms_key_arn and group.kms_key_arn != kms_key_arn:
        had = group.kms_key_arn or "the key of CloudWatch Logs"
        yield AssociateKmsKey(
            group=name, kms_key_arn=kms_key_arn, reason=f"records were encrypted with {had}"
        )
    if stack.monitor_arn:
        yield from _subscription(group, stack)


def _subscription(group: LogGroup, stack: Stack) -> Iterator[LogGroupStep]:
    wanted = Subscription(name=stack.stack_name, destination_arn=stack.monitor_arn)
    if any(
        (each.destination_arn, each.pattern) == (wanted.destination_arn, wanted.pattern)
        for each in group.subscriptions
    ):
        return
    had = "nothing was handed to the monitor"
    for each in group.subscriptions:
        if each.name == wanted.name:
            had = f"the filter handed {each.pattern or 'every line'!r} to {each.destination_arn}"
    reason = f"{had}: every line goes to the monitor again"
    yield PutSubscriptionFilter(group=group.name, subscription=wanted, reason=reason)
