"""Decides about the subscription filter of an existing log group, and why one is impossible. Pure.

The stack has one filter for each group, with its own name. It changes nothing else about the group.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from flowwarden.enforcer.state.inventory import STANDARD, FoundSubscription, LogGroup, Subscription
from flowwarden.enforcer.state.stack import Stack
from flowwarden.errors import CallRefused, EnforcementError
from flowwarden.notify.claims import digest
from flowwarden.policy.log_groups import LogGroupSelection, matches
from flowwarden.printable import one_line

STATEMENTS: Final = "flow-warden-existing-"
"""The prefix of the ids of the permissions that the enforcer grants."""
MONITOR: Final = "MonitorFunction"
"""The logical id of the monitor."""
MISSING: Final = (
    "the log group does not exist: check its name in the policy, and whether the flow log delivers to it"
)
GIVEN_UP: Final = "the policy no longer contains the log group"
READ_TWICE: Final = "managed flow logs record the same traffic, which would count twice"
MOST_FILTERS: Final = 2
"""Subscription filters of a log group (CloudWatch Logs quotas)."""


class Subscribe(Struct, frozen=True, kw_only=True, tag=True):
    """Make this subscription filter of an existing log group send every line to the monitor."""

    group: str
    subscription: Subscription
    reason: str


class Unsubscribe(Struct, frozen=True, kw_only=True, tag=True):
    """Delete the stack's subscription filter of an existing log group."""

    group: str
    filter_name: str
    reason: str


class AllowInvocation(Struct, frozen=True, kw_only=True, tag=True):
    """Let CloudWatch Logs invoke the monitor for the log groups of a name or pattern."""

    group: str
    """The name or pattern."""
    statement_id: str
    reason: str = "CloudWatch Logs could not invoke the monitor for it"


class RevokeInvocation(Struct, frozen=True, kw_only=True, tag=True):
    """Withdraw such a permission, which no log group needs any more."""

    group: str
    """The name or pattern."""
    statement_id: str
    reason: str = "the policy no longer contains it, and no filter needs it"


type SubscriptionStep = Subscribe | Unsubscribe | AllowInvocation | RevokeInvocation


def wanted(stack: Stack) -> Subscription:
    """The stack's filter: every line to the monitor."""
    return Subscription(name=stack.stack_name, destination_arn=stack.monitor_arn)


def own_filter(group: LogGroup, stack: Stack) -> Subscription | None:
    """The filter through which the monitor gets every line of a group; None if there is none."""
    goal = wanted(stack)
    fits = (each for each in group.subscriptions if is_same(each, goal))
    return next(fits, None)


def is_same(found: Subscription, goal: Subscription) -> bool:
    """Whether a filter, whatever its name, has the effect of the other one."""
    return (found.destination_arn, found.pattern) == (goal.destination_arn, goal.pattern)


def why_impossible(group: LogGroup, stack: Stack, *, was_read: bool = False) -> str:
    """Why a group cannot be subscribed, and what to do; '' if it can, or is.

    `was_read`: whether records of the group reached the monitor lately, so that a filter with the stack's
    name was the stack's.
    """
    if group.log_class != STANDARD:
        return (
            f"the log group has the class {group.log_class}, which takes no subscription filter, and a class "
            "cannot be changed: let the flow log deliver to a group of the class STANDARD"
        )
    if group.is_masked:
        return (
            "a data protection policy of the log group or of the account masks parts of the lines, also for "
            "subscriptions, so the monitor could not read addresses: delete the log group's policy, or "
            "exclude the log group from the account's policy"
        )
    if not was_read and (taken := _taken(group, stack)):
        return (
            f"it has a subscription filter with the stack's name, {one_line(taken.name)}, which sends to "
            f"{one_line(taken.destination_arn)} and may belong to another tool, so it is not overwritten: "
            "delete it, or let that tool use another name"
        )
    others = [each for each in group.subscriptions if each.name != stack.stack_name]
    if own_filter(group, stack) is None and len(others) >= MOST_FILTERS:
        named = " and ".join(f"{one_line(each.name)} to {one_line(each.destination_arn)}" for each in others)
        return (
            f"the log group has the maximum of {MOST_FILTERS} subscription filters ({named}): delete one "
            "that is not needed, or use one destination for both"
        )
    return ""


def _taken(group: LogGroup, stack: Stack) -> Subscription | None:
    """A filter with the stack's name that may belong to others; None if there is none."""
    if own_filter(group, stack) is not None:
        return None
    named = (each for each in group.subscriptions if each.name == stack.stack_name)
    return next((each for each in named if not _is_of_stack(each.destination_arn, stack)), None)


def _is_of_stack(destination_arn: str, stack: Stack) -> bool:
    """Whether a destination is the monitor, a version of it, or the stack's monitor before a replacement.

    CloudFormation names the function after the stack and its logical id.
    """
    functions = stack.monitor_arn.rpartition(":")[0]
    former = f"{functions}:{stack.stack_name}-{MONITOR}-"
    return destination_arn == stack.monitor_arn or destination_arn.startswith(
        (f"{stack.monitor_arn}:", former)
    )


