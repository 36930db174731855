"""Calls that are throttled, made again after a while for as long as the run has time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flowwarden.enforcer.ports import Pace
from flowwarden.errors import CallThrottled

MARGIN_SECONDS: Final = 30
"""Left at the end of a run: to store where it stopped, and to report."""
FIRST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 30
"""Seconds between two attempts, at most; on top of what botocore waits by itself."""
ATTEMPTS: Final = 6


def with_backoff[T](call: Callable[[], T], pace: Pace) -> T:
    """Make a call, again and again while it is throttled.

    Raises:
        CallThrottled: it is throttled still, and there is no time left, or it was tried often enough.
    """
    for attempt in range(ATTEMPTS - 1):
        try:
            return call()
        except CallThrottled:
            wait = min(FIRST_WAIT * 2**attempt, LONGEST_WAIT)
            if not has_time(pace, wait):
                raise
            pace.wait(wait)
    return call()


def has_time(pace: Pace, seconds: float = FIRST_WAIT) -> bool:
    """Whether there is time for so many seconds (at least one second attempt), and for the end of the run."""
    return pace.remaining() > seconds + MARGIN_SECONDS
