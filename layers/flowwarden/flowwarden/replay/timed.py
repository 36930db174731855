"""The times of lines: when each record ended, read from the lines at once and without parsing the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from flowwarden.records.columnar.tokenizer import ABSENT, Integers, Text
from flowwarden.records.log_format import LogFormat
from flowwarden.records.values import FIRST_MICROSECOND, FIRST_MILLISECOND

type Layouts = tuple[LogFormat, ...]

_FIELDS: Final = ("end", "start")
"""The fields with a record's time, the better one first: a record is written after its end."""
EARLIEST: Final = 946_684_800
"""Unix seconds, the year 2000. An earlier time is damage, and would begin the replay there."""
LATEST: Final = 4_102_444_800
"""Unix seconds, the year 2100. A later time is damage, and would end the replay there."""


class Timed(Struct, frozen=True):
    """Some lines of a source, and when their records ended."""

    layouts: Layouts
    lines: Sequence[str]
    times: Integers
    """Unix seconds for each line. A line without a time has that of the line before it, or of the next one;
    `ABSENT` if no line has one."""

    @property
    def span(self) -> tuple[int, int] | None:
        """The earliest and the latest time; None if no line has one."""
        known = self.times[self.times != ABSENT]
        return (int(known.min()), int(known.max())) if len(known) else None

    @property
    def middle(self) -> int | None:
        """The median of the times, which a few damaged ones do not change; None if no line has a time."""
        known = self.times[self.times != ABSENT]
        return int(np.partition(known, len(known) // 2)[len(known) // 2]) if len(known) else None


def are_timed(layouts: Layouts) -> bool:
    """Whether lines of any of these log formats have a time."""
    return any(_place(layout) is not None for layout in layouts)


def timed(layouts: Layouts, lines: Sequence[str]) -> Timed:
    """Read the times of lines, which may be of any of these log formats, or of none. Omits blank lines."""
    places = {len(layout.names): place for layout in layouts if (place := _place(layout)) is not None}
    times = np.full(len(lines), ABSENT, np.int64)
    text = Text(lines)
    for count, place in places.items():
        numbers, tokens = text.tokens(count)
        if len(numbers):
            values, valid = tokens.columns([place]).numbers([FIRST_MICROSECOND - 1])
            times[numbers[valid[0]]] = values[0][valid[0]]
    odd = np.flatnonzero(times == ABSENT).tolist()
    for number in odd:
        times[number] = _time_of(lines[number], places)
    if blank := [number for number in odd if not lines[number].strip()]:
        times = np.delete(times, blank)
        lines = [line for line in lines if line.strip()]
    times[times >= FIRST_MILLISECOND] //= 1000
    times[(times < EARLIEST) | (times >= LATEST)] = ABSENT
    return Timed(layouts, lines, filled(times))


def _place(layout: LogFormat) -> int | None:
    return next((layout.names.index(name) for name in _FIELDS if name in layout.names), None)


def _time_of(line: str, places: dict[int, int]) -> int:
    """The time of a line whose tokens are not plain, such as one with tabs."""
    tokens = line.split()
    place = places.get(len(tokens))
    token = "" if place is None else tokens[place]
    plain = token.isascii() and token.isdigit() and len(token) <= len(str(FIRST_MICROSECOND))
    return int(token) if plain else ABSENT


def filled(times: Integers) -> Integers:
    """Times without gaps: each absent one becomes the one before it, those at the beginning the first one."""
    known = np.flatnonzero(times != ABSENT)
    if not len(known) or len(known) == len(times):
        return times
    last = np.zeros(len(times), np.int64)
    last[known] = known
    last = np.maximum.accumulate(last)
    last[: known[0]] = known[0]
    return times[last]