def step_for(group: LogGroup, stack: Stack) -> Subscribe | None:
    """The step that subscribes a group; None if it is subscribed.

    A filter with the stack's name is overwritten: see `why_impossible`, which names those of others.
    """
    if own_filter(group, stack) is not None:
        return None
    goal = wanted(stack)
    had = next((each for each in group.subscriptions if each.name == goal.name), None)
    reason = f"subscription filter {goal.name} was missing"
    if had is not None:
        reason = f"subscription filter sent {had.pattern or 'every line'!r} to {had.destination_arn}"
    return Subscribe(
        group=group.name, subscription=goal, reason=f"{reason}; required: every line to the monitor"
    )


def steps_against(groups: Iterable[LogGroup], stack: Stack, reason: str) -> Iterator[Unsubscribe]:
    """The steps that remove the stack's filters from groups that it reads no longer.

    A pattern may also match the stack's own groups, whose filters stay.
    """
    others = (each for each in groups if not stack.keeps(each.name))
    return own_by_name(others, stack.stack_name, stack.monitor_arn, reason)


def own_by_name(
    groups: Iterable[LogGroup], filter_name: str, monitor_arn: str, reason: str = ""
) -> Iterator[Unsubscribe]:
    """The steps that remove the filters with this name that deliver to this function."""
    for each in groups:
        for one in each.subscriptions:
            if (one.name, one.destination_arn) == (filter_name, monitor_arn):
                yield Unsubscribe(group=each.name, filter_name=one.name, reason=reason)


def statement_id(selection: LogGroupSelection) -> str:
    """The id of the permission for a selection. With other tags, it is another one: see `existing_groups`."""
    tags = [f"{key}={value}" for key, value in sorted(selection.tags.items())]
    return f"{STATEMENTS}{digest(selection.name, *tags)[:16]}"


class Request(Struct, frozen=True, kw_only=True):
    """The existing log groups that a run wants to read."""

    names: frozenset[str]
    """Each is named by a selection; its tags are not considered yet."""
    selections: tuple[LogGroupSelection, ...]
    """Those of the policy."""
    young: frozenset[str] = frozenset()
    """Those that may not exist yet, because their flow logs are new."""
    twice: frozenset[str] = frozenset()
    """Those that must not be read, because managed flow logs record the same traffic."""
    was_read: frozenset[str] = frozenset()
    """Those whose records reached the monitor lately."""


class Sorted(Struct, frozen=True, kw_only=True):
    """Groups, sorted by what to do."""

    since: Mapping[str, int]
    """Since when the monitor reads a group (Unix seconds): from now on, if it must be subscribed first."""
    steps: tuple[Subscribe, ...]
    impossible: Mapping[str, str]
    """The groups that cannot be subscribed, each with the reason and what to do."""
    failed: Mapping[str, EnforcementError]
    """The groups that could not be read, perhaps for a short time."""


def sort(
    found: Mapping[str, LogGroup | EnforcementError],
    names: Iterable[str],
    request: Request,
    stack: Stack,
    now: int,
) -> Sorted:
    """Sort groups by what to do.

    Args:
        found: those that exist, or why they could not be read.
        names: the groups of the request that have the tags.
        request: which groups are wanted.
        stack: the stack.
        now: Unix seconds.
    """
    since: dict[str, int] = {}
    steps: list[Subscribe] = []
    impossible: dict[str, str] = {}
    failed: dict[str, EnforcementError] = {}
    for name in names:
        group = found.get(name)
        if isinstance(group, CallRefused):
            impossible[name] = f"could not be read: {group}"
        elif isinstance(group, EnforcementError):
            failed[name], since[name] = group, now
        elif group is None and name in request.young:
            since[name] = now  # its first record creates it
        elif group is None:
            impossible[name] = MISSING
        elif reason := why_impossible(group, stack, was_read=name in request.was_read):
            impossible[name] = reason
        else:
            step, own = step_for(group, stack), own_filter(group, stack)
            steps += [step] if step else []
            known = own.creation_time if isinstance(own, FoundSubscription) else None
            since[name] = now if own is None else known or 0
    return Sorted(since=since, steps=tuple(steps), impossible=impossible, failed=failed)


def grants(
    readable: Iterable[str], selections: Iterable[LogGroupSelection], granted: Mapping[str, str]
) -> tuple[AllowInvocation, ...]:
    """The permissions that are missing: one for each selection that names a readable group.

    `granted` are the existing ones: the name or pattern by statement id.
    """
    groups = list(readable)
    return tuple(
        AllowInvocation(group=each.name, statement_id=statement_id(each))
        for each in selections
        if granted.get(statement_id(each)) != each.name and any(matches(each.name, one) for one in groups)
    )


def prefixes_of(names: Collection[str], selections: Iterable[LogGroupSelection]) -> list[str]:
    """Few prefixes that list all these groups: those of the selections, without those inside another one."""
    used = {each.prefix for each in selections if any(matches(each.name, name) for name in names)}
    return sorted(
        each for each in used if not any(each != other and each.startswith(other) for other in used)
    )


class Reading(Struct, frozen=True, kw_only=True):
    """The existing log groups that the monitor reads, and what was done or must be done for it."""

    groups: Mapping[str, int] = {}
    """Since when each is subscribed, Unix seconds."""
    steps: tuple[SubscriptionStep, ...] = ()
    """The steps that were executed; in a dry run, those that would be."""
    impossible: Mapping[str, str] = {}
    """The groups that cannot be subscribed, each with the reason and what to do."""
    failed: Mapping[str, str] = {}
    """Groups, names and patterns for which a call failed, perhaps for a short time."""
