"""Byte streams: peek at the beginning, inflate, and read in blocks of bounded size."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from io import BufferedIOBase, RawIOBase
from typing import Final

from isal import igzip, isal_zlib

from flowwarden.errors import DamagedSource

BLOCK: Final = 2**18
"""Bytes read at once."""
LONGEST_HEAD: Final = 2**16
"""Maximum bytes to peek at for detecting the kind of a stream."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_SHORTEST_HEAD: Final = 8  # the longest magic number has six


class Stream(RawIOBase):
    """The bytes of a source; can peek at the first bytes and counts the bytes read."""

    def __init__(self, below: BufferedIOBase, name: str, size: int | None = None) -> None:
        super().__init__()
        self.name = name
        self.size = size
        self.taken = 0
        self._below = below
        self._pending = b""

    def readable(self) -> bool:
        """Always true."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # what read() passes
        """Read the available bytes, at least one unless the stream has ended."""
        data = self._pending[: len(buffer)] or self._take(len(buffer))
        self._pending = self._pending[len(data) :]
        buffer[: len(data)] = data
        return len(data)

    def head(self) -> bytes:
        """The first bytes, up to the end of the first non-blank line; they are not consumed."""
        while not self._tells() and (more := self._take(LONGEST_HEAD)):
            self._pending += more
        return self._pending.removeprefix(_BYTE_ORDER_MARK)

    def blocks(self, progress: Callable[[], None]) -> Iterator[bytes]:
        """The bytes, without a byte order mark, in blocks of at most `BLOCK`, as soon as they are available.

        Args:
            progress: called before each block.

        Raises:
            DamagedSource: compressed data is truncated or corrupt, or reading fails.
        """
        mark = _BYTE_ORDER_MARK
        progress()
        while block := self.read(BLOCK):
            yield block.removeprefix(mark)
            mark = b""
            progress()

    def _tells(self) -> bool:
        text = self._pending.removeprefix(_BYTE_ORDER_MARK).lstrip()
        known = len(self._pending) >= _SHORTEST_HEAD and (b"\n" in text or not text[:1].isascii())
        return known or len(self._pending) >= LONGEST_HEAD

    def _take(self, size: int) -> bytes:
        try:
            data = self._below.read1(size)
        except (OSError, EOFError, zlib.error, isal_zlib.error) as error:  # type: ignore[misc]  # isal's stub
            raise DamagedSource(f"{self.name}: {self._damage(error)}") from error
        self.taken += len(data)
        return data

    def _damage(self, error: BaseException) -> str:
        return f"cannot be read beyond {self.taken} bytes: {error}"


class Inflated(Stream):
    """The inflated content of a gzip stream with all its members; its size is unknown in advance."""

    def __init__(self, packed: Stream) -> None:
        super().__init__(igzip.IGzipFile(fileobj=packed), packed.name)  # type: ignore[no-untyped-call]  # isal's stub
        self._packed = packed

    def _damage(self, error: BaseException) -> str:
        of = "" if self._packed.size is None else f" of {self._packed.size}"
        kind = "ends in the middle" if isinstance(error, EOFError) else f"is damaged ({error})"
        return (
            f"the gzip data {kind}: {self._packed.taken}{of} bytes inflated to {self.taken} bytes without an "
            "end; the data up to there was read; download the file again"
        )
