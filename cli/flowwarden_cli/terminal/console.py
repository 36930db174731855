"""The console: where the command reads, prints and reports, and whether a person looks at it."""

from __future__ import annotations

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
    """Only where a person looks and the records go elsewhere: a bar between them helps nobody."""
    clock: Callable[[], float]
    """Seconds, from any beginning."""
    now: Callable[[], float] = time.time
    """Unix seconds."""

    @classmethod
    def of_process(cls) -> Self:
        """That of this process."""
        shows_progress = sys.stderr.isatty() and not sys.stdout.isatty()
        # Typed loosely because programs may replace them; at a process's birth they are buffered. No stdin
        # at all, which some schedulers give, is an empty one.
        stdin = cast("BufferedIOBase", sys.stdin.buffer if sys.stdin is not None else BytesIO())
        stdout = cast("BufferedIOBase", sys.stdout.buffer)
        return cls(stdin, stdout, sys.stderr, shows_progress, time.monotonic)

    def print(self, text: str) -> None:
        """Print a line of text."""
        self.stdout.write(f"{text}\n".encode())

    def report(self, text: str) -> None:
        """Report to the person, not to what reads the output."""
        self.stderr.write(f"{text}\n")
