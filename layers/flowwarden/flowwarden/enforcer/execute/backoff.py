"""Retries calls that failed, as long as the run has time: throttled ones with backoff, others once.

A call whose answer is lost may have succeeded. Without a second call, which every call here allows, the run
would not know what it has changed, and not report it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flowwarden.enforcer.ports import RunClock
from flowwarden.errors import CallFailed, CallThrottled

MARGIN_SECONDS: Final = 30
"""Reserved at the end of a run to store where it stopped and to report."""
FIRST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 30
"""Maximum seconds between two attempts, in addition to botocore's own backoff."""
ATTEMPTS: Final = 6


def with_backoff[T](call: Callable[[], T], clock: RunClock) -> T:
    """Make a call; while it is throttled, retry it with exponential backoff. Another failure is retried once.

    Raises:
        CallThrottled: the call is still throttled after all attempts, or there is no time left.
        CallFailed: the call failed twice, or there is no time left.
    """
    failed = False
    for attempt in range(ATTEMPTS - 1):
        try:
            return call()
        except CallThrottled:
            wait = min(FIRST_WAIT * 2**attempt, LONGEST_WAIT)
            if not has_time(clock, wait):
                raise
            clock.wait(wait)
        except CallFailed:
            if failed or not has_time(clock):
                raise
            failed = True
            clock.wait(FIRST_WAIT)
    return call()


def has_time(clock: RunClock, seconds: float = FIRST_WAIT) -> bool:
    """Whether enough time is left for `seconds` (default: one more attempt) and for the end of the run."""
    return clock.remaining() > seconds + MARGIN_SECONDS
