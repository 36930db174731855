"""Parquet, the format of flow logs in S3. Imported only for such files, because pyarrow is optional."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from flowwarden.errors import DamagedSource
from flowwarden.sources.chunks import Note, Piece, Row, Unreadable, gathered, shortened
from flowwarden.sources.columns import Columns

_ROWS: Final = 4096
"""Maximum rows in memory."""
_FAILURES: Final = (ValueError, OverflowError, LookupError)
"""Errors of converting a value."""
_BUFFER: Final = 2**20
"""Bytes of a column read at once, so that a large row group is never completely in memory."""


def parquet_pieces(path: Path, progress: Callable[[float], None]) -> Iterator[Piece]:
    """Split a Parquet file into lines.

    Args:
        path: the file.
        progress: called with the fraction that is read, from 0 to 1.

    Raises:
        LogFormatError: none of its columns is a flow log field.
        DamagedSource: it is truncated or corrupt.
    """
    return gathered(_rows(path, progress))


def _rows(path: Path, progress: Callable[[float], None]) -> Iterator[Row | Unreadable | Note]:
    try:
        with pq.ParquetFile(path, buffer_size=_BUFFER) as file:
            names = file.schema_arrow.names
            every = Columns(names)
            yield from every.notes()
            known = [names[position] for position in every.positions]
            yield from _of_batches(file, known, progress)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:  # also a name that is not text
        raise DamagedSource(f"{path}: the Parquet data is damaged: {error}; download it again") from error


def _of_batches(
    file: pq.ParquetFile, known: list[str], progress: Callable[[float], None]
) -> Iterator[Row | Unreadable]:
    columns = Columns(known)
    layouts = (columns.layout,)
    number = 0
    for batch in file.iter_batches(_ROWS, columns=known):
        for row in zip(*(_values(batch[name]) for name in known), strict=True):
            number += 1
            try:
                yield Row(layouts, number, columns.line(row))
            except ValueError as error:
                yield Unreadable(number, shortened(" ".join(map(str, row))), str(error))
        progress(number / file.metadata.num_rows)


class _Unconvertible:
    """Stands for a value that has no Python equivalent; it makes its row malformed."""

    def __str__(self) -> str:
        return "(unreadable)"


def _values(column: pa.Array) -> list[object]:
    """The values of a column. One that cannot be converted affects only its row.

    Such values are texts that are not UTF-8, times beyond the last year, and times in an unknown zone.
    """
    try:
        found: list[object] = column.to_pylist()
    except _FAILURES:
        return [_value(each) for each in column]
    return found


def _value(scalar: pa.Scalar) -> object:
    try:
        value: object = scalar.as_py()
    except _FAILURES:
        return _Unconvertible()
    return value
