"""Pieces: lines, unreadable parts and notes, into which a source of any kind is split."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from msgspec import Struct

from flowwarden.errors import SourceError
from flowwarden.records.log_format import LogFormat

_SHOWN: Final = 500
_MOST_ROWS: Final = 1024

type Layouts = tuple[LogFormat, ...]


class Lines(Struct, frozen=True):
    """Lines to parse with the same log formats."""

    layouts: Layouts
    lines: Sequence[str]
    numbers: Sequence[int]
    """For each line its number in the file, from 1: of the row in Parquet, of the value's first line in
    JSON."""


class Unreadable(Struct, frozen=True):
    """A part of a source that cannot be converted to a line."""

    number: int
    text: str
    reason: str


class Note(Struct, frozen=True):
    """A note about the source for the user, shown once."""

    text: str


type Piece = Lines | Unreadable | Note


class Row(NamedTuple):
    """A single line, from sources that do not consist of plain lines."""

    layouts: Layouts
    number: int
    line: str


class _End:
    """Marks the end of the rows."""


_END: Final = _End()


def gathered(rows: Iterable[Row | Unreadable | Note | None]) -> Iterator[Piece]:
    """Group consecutive rows with the same log formats into `Lines`.

    None means that the next row may take long to arrive: the rows before it are passed on at once.

    Raises:
        SourceError: raised by `rows`, after the rows before it.
    """
    layouts: Layouts = ()
    lines: list[str] = []
    numbers: list[int] = []
    failure: SourceError | None = None
    rows = iter(rows)
    while failure is None:
        try:
            row = next(rows, _END)
        except SourceError as error:
            failure, row = error, _END
        if isinstance(row, Row) and row.layouts == layouts and len(lines) < _MOST_ROWS:
            lines.append(row.line)
            numbers.append(row.number)
            continue
        if lines:
            yield Lines(layouts, lines, numbers)
            lines, numbers = [], []
        if isinstance(row, Row):
            layouts, lines, numbers = row.layouts, [row.line], [row.number]
        elif isinstance(row, Unreadable | Note):
            yield row
        elif row is _END:
            break
    if failure is not None:
        raise failure


def shortened(text: str) -> str:
    """The beginning of a text, with `…` if it is truncated."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
