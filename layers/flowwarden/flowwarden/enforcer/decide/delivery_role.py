"""Can VPC Flow Logs write with the delivery role? Pure.

The enforcer only tells of what is wrong: whoever may write IAM policies may do anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from flowwarden.enforcer.decide.iam_policy import Able, Deed, Statement, able, is_denied
from flowwarden.enforcer.state.stack import Stack
from flowwarden.notify.claims import digest

SERVICE: Final = "vpc-flow-logs.amazonaws.com"
NEEDED: Final = ("logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams")
"""What VPC Flow Logs does with the delivery role (VPC User Guide, Publish flow logs to CloudWatch Logs)."""


class DeliveryRole(Struct, frozen=True, kw_only=True):
    """The delivery role as IAM tells it."""

    trusted: tuple[str, ...] = ()
    """Services that may assume it."""
    statements: tuple[Statement, ...] = ()
    """Of its own policies and of those that are attached to it."""
    unread: tuple[str, ...] = ()
    """Why policies could not be read, so that nobody knows all that it may do."""
    boundary: str = ""


def role_problems(role: DeliveryRole | None, stack: Stack) -> Iterator[str]:
    """What keeps VPC Flow Logs from writing with the delivery role, and what to do.

    What nobody can tell (a condition, a policy that may not be read) is no problem of the role; records tell
    whether it works. See `role_doubts`.
    """
    name, mend = _name(stack), _mend(stack)
    if role is None:
        yield f"the delivery role {name} is gone, and no flow log can be written: {mend}"
        return
    if SERVICE not in role.trusted:
        yield f"the delivery role {name} does not trust {SERVICE} any more: {mend}"
    denied, missing = _kept_from(role, stack)
    if denied:
        yield f"the delivery role {name} is denied {', '.join(denied)} by one of its policies: {mend}"
    if missing:
        yield f"the delivery role {name} may not do {', '.join(missing)} any more: {mend}"


def role_doubts(role: DeliveryRole | None, stack: Stack) -> Iterator[tuple[str, str]]:
    """What may keep VPC Flow Logs from writing, or may not: where somebody wants it so, it stays for ever.

    Returns:
        The incident, the same for as long as it is the same, and what it is.
    """
    if role is None:
        return
    if role.boundary:
        has = f"the delivery role {_name(stack)} has the permissions boundary {role.boundary}"
        yield digest("role-boundary", role.boundary), f"{has}, which may keep it from writing: {_mend(stack)}"
    if role.unread:
        # Not by what IAM says of it, which may be other words each time.
        unknown = f"it is unknown whether the delivery role {_name(stack)} may write"
        yield digest("role-unread"), f"{unknown}, because not all could be read: {'; '.join(role.unread)}"


def _name(stack: Stack) -> str:
    return stack.delivery_role_arn.rpartition("/")[2]


def _mend(stack: Stack) -> str:
    return f"deploy the stack {stack.stack_name} again, or put it back as its template has it"


def _kept_from(role: DeliveryRole, stack: Stack) -> tuple[list[str], list[str]]:
    """The needed actions that are denied, and those that no policy allows."""
    deeds = [_deed(each, stack) for each in NEEDED]
    denied = [each.action for each in deeds if is_denied(role.statements, each)]
    # What could not be read may allow it.
    kept = [] if role.unread else [each for each in deeds if able(role.statements, each) is Able.NO]
    return denied, [each.action for each in kept if each.action not in denied]


def _deed(action: str, stack: Stack) -> Deed:
    """An action in the stack's log group: IAM asks about a stream of it, or about all of them."""
    partition = stack.delivery_role_arn.partition(":")[2].partition(":")[0] or "aws"
    group = f"arn:{partition}:logs:{stack.region}:{stack.account_id}:log-group:{stack.log_group_name}"
    streams = (f"{group}:log-stream:", f"{group}:log-stream:eni-0123456789abcdef0-all")
    return Deed(action=action, resources=streams, nearly=(group,))
