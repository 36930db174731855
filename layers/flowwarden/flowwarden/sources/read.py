"""Reads a source: detects its kind, splits it into lines, and parses them with the monitor's reader."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from flowwarden.errors import DamagedSource, LogFormatError, NotFlowLogs, ParquetNotInstalled
from flowwarden.records.line_reader import LineReader
from flowwarden.records.log_format import LogFormat
from flowwarden.records.model import Action, Malformed, Records
from flowwarden.records.strict_layout import ENDPOINTS
from flowwarden.sources.chunks import Layouts, Lines, Note, Piece, Unreadable
from flowwarden.sources.csv_source import csv_pieces
from flowwarden.sources.inputs import Input
from flowwarden.sources.json_source import DEEPEST, json_pieces
from flowwarden.sources.kinds import SourceKind, detect_kind
from flowwarden.sources.payload import opened
from flowwarden.sources.stream import Allowance, Inflated, Stream
from flowwarden.sources.text_source import text_pieces

if TYPE_CHECKING:
    from flowwarden.records.columnar.reader import ColumnarReader

_MOST_WRAPPINGS: Final = 3  # Firehose compresses data that CloudWatch Logs has already compressed
_READERS: Final = 16
_NO_RECORDS: Final = Records([], [], [])


class Batch(Struct, frozen=True):
    """The records of a part of a source, without blank lines and header lines."""

    records: Records
    numbers: tuple[int, ...] = ()
    """For each malformed record, its line number (in Parquet, row number) in the source, from 1."""
    note: str = ""
    """A note about the source for the user; '' if there is none."""
    omitted: int = 0
    """The number of flows that are not among the records, because they have another action."""


def read(
    source: Input,
    layouts: Sequence[LogFormat],
    progress: Callable[[int], None],
    only: Action | None = None,
) -> Iterator[Batch]:
    """Read a source in parts, so that memory does not grow with its size.

    Args:
        source: the file or stream; it is closed at the end.
        layouts: the possible log formats if the source does not state its log format.
        progress: called regularly with the number of bytes read from the source.
        only: the action of the flows that are returned; the others are counted. None for all flows.

    Raises:
        SourceError: it cannot be read, or not to its end; the batches before that are valid.
    """
    try:
        for piece in pieces(source, tuple(layouts), progress):
            yield from _batches(piece, only)
    except LogFormatError as error:
        raise NotFlowLogs(f"{source.name}: {error}") from error


def pieces(source: Input, layouts: Layouts, progress: Callable[[int], None]) -> Iterator[Piece]:
    """Split a source into lines, after detecting its kind from its content.

    Raises:
        SourceError: it cannot be read, or not to its end.
        LogFormatError: its field names are not a valid log format.
    """
    with closing(source.open()) as opened:
        below = Stream(opened, source.name, source.size)
        nested = _Nested(source.name, layouts, Allowance(lambda: below.taken))
        stream, kind = nested.unwrapped(below)
        if kind is SourceKind.PARQUET:
            if stream is not below or source.path is None or not source.size:
                raise NotFlowLogs(f"{source.name}: is Parquet in gzip or from a pipe; use a Parquet file")
            yield from _parquet(source.path, source.size, progress)
        else:
            yield from nested.pieces(stream, kind, lambda: progress(below.taken))


class _Nested(Struct, frozen=True):
    """Reads a source and the payloads in it, which are sources, too."""

    name: str
    layouts: Layouts
    allowance: Allowance

    def pieces(
        self, stream: Stream, kind: SourceKind, progress: Callable[[], None], depth: int = 0
    ) -> Iterator[Piece]:
        """The pieces of a stream of this kind. Raises as `pieces`."""
        blocks = stream.blocks(progress)
        match kind:
            case SourceKind.JSON:
                yield from json_pieces(blocks, self.layouts, stream.name, self._unpack, depth)
            case SourceKind.CSV:
                yield from csv_pieces(blocks, self.layouts)
            case _:
                yield from text_pieces(blocks, self.layouts)
        stream.demand_end()

    def unwrapped(self, stream: Stream, *, is_payload: bool = False) -> tuple[Stream, SourceKind]:
        """The stream after removing gzip compression, and its kind."""
        for layers in range(_MOST_WRAPPINGS + 1):
            kind = detect_kind(stream.name, stream.head())
            if kind is not SourceKind.GZIP:
                return stream, kind
            # gzip inflates to at most about 1,000 times its size, and nested layers multiply. So all but the
            # outermost layer of a file are limited.
            is_counted = layers > 0 or is_payload
            stream = Inflated(stream, spend=self.allowance.spend) if is_counted else Inflated(stream)
        raise NotFlowLogs(f"{stream.name}: is compressed more than {_MOST_WRAPPINGS} times; unpack it first")

    def _unpack(self, data: str, depth: int) -> Iterator[Piece]:
        """The pieces of a payload."""
        if depth > DEEPEST:
            raise DamagedSource(f"payloads are nested more than {DEEPEST} times")
        stream, kind = self.unwrapped(opened(data, self.name, self.allowance), is_payload=True)
        if kind is SourceKind.PARQUET:
            raise NotFlowLogs(f"{self.name}: is Parquet")
        yield from self.pieces(stream, kind, lambda: None, depth)


def _parquet(path: Path, size: int, progress: Callable[[int], None]) -> Iterator[Piece]:
    try:
        from flowwarden.sources.parquet_source import parquet_pieces  # noqa: PLC0415 - pyarrow is optional
    except ImportError as error:
        raise ParquetNotInstalled(
            f"{path}: is Parquet, which requires pyarrow; "
            "install it in the project's folder: pip install '.[parquet]'"
        ) from error
    return parquet_pieces(path, lambda share: progress(int(share * size)))


def _batches(piece: Piece, only: Action | None) -> Iterator[Batch]:
    match piece:
        case Note():
            yield Batch(_NO_RECORDS, note=piece.text)
        case Unreadable():
            yield Batch(Records([], [], [Malformed(piece.text, piece.reason)]), (piece.number,))
        case Lines():
            yield _read(piece, only)


@lru_cache(maxsize=_READERS)
def _reader(layouts: Layouts) -> LineReader:
    return LineReader(*_split(layouts))


@lru_cache(maxsize=_READERS)
def _counter(layouts: Layouts) -> ColumnarReader:
    # Only some commands need it, and importing numpy takes as long as everything else.
    from flowwarden.records.columnar.reader import ColumnarReader  # noqa: PLC0415

    return ColumnarReader(*_split(layouts), singly=sys.maxsize)


def _split(layouts: Layouts) -> tuple[list[LogFormat], list[LogFormat]]:
    """The log formats with both addresses, and the others."""
    readable = [layout for layout in layouts if set(ENDPOINTS) <= set(layout.names)]
    return readable, [layout for layout in layouts if layout not in readable]


def _with_action(piece: Lines, only: Action) -> tuple[Records, int]:
    """The records, with those flows only that have an action, and the number of the other flows.

    A table of all lines counts the others: a flow as an object takes most of the time.
    """
    table = _counter(piece.layouts).read(piece.lines)
    some = _reader(piece.layouts).read([line for line in piece.lines if only in line])
    flows = [flow for flow in some.flows if flow.action is only]
    return Records(flows, table.gaps, table.malformed), len(table.flows) - len(flows)


def _read(piece: Lines, only: Action | None) -> Batch:
    piece = _without_blank_lines(piece)
    records, omitted = _with_action(piece, only) if only else (_reader(piece.layouts).read(piece.lines), 0)
    if not records.malformed:
        return Batch(records, omitted=omitted)
    malformed: list[Malformed] = []
    numbers: list[int] = []
    at = -1
    for bad in records.malformed:
        at = piece.lines.index(bad.line, at + 1)  # equal lines are all malformed, so the first one is correct
        malformed.append(bad)
        numbers.append(piece.numbers[at])
    return Batch(Records(records.flows, records.gaps, malformed), tuple(numbers), omitted=omitted)


def _without_blank_lines(piece: Lines) -> Lines:
    """The lines that are not blank: blank ones are not records, and `_read` would be slow with many."""
    if all(map(str.strip, piece.lines)):
        return piece
    kept = [(line, number) for line, number in zip(piece.lines, piece.numbers, strict=True) if line.strip()]
    return Lines(piece.layouts, [line for line, _ in kept], [number for _, number in kept])
