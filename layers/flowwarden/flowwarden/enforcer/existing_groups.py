"""Subscribes the monitor to the existing log groups of the policy, and unsubscribes it from dropped ones.

Runs before the plans for VPCs are made, because a VPC whose flow log delivers into a subscribed group needs
no second one. A group that cannot be subscribed does not count, so its VPCs get managed flow logs; other
groups are not affected. A temporary failure causes no second flow log: the group counts, and the next run
tries again.

The permissions to invoke the monitor are also the record of what was subscribed: each belongs to a name or
pattern of the policy, with its tags. If the policy no longer contains it, the groups under it lose the
filter, and then the permission is withdrawn.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec.structs import replace

from flowwarden.enforcer.decide.subscriptions import (
    GIVEN_UP,
    READ_TWICE,
    Reading,
    Request,
    Sorted,
    SubscriptionStep,
    Unsubscribe,
    grants,
    prefixes_of,
    sort,
    statement_id,
    steps_against,
)
from flowwarden.enforcer.execute.backoff import with_backoff
from flowwarden.enforcer.execute.subscriptions import Errors, SubscriptionExecutor
from flowwarden.enforcer.group_listing import described, unread
from flowwarden.enforcer.ports import Described, ExistingLogGroups, InvokePermissions, RunClock
from flowwarden.enforcer.state.inventory import LogGroup
from flowwarden.enforcer.state.stack import Stack
from flowwarden.errors import CallRefused, EnforcementError
from flowwarden.policy.log_groups import ANYTHING, LogGroupSelection, matches


class ExistingGroupReader:
    """Subscribes the monitor, for one account and Region."""

    def __init__(
        self, groups: ExistingLogGroups, permissions: InvokePermissions | None, stack: Stack, clock: RunClock
    ) -> None:
        self._groups = groups
        self._permissions = permissions
        self._stack = stack
        self._clock = clock
        self._executor = SubscriptionExecutor(groups, permissions, clock)

    def read(self, request: Request, now: int, *, everything: bool, dry_run: bool) -> Reading:
        """Subscribe the monitor to the groups of a request; `now` is Unix seconds.

        Args:
            request: the groups, and the selections that name them.
            now: Unix seconds.
            everything: whether to unsubscribe the groups that the policy has dropped.
            dry_run: whether to change nothing.
        """
        granted, failed = self._granted()
        names, unsure, untagged = self._tagged(request)
        state = sort(self._described(names, request.selections, now), names, request, self._stack, now)
        missing = grants(state.since, request.selections, granted)
        state = replace(state, since={**dict.fromkeys(unsure, now), **state.since})
        current = {statement_id(each) for each in request.selections}
        # A group whose tags cannot be read may need a filter and a permission that seem to be dropped.
        gives_up = everything and not unsure
        dropped = {sid: name for sid, name in granted.items() if gives_up and sid not in current}
        gone, unknown = self._dropped(dropped, names, now)
        gone += self._read_twice(request, granted, now) if gives_up and not dropped else []
        failed = {**failed, **untagged, **unread({**state.failed, **unknown})}
        steps: tuple[SubscriptionStep, ...] = (*missing, *state.steps, *gone)
        if dry_run:
            return Reading(groups=state.since, steps=steps, impossible=state.impossible, failed=failed)
        errors = self._executor.subscribe(missing, state.steps)
        if any(each.group in errors for each in missing):
            # Without the new permissions, filters work only with the old ones: the next run gives these up.
            return _reading(state, (*missing, *state.steps), failed, errors)
        errors |= self._executor.give_up(gone, dropped, [*unknown])
        return _reading(state, steps, failed, errors)

    def _granted(self) -> tuple[Mapping[str, str], dict[str, str]]:
        """The permissions, as name or pattern by statement id. That they cannot be read is not fatal."""
        if self._permissions is None:
            return {}, {}
        try:
            return with_backoff(self._permissions.granted, self._clock), {}
        except EnforcementError as error:
            return {}, {"invoke permissions of the monitor": f"could not be read: {error}"}

    def _tagged(self, request: Request) -> tuple[list[str], set[str], dict[str, str]]:
        """The groups that have the tags of a selection that names them, and what could not be read.

        Between both, the groups that may have the tags: if these cannot be read for a short time, the groups
        count, and stay as they are.
        """
        chosen: set[str] = set()
        unsure: set[str] = set()
        failed: dict[str, str] = {}
        for each in request.selections:
            named = {group for group in request.names if matches(each.name, group)} - chosen
            try:
                chosen |= named & self._with_tags(each.tags) if named and each.tags else named
            except EnforcementError as error:
                failed[each.name] = f"the tags of log groups could not be read: {error}"
                unsure |= set() if isinstance(error, CallRefused) else named
        return sorted(chosen), unsure - chosen, failed

    def _with_tags(self, tags: Mapping[str, str]) -> frozenset[str]:
        return with_backoff(lambda: self._groups.tagged(tags), self._clock)

    def _described(
        self, names: Sequence[str], selections: Collection[LogGroupSelection], now: int
    ) -> Described:
        """The groups. The error of a listing concerns each group that it should have listed."""
        if not names:
            return {}
        found = described(self._groups, prefixes_of(names, selections), names, self._clock, now)
        for listing in [each for each in found if each.endswith(ANYTHING)]:
            error = found.pop(listing)
            found |= {name: error for name in names if matches(listing, name) and name not in found}
        return found

    def _dropped(
        self, dropped: Mapping[str, str], kept: Collection[str], now: int
    ) -> tuple[list[Unsubscribe], dict[str, EnforcementError]]:
        """The steps against the filters of groups that the policy has dropped, and what could not be read."""
        if not dropped:
            return [], {}
        prefixes = sorted({name.removesuffix(ANYTHING) for name in dropped.values()})
        found = described(self._groups, prefixes, None, self._clock, now)
        groups = [
            each
            for name, each in found.items()
            if isinstance(each, LogGroup)
            and name not in kept
            and any(matches(one, name) for one in dropped.values())
        ]
        errors = {name: each for name, each in found.items() if isinstance(each, EnforcementError)}
        return list(steps_against(groups, self._stack, GIVEN_UP)), errors

    def _read_twice(self, request: Request, granted: Mapping[str, str], now: int) -> list[Unsubscribe]:
        """The steps against filters whose groups need not be read; an error waits for the next run."""
        ever = {each for each in request.twice if any(matches(one, each) for one in granted.values())}
        found = self._described(sorted(ever), request.selections, now).values()
        groups = [each for each in found if isinstance(each, LogGroup)]
        return list(steps_against(groups, self._stack, READ_TWICE))


def _reading(
    state: Sorted, steps: Sequence[SubscriptionStep], failed: Mapping[str, str], errors: Errors
) -> Reading:
    """What is read after the steps: a group whose subscription AWS refused is not."""
    refused = {
        name: str(error)
        for name, error in errors.items()
        if isinstance(error, CallRefused) and name in state.since
    }
    others = {name: str(error) for name, error in errors.items() if name not in refused}
    return Reading(
        groups={name: since for name, since in state.since.items() if name not in refused},
        steps=tuple(each for each in steps if each.group not in errors),
        impossible={**state.impossible, **refused},
        failed={**failed, **others},
    )
