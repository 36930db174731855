"""Removes the stack's subscription filters from existing log groups, when the stack is deleted.

The names and patterns come from the monitor's resource policy, so that also groups of an earlier policy are
found. Nothing else about a group is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import batched
from typing import Final

from msgspec import Struct

from flowwarden.aws.clients import make_client
from flowwarden.aws.existing_log_groups import ExistingGroups
from flowwarden.aws.invoke_permissions import MonitorPermissions
from flowwarden.enforcer.decide.subscriptions import own_by_name
from flowwarden.enforcer.ports import ExistingLogGroups, InvokePermissions
from flowwarden.enforcer.state.inventory import LogGroup
from flowwarden.errors import EnforcementError, NotFound
from flowwarden.policy.log_groups import ANYTHING, matches

AT_ONCE: Final = 50
"""Groups whose filters are removed before the remaining time is checked."""
RESERVE_SECONDS: Final = 40.0
"""Left to begin the next removals: 20 s for them, and 20 s for the response to CloudFormation."""
REGION: Final = 3
"""The place of the Region in an ARN."""
ACCOUNT: Final = 4


class OwnFilters(Struct, frozen=True, kw_only=True):
    """Which filters are removed: those with this name that deliver to this function."""

    name: str
    monitor_arn: str
    own_group: str = ""
    """The stack's own log group. A pattern of the policy may match its name, too, but CloudFormation removes
    its filter, and denies that to others."""


def remove_on_aws(
    monitor_arn: str, filter_name: str, own_group: str, time_left: Callable[[], float], turn: int
) -> list[str]:
    """See `remove`, on AWS."""
    parts = monitor_arn.split(":")
    region, account = parts[REGION], parts[ACCOUNT]
    groups = ExistingGroups(make_client("logs", region), lambda: None)
    permissions = MonitorPermissions(make_client("lambda", region), monitor_arn, account, "")
    filters = OwnFilters(name=filter_name, monitor_arn=monitor_arn, own_group=own_group)
    return remove(groups, permissions, filters, time_left, turn)


def remove(
    groups: ExistingLogGroups,
    permissions: InvokePermissions,
    filters: OwnFilters,
    time_left: Callable[[], float],
    turn: int = 0,
) -> list[str]:
    """Remove the filters, some at a time: those of the first groups go even if there is no time for all.

    Args:
        groups: the log groups of the account.
        permissions: who may invoke the monitor.
        filters: which filters are removed.
        time_left: the remaining seconds.
        turn: decides with which group the removal begins; different in each attempt.

    Returns:
        What is left, each with the reason; empty if nothing is.

    Raises:
        EnforcementError: the names and patterns cannot be read.
    """
    names = sorted(set(permissions.granted().values()))
    if not names:
        return []
    found = groups.listed([each.removesuffix(ANYTHING) for each in names])
    left = [f"{name}: {each}" for name, each in found.items() if isinstance(each, EnforcementError)]
    named = [
        each
        for name, each in found.items()
        if isinstance(each, LogGroup)
        and name != filters.own_group
        and any(matches(one, name) for one in names)
    ]
    for some in batched(_from(turn, named), AT_ONCE, strict=False):
        if time_left() < RESERVE_SECONDS:
            left += [f"{each.name}: there was no time left to look for the filter" for each in some]
        else:
            left += _removed(groups, some, filters)
    return left


def _from(turn: int, named: Sequence[LogGroup]) -> list[LogGroup]:
    """The groups, beginning with another one in another turn: those without a filter are looked at, too."""
    first = turn % len(named) if named else 0
    return [*named[first:], *named[:first]]


def _removed(groups: ExistingLogGroups, some: Sequence[LogGroup], filters: OwnFilters) -> Iterator[str]:
    """Remove the filters of some groups; returns what is left."""
    read = list(zip(some, groups.subscribed(some), strict=True))
    for group, each in read:
        if isinstance(each, EnforcementError) and not isinstance(each, NotFound):
            yield f"{group.name}: {each}"
    there = [each for _, each in read if isinstance(each, LogGroup)]
    steps = list(own_by_name(there, filters.name, filters.monitor_arn))
    for step, error in zip(steps, groups.change(steps), strict=True):
        if error:
            yield f"{step.group}: {error}"
