"""A progress bar: the share, speed and size of the input read."""

from __future__ import annotations

from flowwarden_cli.terminal.console import Console

_PAUSE = 0.1
"""Minimum seconds between two updates."""
_WIDTH = 24
_MB, _GB = 1e6, 1e9
_CLEAR = "\r\033[K"


class Progress:
    """Draws a bar on standard error while sources are read, if the console shows progress, and clears it."""

    def __init__(self, console: Console, total: int | None) -> None:
        """Begin without drawing.

        Args:
            console: where the bar is drawn.
            total: total bytes of all sources; None if unknown.
        """
        self._console = console
        self._total = total
        self._began = console.clock()
        self._drawn = self._began
        self._before = 0
        self._within = 0
        self._records = 0

    def add_records(self, count: int) -> None:
        """Count this many more lines as read."""
        self._records += count

    def reach(self, position: int) -> None:
        """Set the number of bytes read of the current source."""
        self._within = position
        now = self._console.clock()
        if self._console.shows_progress and now - self._drawn >= _PAUSE:
            self._drawn = now
            self._console.stderr.write(f"{_CLEAR}{self._picture(now - self._began)}")
            self._console.stderr.flush()

    def next_source(self, size: int | None) -> None:
        """Finish the current source, which has this size."""
        self._before += self._within if size is None else size
        self._within = 0

    def wipe(self) -> None:
        """Clear the bar, so that other output can use the line."""
        if self._console.shows_progress and self._drawn > self._began:
            self._console.stderr.write(_CLEAR)
            self._console.stderr.flush()

    def _picture(self, seconds: float) -> str:
        done = self._before + self._within
        pace = f"{self._records:,} records, {self._records / seconds:,.0f}/s"
        if not self._total:
            return f"{_size(done, done)}, {pace}"
        share = min(1.0, done / self._total)
        bar = "█" * int(share * _WIDTH)
        sizes = f"{_size(done, self._total)} of {_size(self._total, self._total)}"
        return f"{share:4.0%} ▕{bar:<{_WIDTH}}▏ {sizes}, {pace}"


def _size(count: float, largest: float) -> str:
    """A number of bytes, in the unit that suits `largest`, the largest number shown together with it."""
    return f"{count / _GB:.2f} GB" if largest >= _GB else f"{count / _MB:.1f} MB"
