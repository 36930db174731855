"""Checks whether VPC Flow Logs can write with the delivery role. Pure.

The enforcer only reports problems and never repairs the role: permission to write IAM policies amounts to
permission for everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from flowwarden.enforcer.decide.iam_policy import AccessRequest, Permitted, Statement, evaluate, is_denied
from flowwarden.enforcer.state.stack import Stack
from flowwarden.notify.claims import digest

SERVICE: Final = "vpc-flow-logs.amazonaws.com"
NEEDED: Final = ("logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams")
"""The actions that VPC Flow Logs performs with the delivery role (VPC User Guide, Publish flow logs to
CloudWatch Logs)."""


class DeliveryRole(Struct, frozen=True, kw_only=True):
    """The delivery role as IAM describes it."""

    trusted: tuple[str, ...] = ()
    """Services that may assume the role."""
    statements: tuple[Statement, ...] = ()
    """Statements of its inline and attached policies."""
    unread: tuple[str, ...] = ()
    """Why some policies could not be read, so that its permissions are not fully known."""
    boundary: str = ""


def role_problems(role: DeliveryRole | None, stack: Stack) -> Iterator[str]:
    """What prevents VPC Flow Logs from writing with the delivery role, and the fix.

    What cannot be determined (a condition, an unreadable policy) is not reported as a problem; records show
    whether the role works. See `role_doubts`.
    """
    name, fix = _name(stack), _fix(stack)
    if role is None:
        yield f"the delivery role {name} does not exist, so flow logs cannot be written: {fix}"
        return
    if SERVICE not in role.trusted:
        yield f"the delivery role {name} no longer trusts {SERVICE}: {fix}"
    denied, missing = _kept_from(role, stack)
    if denied:
        yield f"the delivery role {name} is denied {', '.join(denied)} by one of its policies: {fix}"
    if missing:
        yield f"the delivery role {name} no longer allows {', '.join(missing)}: {fix}"


def role_doubts(role: DeliveryRole | None, stack: Stack) -> Iterator[tuple[str, str]]:
    """What may prevent VPC Flow Logs from writing. It may be intended, and then persists.

    Returns:
        Pairs of incident key, which stays the same while the cause does, and description.
    """
    if role is None:
        return
    if role.boundary:
        has = f"the delivery role {_name(stack)} has the permissions boundary {role.boundary}"
        yield (
            digest("role-boundary", role.boundary),
            f"{has}, which may prevent it from writing: {_fix(stack)}",
        )
    if role.unread:
        # The key excludes IAM's error messages, whose wording may vary.
        unknown = f"it is unknown whether the delivery role {_name(stack)} may write"
        yield (
            digest("role-unread"),
            f"{unknown}, because policies could not be read: {'; '.join(role.unread)}",
        )


def _name(stack: Stack) -> str:
    return stack.delivery_role_arn.rpartition("/")[2]


def _fix(stack: Stack) -> str:
    return f"redeploy the stack {stack.stack_name}, or restore the role as its template defines it"


def _kept_from(role: DeliveryRole, stack: Stack) -> tuple[list[str], list[str]]:
    """The needed actions that are denied, and those that no policy allows."""
    requests = [_request(each, stack) for each in NEEDED]
    denied = [each.action for each in requests if is_denied(role.statements, each)]
    # A policy that could not be read may allow the action.
    kept = (
        [] if role.unread else [each for each in requests if evaluate(role.statements, each) is Permitted.NO]
    )
    return denied, [each.action for each in kept if each.action not in denied]


def _request(action: str, stack: Stack) -> AccessRequest:
    """An action in the stack's log group: IAM evaluates it for one log stream or for all of them."""
    group = f"arn:{stack.partition}:logs:{stack.region}:{stack.account_id}:log-group:{stack.log_group_name}"
    streams = (f"{group}:log-stream:", f"{group}:log-stream:eni-0123456789abcdef0-all")
    return AccessRequest(action=action, resources=streams, possibly=(group,))
