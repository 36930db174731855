"""Removes the stack's subscription filters from existing log groups, when the stack is deleted.

The names and patterns come from the monitor's resource policy, so that also groups of an earlier policy are
found. Nothing else about a group is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from flowwarden.aws.clients import make_client
from flowwarden.aws.existing_log_groups import ExistingGroups
from flowwarden.aws.invoke_permissions import MonitorPermissions
from flowwarden.enforcer.decide.subscriptions import Unsubscribe, own_by_name
from flowwarden.enforcer.ports import ExistingLogGroups, InvokePermissions
from flowwarden.enforcer.state.inventory import LogGroup
from flowwarden.errors import EnforcementError
from flowwarden.policy.log_groups import ANYTHING, matches

AT_ONCE: Final = 50
"""Filters that are removed before the remaining time is checked."""
RESERVE_SECONDS: Final = 40.0
"""Left to begin the next removals: 20 s for them, and 20 s for the response to CloudFormation."""
REGION: Final = 3
"""The place of the Region in an ARN."""
ACCOUNT: Final = 4


def remove_on_aws(monitor_arn: str, filter_name: str, time_left: Callable[[], float]) -> list[str]:
    """See `remove`, on AWS."""
    parts = monitor_arn.split(":")
    region, account = parts[REGION], parts[ACCOUNT]
    groups = ExistingGroups(make_client("logs", region), lambda: None)
    permissions = MonitorPermissions(make_client("lambda", region), monitor_arn, account, "")
    return remove(groups, permissions, monitor_arn, filter_name, time_left)


def remove(
    groups: ExistingLogGroups,
    permissions: InvokePermissions,
    monitor_arn: str,
    filter_name: str,
    time_left: Callable[[], float],
) -> list[str]:
    """Remove the filters.

    Args:
        groups: the log groups of the account.
        permissions: who may invoke the monitor.
        monitor_arn: the function to which the filters deliver.
        filter_name: the name of the stack's filters.
        time_left: the remaining seconds.

    Returns:
        What is left, each with the reason; empty if nothing is.

    Raises:
        EnforcementError: the names and patterns cannot be read.
    """
    names = sorted(set(permissions.granted().values()))
    if not names:
        return []
    found = groups.describe([each.removesuffix(ANYTHING) for each in names])
    left = [f"{name}: {each}" for name, each in found.items() if isinstance(each, EnforcementError)]
    subscribed = [
        each
        for name, each in found.items()
        if isinstance(each, LogGroup) and any(matches(one, name) for one in names)
    ]
    steps = list(own_by_name(subscribed, filter_name, monitor_arn))
    return left + _removed(groups, steps, time_left)


def _removed(
    groups: ExistingLogGroups, steps: Sequence[Unsubscribe], time_left: Callable[[], float]
) -> list[str]:
    """Remove some at a time while there is time; returns what is left."""
    left: list[str] = []
    for start in range(0, len(steps), AT_ONCE):
        some = steps[start : start + AT_ONCE]
        if time_left() < RESERVE_SECONDS:
            return left + [f"{each.group}: there was no time left" for each in steps[start:]]
        errors = groups.change(some)
        left += [f"{each.group}: {error}" for each, error in zip(some, errors, strict=True) if error]
    return left
