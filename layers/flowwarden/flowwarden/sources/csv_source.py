"""CSV as written by Athena and CloudWatch Logs Insights: converts rows to lines, using the header."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Final

from flowwarden.records.fields import BY_NAME
from flowwarden.sources.chunks import Layouts, Note, Piece, Row, Unreadable, gathered, shortened
from flowwarden.sources.columns import Columns, csv_cells, csv_columns
from flowwarden.sources.names import MESSAGE, field_name
from flowwarden.sources.objects import Objects
from flowwarden.sources.text_source import runs

_HEADER_MARKS: Final = ("addr", "message", "status")
"""Only the first line, and lines that contain one of these in lower case, are examined as a header: parsing
every row twice would be slow."""
_OWN_MESSAGE: Final = "@message"
"""The column of CloudWatch Logs Insights with the whole line. It is preferred to the columns that Insights
extracted from it."""


def csv_pieces(blocks: Iterable[bytes], layouts: Layouts) -> Iterator[Piece]:
    """Convert CSV to lines, from the columns in its header or from its message column.

    A row is always one line, because flow records contain no line breaks. So an unmatched quote affects only
    its own row.

    Raises:
        LogFormatError: the header contains a field twice.
    """
    return gathered(_rows(blocks, layouts))


def _rows(blocks: Iterable[bytes], layouts: Layouts) -> Iterator[Row | Unreadable | Note | None]:
    objects = Objects()
    table = _Table([MESSAGE], layouts, objects)
    is_first = True
    for run in runs(blocks):
        if isinstance(run, Unreadable):
            yield run
            continue
        for number, line in zip(run.numbers, run.lines, strict=True):
            if not line.strip():
                continue
            if (is_first or _has_mark(line)) and (header := csv_columns(line)):
                table = _Table(header, layouts, objects)
                yield from table.notes()
            else:
                yield from table.rows(number, line)
            is_first = False
        yield None


def _has_mark(line: str) -> bool:
    lower = line.lower()
    return any(mark in lower for mark in _HEADER_MARKS)


class _Table:
    """The rows below a header: records in columns, or whole lines in one column."""

    def __init__(self, header: list[str], layouts: Layouts, objects: Objects) -> None:
        names = [field_name(column) for column in header]
        self._message = names.index(MESSAGE) if MESSAGE in names else None
        known = set(names) & BY_NAME.keys()
        is_lines = _OWN_MESSAGE in header or (self._message is not None and not known)
        self._columns = None if is_lines else Columns(header)
        self._objects = objects
        self._layouts = (self._columns.layout,) if self._columns else layouts
        self._width = len(header)

    def notes(self) -> list[Note]:
        return self._columns.notes() if self._columns else []

    def rows(self, number: int, line: str) -> Iterator[Row | Unreadable]:
        try:
            cells = csv_cells(line)
        except csv.Error as error:
            yield Unreadable(number, shortened(line), f"not valid CSV: {error}")
            return
        if len(cells) != self._width:
            reason = f"{len(cells)} column{'s' * (len(cells) != 1)} where the header has {self._width}"
            yield Unreadable(number, shortened(line), reason)
        elif self._columns is not None:
            yield Row(self._layouts, number, self._columns.line(cells))
        elif self._message is not None:
            yield from self._objects.rows(number, cells[self._message], self._layouts)
