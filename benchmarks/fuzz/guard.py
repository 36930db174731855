"""Stops the processing of an input that takes too long, if necessary by ending the process.

The limit counts processor time, so that no input fails because the machine is busy. A second limit, on the
clock, stops code that waits without using the processor. An exception cannot stop code that does not return
to Python, such as a long call of a C function: then the system ends the process, and `run` names the inputs
that were being processed.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

SECONDS: Final = 1.0
"""Maximum processor time of one input."""
WAITING: Final = 20.0
"""Maximum seconds on the clock for one input."""
LAST: Final = 20.0
"""Seconds of processor time after which the process ends."""


class Hung(BaseException):
    """An input took too long. Not an `Exception`, so that the code under test does not handle it."""


@contextmanager
def guarded(seconds: float = SECONDS, waiting: float = WAITING, last: float = LAST) -> Iterator[None]:
    """Raise Hung in the body of the `with` block once a limit is reached. Only for the main thread.

    Args:
        seconds: processor time.
        waiting: time on the clock.
        last: processor time after which the process ends.
    """
    handlers = {each: signal.signal(each, _end) for each in (signal.SIGPROF, signal.SIGALRM)}
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, waiting)
    signal.setitimer(signal.ITIMER_VIRTUAL, last)  # its signal ends the process
    try:
        yield
    finally:
        for timer in (signal.ITIMER_PROF, signal.ITIMER_REAL, signal.ITIMER_VIRTUAL):
            signal.setitimer(timer, 0)
        for each, handler in handlers.items():
            signal.signal(each, handler)


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise Hung
