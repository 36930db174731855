"""Ends an input that takes too long, and the process if even that does not help.

The limit counts processor time, so that a busy machine fails no input. What waits without using the
processor is ended by the clock. Code that does not return to Python, such as a long call of a C function,
cannot be ended by an exception: the system then ends the process, and `run` names the inputs that were being
processed.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

SECONDS: Final = 1.0
"""Of processor time: the most for one input."""
WAITING: Final = 20.0
"""Seconds of the clock."""
LAST: Final = 20.0
"""Seconds of processor time after which the process ends."""


class Hung(BaseException):
    """An input took too long. Not an `Exception`, so that nothing under test takes it for its own."""


@contextmanager
def guarded(seconds: float = SECONDS, waiting: float = WAITING, last: float = LAST) -> Iterator[None]:
    """Raise Hung in the body once it has used this much time. Only for the main thread."""
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
