"""Reads existing log groups with their subscriptions, some at a time, as long as the run has time.

Hundreds of groups take one call each. What is not read because of that stays as it is. Another run begins
with other groups, so that each is read now and then.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import batched
from typing import Final
from zlib import crc32

from flowwarden.enforcer.execute.backoff import has_time
from flowwarden.enforcer.ports import ExistingLogGroups, RunClock
from flowwarden.enforcer.state.inventory import LogGroup
from flowwarden.errors import EnforcementError, NotFound, OutOfTime
from flowwarden.notify.text import plural

AT_ONCE: Final = 50
"""Groups that are read before the remaining time is checked."""
RESERVE_SECONDS: Final = 90.0
"""Left for the rest of the run: the plans of the VPCs, and their repair."""
UNREAD: Final = "existing log groups"
"""The resource of a report about groups that were not read."""


def described(
    groups: ExistingLogGroups,
    prefixes: Collection[str],
    names: Collection[str] | None,
    clock: RunClock,
    turn: int = 0,
) -> dict[str, LogGroup | EnforcementError]:
    """The groups whose names begin with one of the prefixes, with their subscriptions.

    Args:
        groups: the groups of the account.
        prefixes: what the names begin with.
        names: limits them to these; None for all.
        clock: the time of the run. The error of a group that there was no time for is OutOfTime.
        turn: decides with which group the reading begins; different in each run.
    """
    listed = groups.listed(prefixes, names)
    found = {name: each for name, each in listed.items() if isinstance(each, EnforcementError)}
    read: dict[str, LogGroup | EnforcementError] = {}
    for some in batched(_from(turn, listed), AT_ONCE, strict=False):
        there = has_time(clock, RESERVE_SECONDS)
        answers = groups.subscribed(some) if there else [OutOfTime("there was no time left")] * len(some)
        read |= {each.name: answer for each, answer in zip(some, answers, strict=True)}
    return found | {name: each for name, each in read.items() if not isinstance(each, NotFound)}


def _from(turn: int, listed: Mapping[str, LogGroup | EnforcementError]) -> list[LogGroup]:
    """The groups, beginning with another one in another turn."""
    wanted = [each for each in listed.values() if isinstance(each, LogGroup)]
    first = crc32(str(turn).encode()) % len(wanted) if len(wanted) > AT_ONCE else 0
    return [*wanted[first:], *wanted[:first]]


def unread(found: Mapping[str, EnforcementError]) -> dict[str, str]:
    """What to report about groups that could not be read; one entry for all that there was no time for."""
    late = [name for name, error in found.items() if isinstance(error, OutOfTime)]
    others = {name: error for name, error in found.items() if not isinstance(error, OutOfTime)}
    report = {name: f"could not be read: {error}" for name, error in others.items()}
    if late:
        report[UNREAD] = (
            f"{plural(len(late), 'log group')} could not be read, because the run had no time left, such as "
            f"{late[0]}; what they have stays, and the next sweep begins with other groups"
        )
    return report
