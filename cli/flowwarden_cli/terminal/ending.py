"""Ends a command that would go on forever, at Ctrl-C or SIGTERM, as containers and services are stopped."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from math import ceil
from types import FrameType, TracebackType
from typing import Any, Final, Self

STEP: Final = 0.5
"""Seconds of a part of a wait: Python goes on with a sleep after a signal."""


SIGNALS: Final = signal.SIGINT, signal.SIGTERM


class Ending:
    """Within it, the first of these signals sets `is_ended`, and the second one has its usual effect."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        """Take what sleeps for some seconds."""
        self._sleep = sleep
        self._before: dict[signal.Signals, Any] = {}
        self.is_ended = False

    def __enter__(self) -> Self:
        """Handle the signals."""
        self._before = {each: signal.signal(each, self._end) for each in SIGNALS}
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Handle them as before."""
        self._restore()

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self.is_ended = True
        self._restore()

    def _restore(self) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)

    def wait(self, seconds: float) -> None:
        """Sleep for some seconds, or until the command is ended."""
        for _ in range(ceil(seconds / STEP)):
            if self.is_ended:
                return
            self._sleep(STEP)
