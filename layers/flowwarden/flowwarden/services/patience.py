"""Calls that are throttled, made again after a while for as long as the run has time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flowwarden.errors import CallThrottled
from flowwarden.ports import Pace

MARGIN_SECONDS: Final = 30
"""Left at the end of a run: to remember where it stopped, and to tell."""
LONGEST_WAIT: Final = 30
"""Seconds between two attempts, at most; on top of what botocore waits by itself."""
ATTEMPTS: Final = 6


class OutOfTime(Exception):
    """The run has no time left for another attempt."""


def patiently[Told](call: Callable[[], Told], pace: Pace) -> Told:
    """Make a call, again and again while it is throttled.

    Raises:
        OutOfTime: it is throttled still, and there is no time left, or it was tried often enough.
    """
    for attempt in range(ATTEMPTS):
        try:
            return call()
        except CallThrottled as error:
            wait = min(2.0**attempt, LONGEST_WAIT)
            if attempt == ATTEMPTS - 1 or not has_time(pace, wait):
                raise OutOfTime(str(error)) from error
            pace.wait(wait)
    raise OutOfTime("tried often enough")


def has_time(pace: Pace, seconds: float = 0) -> bool:
    """Whether there is time for so many seconds, and for the end of the run."""
    return pace.remaining() > seconds + MARGIN_SECONDS
