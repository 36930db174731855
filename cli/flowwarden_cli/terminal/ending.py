"""Ends a command that would go on forever, at Ctrl-C."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from math import ceil
from types import FrameType, TracebackType
from typing import Any, Final, Self

STEP: Final = 0.5
"""Seconds of a part of a wait: Python goes on with a sleep after a signal."""


class Ending:
    """Within it, the first Ctrl-C sets `is_ended`, and the second one interrupts as usual."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        """Take what sleeps for some seconds."""
        self._sleep = sleep
        self._before: Any = signal.SIG_DFL
        self.is_ended = False

    def __enter__(self) -> Self:
        """Handle the signal."""
        self._before = signal.signal(signal.SIGINT, self._end)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Handle it as before."""
        signal.signal(signal.SIGINT, self._before)

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self.is_ended = True
        signal.signal(signal.SIGINT, self._before)

    def wait(self, seconds: float) -> None:
        """Sleep for some seconds, or until the command is ended."""
        for _ in range(ceil(seconds / STEP)):
            if self.is_ended:
                return
            self._sleep(STEP)
