"""The terminal: progress, scenes, and notifications as on-call would receive them."""

from __future__ import annotations

import os
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

WIDTH = 92
INDENT = "  "
MARGIN = INDENT + "│ "
"""The left margin of a notification, to distinguish it from the demo's own output."""

BOLD, DIM, RED, GREEN, YELLOW = "1", "2", "31", "32", "33"


class Terminal:
    """Writes to a terminal or a file; uses colors only on a terminal."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._colored = stream.isatty() and "NO_COLOR" not in os.environ

    def title(self, text: str, about: str) -> None:
        """Print the title and a description."""
        self._line(self._paint(text, BOLD))
        self._line(self._paint(about, DIM))
        self._line()

    def scene(self, text: str) -> None:
        """Print the headline of a scene."""
        self._line()
        self._line(self._paint(text, BOLD))

    def say(self, text: str) -> None:
        """Print a sentence."""
        for line in textwrap.wrap(text, WIDTH - len(INDENT)):
            self._line(INDENT + line)

    def code(self, text: str) -> None:
        """Print lines unchanged: commands, JSON."""
        for line in text.splitlines():
            self._line(2 * INDENT + line)

    def copy(self, text: str) -> None:
        """Print the output of a child process unchanged."""
        self._write(text)

    def good(self, text: str) -> None:
        """Print a success."""
        self._line(INDENT + self._paint(f"✓ {text}", GREEN))

    def bad(self, text: str) -> None:
        """Print a failure; the text may have several lines."""
        for number, line in enumerate(text.splitlines()):
            self._line(INDENT + self._paint(f"{'✗' if number == 0 else ' '} {line}", RED))

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Print a long-running step at its start, and its duration at its end."""
        started = time.monotonic()
        self._write(f"{INDENT}{text} ")
        try:
            yield
        except BaseException:
            self._line()
            raise
        seconds = f" {time.monotonic() - started:.1f} s"
        self._line("." * max(3, WIDTH - len(INDENT) - len(text) - 1 - len(seconds)) + seconds)

    def notification(self, subject: str, text: str, seconds: float | None = None) -> None:
        """Print a notification as its receiver sees it, with the seconds until its arrival, if known."""
        self._line()
        self._line(f"{INDENT}{self._paint(subject, BOLD, YELLOW)}")
        if seconds is not None:
            self._line(INDENT + self._paint(f"arrived after {seconds:.1f} s", DIM))
        for line in text.strip().splitlines():
            for part in wrapped(line, WIDTH - len(MARGIN)):
                self._line(f"{MARGIN}{part}".rstrip())
        self._line()

    def _paint(self, text: str, *codes: str) -> str:
        return f"\033[{';'.join(codes)}m{text}\033[0m" if self._colored else text

    def _line(self, text: str = "") -> None:
        self._write(f"{text}\n")

    def _write(self, text: str) -> None:
        """Write at once. If the output is closed (`make demo | head`), end the program and its children."""
        try:
            self._stream.write(text)
            self._stream.flush()
        except BrokenPipeError:
            # Otherwise Python would fail to write the rest of its buffer when the program ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
            raise SystemExit(1) from None


LABEL_COLUMN = 13
"""The column of values in a notification's table; continuation lines start there, too."""


def wrapped(line: str, width: int) -> list[str]:
    """A line of a notification, wrapped below the column of its value."""
    # JSON is to be pasted.
    if len(line) <= width or line.lstrip().startswith("{"):
        return [line]
    aligned = line[:LABEL_COLUMN].rstrip() != line[:LABEL_COLUMN]
    hang = " " * (LABEL_COLUMN if aligned else len(line) - len(line.lstrip()) + 3)
    return textwrap.wrap(
        line,
        width,
        subsequent_indent=hang,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )
