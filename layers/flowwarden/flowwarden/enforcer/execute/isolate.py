"""Makes a call about many resources; if it fails, isolates the few that make it fail.

AWS answers a call about many resources completely or not at all. So the list is halved until each failure is
about a single resource, level by level: the others are handled although one cannot be.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from flowwarden.enforcer.execute.backoff import has_time
from flowwarden.enforcer.ports import RunClock
from flowwarden.errors import EnforcementError

CALLS_AT_MOST: Final = 64
"""Enough to isolate a few resources among hundreds."""
FAILED_CALLS: Final = 16
"""If so many calls failed and none succeeded, the cause is not a single resource."""


class Isolated[Answer](Struct, frozen=True, kw_only=True):
    """The answers, the resources that they are about, and the resources without an answer."""

    answers: tuple[Answer, ...]
    done: tuple[str, ...]
    failed: Mapping[str, EnforcementError]
    """By name, in the given order."""


def isolate[Answer](
    call: Callable[[Sequence[str]], Answer],
    names: Sequence[str],
    clock: RunClock,
    *,
    calls_at_most: int = CALLS_AT_MOST,
) -> Isolated[Answer]:
    """Call with all names, and with ever smaller parts of the list while calls fail and there is time.

    Args:
        call: the call. It must be safe to repeat, because a failed call may have had an effect.
        names: the resources.
        clock: the remaining time.
        calls_at_most: resources that are not isolated by then count as failed.
    """
    waiting = deque([list(names)] if names else [])
    answers: list[Answer] = []
    failed: dict[str, EnforcementError] = {}
    calls, last = 0, None
    while waiting:
        some = waiting.popleft()
        failed_only = calls >= FAILED_CALLS and not answers
        if last is not None and (failed_only or calls >= calls_at_most or not has_time(clock)):
            failed |= dict.fromkeys(some, last)
            continue
        calls += 1
        try:
            answers.append(call(some))
        except EnforcementError as error:
            last = error
            if len(some) == 1:
                failed[some[0]] = error
            else:
                half = len(some) // 2
                waiting += [some[:half], some[half:]]
    return Isolated(
        answers=tuple(answers),
        done=tuple(each for each in names if each not in failed),
        failed={each: failed[each] for each in names if each in failed},
    )
