"""Shows the progress of a run: one updated line on a terminal, otherwise one line for each part."""

from __future__ import annotations

import shutil
import time
from types import TracebackType
from typing import Self, TextIO

_BAR = 24


class Progress:
    """A bar with a known number of steps. Use it as a context manager; it clears its line at the end."""

    def __init__(self, stream: TextIO, total: int) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._total = total
        self._done = 0
        self._begin = time.monotonic()
        self._part = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._write("\r\033[K")

    def step(self, part: str, detail: str = "") -> None:
        """Show the next step; each call is one step."""
        seconds = time.monotonic() - self._begin
        if self._live:
            filled = _BAR * self._done // max(1, self._total)
            bar = "█" * filled + "░" * (_BAR - filled)
            line = f"{bar} {seconds:3.0f} s  {part} {detail}"
            self._write(f"\r\033[K{line[: shutil.get_terminal_size().columns - 1]}")
        elif part != self._part:
            self._write(f"{seconds:3.0f} s  {part}\n")
        self._part = part
        self._done += 1

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
