"""Plans the repair of log groups and their subscriptions. Pure.

Without its subscription, a log group is invisible to the monitor; without retention, its cost keeps growing;
with too short a retention, evidence is lost. The enforcer repairs log groups; `delivery_role` checks the
other dependency of flow logs.

A group that no spec names any more is maintained as long as a managed flow log writes into it: while the
replacement is not verified, or is on hold after it failed, nothing else records the traffic. If the policy
has also dropped the group's suffix, the group cannot be distinguished from another stack's and is not
changed.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from msgspec import Struct

from flowwarden.enforcer.state.desired import DesiredFlowLog
from flowwarden.enforcer.state.inventory import STANDARD, LogGroup, Subscription
from flowwarden.enforcer.state.stack import Stack
from flowwarden.notify.text import plural
from flowwarden.policy.flow_logs import CLASS_REMEDY, CLOUD_WATCH_LOGS

UNPROTECTED: Final = "the log group was not protected from deletion"
YOUNG_SECONDS: Final = 3600
"""Age below which a log group is not protected yet, except after a deployment: the deployment that created it
may still be rolled back, and CloudFormation must then be able to delete it."""


class CreateLogGroup(Struct, frozen=True, kw_only=True, tag=True):
    """Create the missing log group."""

    group: str
    kms_key_arn: str
    reason: str = "the log group was missing; a new one does not contain earlier records"


class PutRetentionPolicy(Struct, frozen=True, kw_only=True, tag=True):
    """Set the retention to this number of days."""

    group: str
    days: int
    reason: str


class AssociateKmsKey(Struct, frozen=True, kw_only=True, tag=True):
    """Encrypt new records with this key."""

    group: str
    kms_key_arn: str
    reason: str


class PutSubscriptionFilter(Struct, frozen=True, kw_only=True, tag=True):
    """Make this subscription filter send every line to the monitor."""

    group: str
    subscription: Subscription
    reason: str


class ProtectLogGroup(Struct, frozen=True, kw_only=True, tag=True):
    """Protect the log group from deletion, where CloudWatch Logs offers that."""

    group: str
    reason: str = UNPROTECTED


type LogGroupStep = (
    CreateLogGroup | PutRetentionPolicy | AssociateKmsKey | PutSubscriptionFilter | ProtectLogGroup
)


def groups_wanted(
    desired: Iterable[DesiredFlowLog], in_use: Container[str], stack: Stack
) -> dict[str, DesiredFlowLog]:
    """The log groups to maintain, each with a flow log whose spec applies to it.

    Args:
        desired: the required flow logs.
        in_use: log groups that flow logs write into. An alternate group is maintained only if it is in use.
        stack: the stack; only its groups are maintained.
    """
    found: dict[str, DesiredFlowLog] = {}
    for each in desired:
        alternate = each.alternate_destination
        if each.destination_type == CLOUD_WATCH_LOGS and stack.keeps(each.destination):
            found[each.destination] = each
            if alternate is not None and alternate.destination in in_use:
                found[alternate.destination] = alternate
    return found


def keep(
    wanted: Mapping[str, DesiredFlowLog],
    found: Iterable[LogGroup],
    stack: Stack,
    managed: AbstractSet[str] = frozenset(),
    *,
    settled: float = math.inf,
) -> Iterator[LogGroupStep]:
    """The steps for log groups, in order.

    Args:
        wanted: the log groups to maintain, each with a flow log whose spec applies to it.
        found: those of the maintained groups that exist.
        stack: the stack.
        managed: log groups that managed flow logs write into, required or not.
        settled: Unix seconds; groups that were created later are not protected from deletion yet.
    """
    there = {each.name: each for each in found}
    for name, desired in sorted(wanted.items()):
        group = there.get(name)
        if group is None:
            yield CreateLogGroup(group=name, kms_key_arn=desired.kms_key_arn)
            group = LogGroup(name=name, kms_key_arn=desired.kms_key_arn or None)
        yield from _differences(group, desired.retention_days, desired.kms_key_arn, stack)
        yield from _protection(group, stack, settled)
    for name in sorted(managed - wanted.keys()):
        group = there.get(name)
        yield from _as_the_stack_has_it(name, group, stack)
        yield from _protection(group or LogGroup(name=name), stack, settled)


def problems(found: Iterable[LogGroup], stack: Stack) -> Iterator[tuple[str, str]]:
    """Groups that the monitor cannot read and the enforcer cannot repair, with the reason and the fix."""
    for each in found:
        if each.log_class != STANDARD and stack.monitor_arn and not stack.holds_gateways(each.name):
            problem = (
                f"the log group has the class {each.log_class}, which takes no subscription filter, so the "
                f"monitor does not see its records: {CLASS_REMEDY}"
            )
            yield each.name, problem


def _as_the_stack_has_it(name: str, group: LogGroup | None, stack: Stack) -> Iterator[LogGroupStep]:
    """Steps for a group that follows an earlier, no longer known spec.

    A longer retention and an existing key are therefore not changed. The stack's settings apply only to a
    missing group, a missing key and a shorter retention.
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
        had = "unlimited" if group.retention_days is None else plural(group.retention_days, "day")
        reason = f"retention was {had}; required: {plural(days, 'day')}"
        yield PutRetentionPolicy(group=name, days=days, reason=reason)
    if kms_key_arn and group.kms_key_arn != kms_key_arn:
        had = group.kms_key_arn or "the CloudWatch Logs default key"
        yield AssociateKmsKey(
            group=name, kms_key_arn=kms_key_arn, reason=f"records were encrypted with {had}"
        )
    if stack.monitor_arn and group.log_class == STANDARD and not stack.holds_gateways(name):
        yield from _subscription(group, stack)


def _protection(group: LogGroup, stack: Stack, settled: float) -> Iterator[LogGroupStep]:
    if stack.protects and not group.is_protected and (group.created_at or 0) <= settled:
        yield ProtectLogGroup(group=group.name)


def _subscription(group: LogGroup, stack: Stack) -> Iterator[LogGroupStep]:
    wanted = Subscription(name=stack.stack_name, destination_arn=stack.monitor_arn)
    if any(
        (each.destination_arn, each.pattern) == (wanted.destination_arn, wanted.pattern)
        for each in group.subscriptions
    ):
        return
    had = f"subscription filter {wanted.name} was missing"
    for each in group.subscriptions:
        if each.name == wanted.name:
            had = f"subscription filter sent {each.pattern or 'every line'!r} to {each.destination_arn}"
    reason = f"{had}; required: every line to the monitor"
    yield PutSubscriptionFilter(group=group.name, subscription=wanted, reason=reason)
