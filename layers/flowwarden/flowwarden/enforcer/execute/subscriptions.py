"""Executes steps for the subscriptions of existing log groups, and for the permissions that these need.

A step that fails does not stop the others. Throttled steps are repeated together while there is time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from flowwarden.enforcer.decide.subscriptions import (
    AllowInvocation,
    RevokeInvocation,
    Subscribe,
    Unsubscribe,
)
from flowwarden.enforcer.execute.backoff import has_time, with_backoff
from flowwarden.enforcer.ports import ExistingLogGroups, InvokePermissions, RunClock
from flowwarden.errors import CallRefused, EnforcementError
from flowwarden.policy.log_groups import ANYTHING, matches

ROUNDS: Final = 4
"""Attempts for steps that are throttled."""
SETTLE_SECONDS: Final = 5.0
"""A new permission may take seconds until CloudWatch Logs can use it."""

type Errors = dict[str, EnforcementError]
"""By log group, name or pattern."""


class SubscriptionExecutor:
    """Changes subscription filters and permissions."""

    def __init__(
        self, groups: ExistingLogGroups, permissions: InvokePermissions | None, clock: RunClock
    ) -> None:
        self._groups = groups
        self._permissions = permissions
        self._clock = clock

    def subscribe(self, grants: Sequence[AllowInvocation], steps: Sequence[Subscribe]) -> Errors:
        """Grant first, then subscribe: CloudWatch Logs tests whether it may invoke the monitor."""
        errors = self._permit(grants)
        failed = self._change(steps)
        names = [each.group for each in grants]
        early = [
            each
            for each in steps
            if isinstance(failed.get(each.group), CallRefused)
            and any(matches(name, each.group) for name in names)
        ]
        if early and has_time(self._clock, SETTLE_SECONDS):
            self._clock.wait(SETTLE_SECONDS)
            for each in early:
                del failed[each.group]
            failed |= self._change(early)
        return errors | failed

    def give_up(
        self, steps: Sequence[Unsubscribe], dropped: Mapping[str, str], unread: Sequence[str]
    ) -> Errors:
        """Remove filters, then the permissions under which none is left.

        Args:
            steps: the filters.
            dropped: the permissions that the policy no longer needs: the name or pattern by statement id.
            unread: names and patterns under which filters may be left, because they could not be read.
        """
        errors = self._change(steps)
        finished = [
            RevokeInvocation(group=name, statement_id=sid)
            for sid, name in dropped.items()
            if not any(matches(name, left) for left in errors)
            and not any(left.startswith(name.removesuffix(ANYTHING)) for left in unread)
        ]
        return errors | self._permit(finished)

    def _permit(self, steps: Sequence[AllowInvocation | RevokeInvocation]) -> Errors:
        errors: Errors = {}
        permissions = self._permissions
        if permissions is None:
            return errors
        for each in steps:
            try:
                with_backoff(lambda step=each: permissions.change(step), self._clock)  # type: ignore[misc]  # the type of a default is not inferred
            except EnforcementError as error:
                errors[each.group] = error
        return errors

    def _change(self, steps: Sequence[Subscribe] | Sequence[Unsubscribe]) -> Errors:
        """Change the filters; those that fail for a short time again while there is time."""
        errors: Errors = {}
        left: list[Subscribe | Unsubscribe] = list(steps)
        for number in range(ROUNDS):
            if not left or (number and not has_time(self._clock, 2.0**number)):
                break
            if number:
                self._clock.wait(2.0**number)
            failed = {
                each.group: error
                for each, error in zip(left, self._groups.change(left), strict=True)
                if error is not None
            }
            for each in left:
                errors.pop(each.group, None)
            errors |= failed
            left = [each for each in left if _may_pass(failed.get(each.group))]
        return errors


def _may_pass(error: EnforcementError | None) -> bool:
    return error is not None and not isinstance(error, CallRefused)
