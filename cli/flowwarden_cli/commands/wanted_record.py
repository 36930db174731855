"""The record to explain: from a line of a file, or from a text."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from flowwarden.errors import LogFormatError, NotFlowLogs
from flowwarden.replay.explain.record import Wanted
from flowwarden.sources.chunks import Layouts, Lines, Piece, Unreadable
from flowwarden.sources.inputs import Input
from flowwarden.sources.read import pieces

THE_RECORD = "the record"


def in_file(file: str, number: int, layouts: Layouts) -> Wanted:
    """The record in a line of a file (of Parquet: a row), numbered from 1.

    Raises:
        SourceError: the file cannot be read, or the line is no record.
    """
    place, last = f"{file}:{number}", 0
    path = Path(file)
    size = path.stat().st_size if path.is_file() else None
    for piece in _pieces(Input(file, size, path), layouts):
        if isinstance(piece, Unreadable):
            last = max(last, piece.number)
            if piece.number == number:
                raise NotFlowLogs(f"{place}: is malformed: {piece.reason}")
        if isinstance(piece, Lines) and len(piece.numbers):
            last = max(last, piece.numbers[-1])
            if number in piece.numbers and (line := piece.lines[piece.numbers.index(number)]).strip():
                return Wanted(line, piece.layouts, place)
    if not last:
        raise NotFlowLogs(f"{place}: the file has no records")
    if number > last:
        raise NotFlowLogs(f"{place}: the file has no such line; its last record is in line {last}")
    raise NotFlowLogs(f"{place}: the line is blank, a header, or within another record")


def in_text(text: str, layouts: Layouts) -> Wanted:
    """The record in a text, which may have any form that a source can have.

    Raises:
        SourceError: it is no record, or more than one.
    """
    source = Input(THE_RECORD, None, stream=BytesIO(text.encode("utf-8", "backslashreplace")))
    found: list[Wanted] = []
    for piece in _pieces(source, layouts):
        if isinstance(piece, Unreadable):
            raise NotFlowLogs(f"{THE_RECORD}: is malformed: {piece.reason}")
        if isinstance(piece, Lines):
            found += [Wanted(line, piece.layouts, THE_RECORD) for line in piece.lines if line.strip()]
    if len(found) == 1:
        return found[0]
    raise NotFlowLogs(
        f"{THE_RECORD}: {len(found):,} records; give one, or use FILE:LINE"
        if found
        else f"{THE_RECORD}: is blank or a header line"
    )


def _pieces(source: Input, layouts: Layouts) -> Iterator[Piece]:
    try:
        yield from pieces(source, layouts, lambda _: None)
    except LogFormatError as error:
        raise NotFlowLogs(f"{source.name}: {error}") from error
