"""Sources in memory, and the records read from them."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from io import BufferedReader, BytesIO, RawIOBase
from pathlib import Path

from msgspec import Struct

from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, LogFormat
from flowwarden.records.model import Flow, Gap, Malformed
from flowwarden.sources.inputs import Input
from flowwarden.sources.read import read

ACCEPTED = "2 111122223333 eni-0a 10.0.0.5 10.0.0.9 51234 22 6 9 840 1700000000 1700000060 ACCEPT OK"
REJECTED = "2 111122223333 eni-0a 198.51.100.7 10.0.0.9 40000 23 6 1 40 1700000000 1700000060 REJECT OK"
NODATA = "2 111122223333 eni-0a - - - - - - - 1700000000 1700000060 - NODATA"
SKIPDATA = "2 111122223333 eni-0a - - - - - - - 1700000000 1700000060 - SKIPDATA"
HEADER = " ".join(DEFAULT_LOG_FORMAT.names)


class Held(Struct):
    """Everything that a source contained."""

    flows: list[Flow]
    gaps: list[Gap]
    malformed: list[tuple[int, Malformed]]
    notes: list[str]

    @property
    def reasons(self) -> list[tuple[int, str]]:
        """Line number and reason of each malformed record."""
        return [(number, bad.reason) for number, bad in self.malformed]


def stream_of(content: str | bytes, name: str = "held") -> Input:
    """A stream with this content."""
    data = content.encode() if isinstance(content, str) else content
    return Input(name, None, stream=BytesIO(data))


def read_all(source: Input | str | bytes, *layouts: LogFormat) -> Held:
    """Read a source, or a stream with this content, to its end."""
    source = source if isinstance(source, Input) else stream_of(source)
    held = Held([], [], [], [])
    for batch in read(source, layouts or (DEFAULT_LOG_FORMAT,), lambda _: None):
        held.flows += batch.records.flows
        held.gaps += batch.records.gaps
        held.malformed += zip(batch.numbers, batch.records.malformed, strict=True)
        held.notes += [batch.note] * bool(batch.note)
    return held


def flows_of(*lines: str) -> list[Flow]:
    """The flows of lines of the default layout."""
    return read_all("\n".join(lines)).flows


def file_of(path: Path, content: str | bytes) -> Input:
    """A file with this content."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return Input(str(path), path.stat().st_size, path)


def gz(*contents: str) -> bytes:
    """A gzip file with one member per content."""
    return b"".join(gzip.compress(content.encode(), mtime=0) for content in contents)


class Trickle(RawIOBase):
    """A pipe with only a few bytes available at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__()
        self._parts = iter([data[at : at + size] for at in range(0, len(data), size)])

    def readable(self) -> bool:
        """Always true."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # what read() passes
        """Return the next bytes."""
        part = next(self._parts, b"")
        buffer[: len(part)] = part
        return len(part)


def trickle(content: str | bytes, size: int) -> Input:
    """A pipe with this content, of which at most `size` bytes are available at a time."""
    data = content.encode() if isinstance(content, str) else content
    return Input("pipe", None, stream=BufferedReader(Trickle(data, size)))


def blocks_of(data: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    """The data split into blocks of these sizes, the rest in one."""
    for size in sizes:
        yield data[:size]
        data = data[size:]
    yield data
