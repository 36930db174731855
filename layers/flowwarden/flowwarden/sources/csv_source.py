"""CSV as written by Athena and CloudWatch Logs Insights: converts rows to lines, using the header."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Final

from flowwarden.sources.chunks import Layouts, Note, Piece, Row, Unreadable, gathered, shortened
from flowwarden.sources.columns import ENDPOINTS, MESSAGE, Columns, csv_cells, csv_columns
from flowwarden.sources.text_source import runs

_HEADER_MARKS: Final = (ENDPOINTS[0], MESSAGE)


def csv_pieces(blocks: Iterable[bytes], layouts: Layouts) -> Iterator[Piece]:
    """Split CSV into lines, from the columns in its header or from its message column.

    A row is always one line, because flow records contain no line breaks. So an unmatched quote affects one
    row only.

    Raises:
        LogFormatError: the header contains a field twice.
    """
    return gathered(_rows(blocks, layouts))


def _rows(blocks: Iterable[bytes], layouts: Layouts) -> Iterator[Row | Unreadable | Note | None]:
    table = _Table([MESSAGE], layouts)
    for run in runs(blocks):
        if isinstance(run, Unreadable):
            yield run
            continue
        for number, line in zip(run.numbers, run.lines, strict=True):
            if any(mark in line for mark in _HEADER_MARKS) and (header := csv_columns(line)):
                table = _Table(header, layouts)
                yield from table.notes()
            elif line.strip():
                yield table.row(number, line)
        yield None


class _Table:
    """The rows below a header: records in columns, or whole lines in one column."""

    def __init__(self, header: list[str], layouts: Layouts) -> None:
        self._columns = Columns(header) if set(ENDPOINTS) <= set(header) else None
        self._message = 0 if self._columns else header.index(MESSAGE)
        self._layouts = (self._columns.layout,) if self._columns else layouts
        self._width = len(header)

    def notes(self) -> list[Note]:
        return self._columns.notes() if self._columns else []

    def row(self, number: int, line: str) -> Row | Unreadable:
        try:
            cells = csv_cells(line)
        except csv.Error as error:
            return Unreadable(number, shortened(line), f"not valid CSV: {error}")
        if len(cells) != self._width:
            reason = f"{len(cells)} column{'s' * (len(cells) != 1)} where the header has {self._width}"
            return Unreadable(number, shortened(line), reason)
        text = self._columns.line(cells) if self._columns else cells[self._message]
        return Row(self._layouts, number, text)
