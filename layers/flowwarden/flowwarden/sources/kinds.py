"""Detects the kind of a source from its first bytes; file names do not matter."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from flowwarden.errors import NotFlowLogs
from flowwarden.sources.columns import csv_columns


class SourceKind(StrEnum):
    """The format of a source."""

    GZIP = "gzip"
    PARQUET = "Parquet"
    JSON = "JSON"
    CSV = "CSV"
    TEXT = "text"


_MAGIC: Final = {b"\x1f\x8b": SourceKind.GZIP, b"PAR1": SourceKind.PARQUET}
_UNSUPPORTED: Final = {
    b"PK\x03\x04": "a zip archive; unpack it first",
    b"\x28\xb5\x2f\xfd": "compressed with zstd; unpack it first",
    b"BZh": "compressed with bzip2; unpack it first",
    b"\xfd7zXZ": "compressed with xz; unpack it first",
    b"Obj\x01": "Avro; convert it to JSON lines or Parquet",
    b"ORC": "ORC; convert it to JSON lines or Parquet",
    b"\xff\xfe": "UTF-16; convert it to UTF-8 (`iconv -f UTF-16 -t UTF-8`)",
    b"\xfe\xff": "UTF-16; convert it to UTF-8 (`iconv -f UTF-16 -t UTF-8`)",
}
_TAR: Final = b"ustar\x0000", b"ustar  \0"
"""Of POSIX and of GNU, with the zero byte that a text does not have."""
_TAR_AT: Final = 257
_PADDING: Final = b" \t\r\n\v\f\0"
"""May precede a text: blanks, and the zero bytes at the beginning of a log file that was truncated while a
program wrote to it."""
_CONTROLS: Final = bytes({*range(32), 127} - {*b"\t\r\v\f\x1b"})
_MOST_CONTROLS: Final = 0.3
"""Data with zero bytes is binary if a larger share of it is control characters."""
_SAMPLE: Final = 2**12
_LONGEST_CHARACTER: Final = 4  # bytes of UTF-8; the last one of a sample may be incomplete
_ARRAY: Final = re.compile(rb"\[\s*(\{|\[|\]|\"|$)")  # a text line can begin with a bracket, too


def detect_kind(name: str, head: bytes) -> SourceKind:
    """The kind of a source that begins with these bytes.

    Raises:
        NotFlowLogs: the kind is not supported; the message begins with `name`.
    """
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return kind
    for magic, what in _UNSUPPORTED.items():
        if head.startswith(magic):
            raise NotFlowLogs(f"{name}: is {what}")
    if head.startswith(_TAR, _TAR_AT):
        raise NotFlowLogs(f"{name}: is a tar archive; unpack it first (`tar -xf`)")
    text = head.lstrip(_PADDING)
    if _is_binary(text[:_SAMPLE]):
        raise NotFlowLogs(
            f"{name}: begins with {head[:4].hex(' ')}, which is not text, gzip or Parquet; use flow log files"
        )
    if text.startswith(b"{") or _ARRAY.match(text):
        return SourceKind.JSON
    first_line = text.partition(b"\n")[0].decode("utf-8", "backslashreplace")
    return SourceKind.CSV if csv_columns(first_line) else SourceKind.TEXT


def _is_binary(sample: bytes) -> bool:
    """Whether a sample is binary data. A text may contain some zero bytes, which damage only their lines."""
    if b"\0" not in sample:
        return False
    try:
        sample[:-_LONGEST_CHARACTER].decode()
    except UnicodeDecodeError:
        return True
    return len(sample) - len(sample.translate(None, _CONTROLS)) > _MOST_CONTROLS * len(sample)
