"""JSON objects that span several lines, as `aws logs tail --format json` writes a message that is JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_BEGIN: Final = "{"
_END: Final = "}"
_MOST_LINES: Final = 500
"""Maximum lines of an object; no record has so many fields."""
_LONGEST: Final = 2**16
"""Maximum characters of an object, the same as of a line."""


class Indented:
    """Joins the lines of each such object into one, across blocks of lines.

    An object begins with a line that is `{`, ends with one that is `}`, and the lines between them are
    indented. The lines of anything else stay as they are.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._numbers: list[int] = []
        self._size = 0

    def joined(self, lines: Sequence[str], numbers: Sequence[int]) -> tuple[Sequence[str], Sequence[int]]:
        """The lines and their numbers, with each object as one line that has the number of its first line.

        The lines of an object that continues in the next block are kept until then.
        """
        if not self._lines and _BEGIN not in map(str.strip, lines):
            return lines, numbers
        whole: list[str] = []
        places: list[int] = []
        for line, number in zip(lines, numbers, strict=True):
            if self._lines and not self._goes_on(line):
                self._give_up(whole, places)
            if self._lines or line.strip() == _BEGIN:
                self._take(line, number)
            else:
                whole.append(line)
                places.append(number)
            if self._lines and line.rstrip() == _END:
                whole.append("".join(map(str.strip, self._lines)))
                places.append(self._numbers[0])
                self._clear()
        return whole, places

    def rest(self) -> tuple[Sequence[str], Sequence[int]]:
        """The lines and their numbers that are kept at the end, because their object did not end."""
        whole: list[str] = []
        places: list[int] = []
        self._give_up(whole, places)
        return whole, places

    def _goes_on(self, line: str) -> bool:
        room = len(self._lines) < _MOST_LINES and self._size + len(line) <= _LONGEST
        return room and (line[:1].isspace() or line.rstrip() == _END)

    def _take(self, line: str, number: int) -> None:
        self._lines.append(line)
        self._numbers.append(number)
        self._size += len(line)

    def _give_up(self, whole: list[str], places: list[int]) -> None:
        whole += self._lines
        places += self._numbers
        self._clear()

    def _clear(self) -> None:
        self._lines, self._numbers, self._size = [], [], 0
