"""What is kept around the flow logs: the log groups, their subscriptions, the delivery role. Pure.

A log group without its subscription is a monitor without eyes; one without retention, or with less, loses
evidence or costs for ever; a delivery role that VPC Flow Logs cannot assume writes nothing. The enforcer puts
log groups right. The role it only tells of: whoever may write IAM policies may do anything.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from flowwarden.compliance.desired import DesiredFlowLog, House
from flowwarden.compliance.inventory import LogGroup, Subscription
from flowwarden.compliance.wishes import CLOUD_WATCH_LOGS

SERVICE: Final = "vpc-flow-logs.amazonaws.com"
NEEDED: Final = ("logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams")
"""What VPC Flow Logs does with the delivery role (VPC User Guide, Publish flow logs to CloudWatch Logs)."""


class MakeGroup(Struct, frozen=True, kw_only=True, tag=True):
    """Make the log group, which is missing."""

    group: str
    kms_key_arn: str
    reason: str = "the log group was missing: made anew, without the records that it held"


class SetRetention(Struct, frozen=True, kw_only=True, tag=True):
    """Keep records for so many days."""

    group: str
    days: int
    reason: str


class SetKey(Struct, frozen=True, kw_only=True, tag=True):
    """Encrypt what comes from now on with this key."""

    group: str
    kms_key_arn: str
    reason: str


class Subscribe(Struct, frozen=True, kw_only=True, tag=True):
    """Hand every line to the monitor, instead of what this filter did."""

    group: str
    subscription: Subscription
    reason: str


type Upkeep = MakeGroup | SetRetention | SetKey | Subscribe


class DeliveryRole(Struct, frozen=True, kw_only=True):
    """The delivery role as IAM tells it."""

    trusted: tuple[str, ...] = ()
    """Services that may assume it."""
    allowed: tuple[str, ...] = ()
    """Actions that its own policies allow, as they write them."""
    attached: tuple[str, ...] = ()
    """Managed policies, whose actions are not looked at."""
    boundary: str = ""


def groups_wanted(
    desired: Iterable[DesiredFlowLog], in_use: Container[str], house: House
) -> dict[str, DesiredFlowLog]:
    """The log groups that are kept, with a flow log whose wishes hold for them.

    Args:
        desired: flow logs that are wanted.
        in_use: log groups that flow logs write into: a group beside a wanted one is kept if it is among them.
        house: the stack, whose groups are kept and no others.
    """
    found: dict[str, DesiredFlowLog] = {}
    for each in desired:
        beside = each.elsewhere
        if each.destination_type == CLOUD_WATCH_LOGS and house.keeps(each.destination):
            found[each.destination] = each
            if beside is not None and beside.destination in in_use:
                found[beside.destination] = beside
    return found


def keep(wanted: Mapping[str, DesiredFlowLog], found: Iterable[LogGroup], house: House) -> Iterator[Upkeep]:
    """What is to be done about log groups, in this order."""
    there = {each.name: each for each in found}
    for name, desired in sorted(wanted.items()):
        group = there.get(name)
        if group is None:
            yield MakeGroup(group=name, kms_key_arn=desired.kms_key_arn)
            group = LogGroup(name=name, kms_key_arn=desired.kms_key_arn or None)
        yield from _differences(group, desired, house)


def _differences(group: LogGroup, desired: DesiredFlowLog, house: House) -> Iterator[Upkeep]:
    name, days = group.name, desired.retention_days
    if days is not None and group.retention_days != days:
        had = "for ever" if group.retention_days is None else f"for {group.retention_days} days"
        yield SetRetention(group=name, days=days, reason=f"records were kept {had}: {days} days again")
    if desired.kms_key_arn and group.kms_key_arn != desired.kms_key_arn:
        had = group.kms_key_arn or "the key of CloudWatch Logs"
        yield SetKey(group=name, kms_key_arn=desired.kms_key_arn, reason=f"records were encrypted with {had}")
    if house.monitor_arn:
        yield from _subscription(group, house)


def _subscription(group: LogGroup, house: House) -> Iterator[Upkeep]:
    wanted = Subscription(name=house.stack_name, destination_arn=house.monitor_arn)
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
    yield Subscribe(group=group.name, subscription=wanted, reason=reason)


def role_problems(role: DeliveryRole | None, house: House) -> Iterator[str]:
    """What keeps VPC Flow Logs from writing with the delivery role, and what to do."""
    name = house.delivery_role_arn.rpartition("/")[2]
    mend = f"deploy the stack {house.stack_name} again, or put it back as its template has it"
    if role is None:
        yield f"the delivery role {name} is gone, and no flow log can be written: {mend}"
        return
    if SERVICE not in role.trusted:
        yield f"the delivery role {name} does not trust {SERVICE} any more: {mend}"
    missing = [each for each in NEEDED if not any(_covers(pattern, each) for pattern in role.allowed)]
    if missing and not role.attached:
        yield f"the delivery role {name} may not do {', '.join(missing)} any more: {mend}"
    if role.boundary:
        boundary = f"the delivery role {name} has the permissions boundary {role.boundary}"
        yield f"{boundary}, which may keep it from writing: {mend}"


def _covers(pattern: str, action: str) -> bool:
    """Whether an action of an IAM policy, maybe with `*` at its end, covers another."""
    one, other = pattern.lower(), action.lower()
    return one == other or (one.endswith("*") and other.startswith(one[:-1]))
