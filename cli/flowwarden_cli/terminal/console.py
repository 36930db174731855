"""The console: input, output and error streams, and whether to show progress."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from io import BufferedIOBase, BytesIO
from typing import Self, TextIO, cast

from msgspec import Struct


class Console(Struct, frozen=True):
    """Standard input, output and error, and a clock for the pace of the progress bar."""

    stdin: BufferedIOBase
    stdout: BufferedIOBase
    """Bytes: what is printed is UTF-8 whatever the locale."""
    stderr: TextIO
    shows_progress: bool
    """Whether to show a progress bar: only if standard error is a terminal and standard output is not."""
    clock: Callable[[], float]
    """Seconds since an arbitrary start."""
    now: Callable[[], float] = time.time
    """Unix seconds."""
    columns: int = 80
    """The width of the terminal, for help and usage."""

    @classmethod
    def of_process(cls) -> Self:
        """The console of this process."""
        shows_progress = sys.stderr.isatty() and not sys.stdout.isatty()
        # The types are loose because programs may replace these streams; at process start they are buffered.
        # Some schedulers provide no stdin: treat it as empty.
        stdin = cast("BufferedIOBase", sys.stdin.buffer if sys.stdin is not None else BytesIO())
        stdout = cast("BufferedIOBase", sys.stdout.buffer)
        columns = shutil.get_terminal_size().columns
        return cls(stdin, stdout, sys.stderr, shows_progress, time.monotonic, columns=columns)

    def print(self, text: str) -> None:
        """Print a line of text."""
        self.stdout.write(f"{text}\n".encode())

    def report(self, text: str) -> None:
        """Print a line for the user on standard error, apart from the output."""
        self.stderr.write(f"{text}\n")
