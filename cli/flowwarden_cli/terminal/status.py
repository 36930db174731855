"""A status line: what a long command has done so far, on standard error."""

from __future__ import annotations

from typing import Final

from flowwarden_cli.terminal.console import Console

_CLEAR: Final = "\r\033[K"


class Status:
    """Draws one line and replaces it, if the console shows progress."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._drawn = False

    def draw(self, text: str) -> None:
        """Show a text, which contains no control characters, in place of the last one."""
        if self._console.shows_progress:
            self._drawn = True
            self._console.stderr.write(f"{_CLEAR}{text}")
            self._console.stderr.flush()

    def wipe(self) -> None:
        """Clear the line, so that other output can use it."""
        if self._drawn:
            self._drawn = False
            self._console.stderr.write(_CLEAR)
            self._console.stderr.flush()
