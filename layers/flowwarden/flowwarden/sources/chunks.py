"""Pieces: what a source is cut into, whatever its kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from msgspec import Struct

from flowwarden.records.log_format import LogFormat

_SHOWN: Final = 500
_MOST_ROWS: Final = 1024

type Layouts = tuple[LogFormat, ...]


class Lines(Struct, frozen=True):
    """Lines to be read by one set of layouts."""

    layouts: Layouts
    lines: Sequence[str]
    numbers: Sequence[int]
    """The number of each line in its file, from 1; of the row in Parquet; where its value begins in JSON."""


class Unreadable(Struct, frozen=True):
    """Something that cannot even become a line."""

    number: int
    text: str
    reason: str


class Note(Struct, frozen=True):
    """Something about the source that its user should know, once."""

    text: str


type Piece = Lines | Unreadable | Note


class Row(NamedTuple):
    """One line on its own, as sources give it that hold more than lines."""

    layouts: Layouts
    number: int
    line: str


def gathered(rows: Iterable[Row | Unreadable | Note | None]) -> Iterator[Piece]:
    """Gather rows of the same layouts; None among them says that the next one may be long in coming."""
    layouts: Layouts = ()
    lines: list[str] = []
    numbers: list[int] = []
    for row in rows:
        if isinstance(row, Row) and row.layouts == layouts and len(lines) < _MOST_ROWS:
            lines.append(row.line)
            numbers.append(row.number)
            continue
        if lines:
            yield Lines(layouts, lines, numbers)
            lines, numbers = [], []
        if isinstance(row, Row):
            layouts, lines, numbers = row.layouts, [row.line], [row.number]
        elif row is not None:
            yield row
    if lines:
        yield Lines(layouts, lines, numbers)


def shortened(text: str) -> str:
    """The beginning of a text, marked where it was cut off."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
