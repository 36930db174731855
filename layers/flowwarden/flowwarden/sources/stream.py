"""Byte streams: peek at their beginning, inflate them, and read them in blocks of bounded size."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from io import BufferedIOBase, RawIOBase
from typing import Final

from flowwarden.errors import DamagedSource

BLOCK: Final = 2**19
"""Bytes read at once: some thousand lines. A table reads fewer more slowly; more take more memory."""
LONGEST_HEAD: Final = 2**16
"""Maximum bytes to peek at for detecting the kind of a stream."""
SPARE: Final = 2**27
"""Bytes that nested compression may inflate to in a source of any size: 128 MiB."""
MOST_TIMES: Final = 50
"""Further bytes that it may inflate to for each byte of the source. Flow logs inflate to about ten."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_SHORTEST_HEAD: Final = 8  # the longest magic number has six
_GZIP: Final = b"\x1f\x8b"
_GZIP_WINDOW: Final = 31  # for zlib: expect a gzip header and checksum
_ZLIB_WINDOW: Final = 15
_PACKED: Final = 2**16  # compressed bytes given to zlib at once


class InflatesTooMuch(ValueError):
    """Nested compression inflates to more than allowed."""


class Allowance:
    """The bytes that nested compression of one source may inflate to; grows with the bytes read of it."""

    def __init__(self, taken: Callable[[], int]) -> None:
        """`taken` returns the number of bytes read of the source so far."""
        self.spent = 0
        self._taken = taken

    def spend(self, count: int) -> None:
        """Count inflated bytes. Raises InflatesTooMuch if they are more than allowed."""
        self.spent += count
        if self.spent > SPARE + MOST_TIMES * self._taken():
            raise InflatesTooMuch(
                f"nested compression inflates to more than {SPARE >> 20} MiB and {MOST_TIMES} times "
                "the source"
            )


class Stream(RawIOBase):
    """The bytes of a source; can peek at the first bytes and counts the bytes read."""

    def __init__(self, below: BufferedIOBase | RawIOBase, name: str, size: int | None = None) -> None:
        super().__init__()
        self.name = name
        self.size = size
        self.taken = 0
        self._below = below
        self._pending = b""
        self._failure: DamagedSource | None = None  # raised once the bytes read before it are consumed

    def readable(self) -> bool:
        """Always true."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # what read() passes
        """Read the available bytes, at least one unless the stream has ended."""
        self._pending = self._pending or self._take(len(buffer))
        data = self._pending[: len(buffer)]
        self._pending = self._pending[len(data) :]
        buffer[: len(data)] = data
        return len(data)

    def head(self) -> bytes:
        """The first bytes, up to the end of the first non-blank line; they are not consumed.

        Raises:
            DamagedSource: not even the first byte can be read.
        """
        try:
            while not self._is_decided() and (more := self._take(LONGEST_HEAD)):
                self._pending += more
        except DamagedSource as error:
            if not self._pending:
                raise
            self._failure = error
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

    def demand_end(self) -> None:
        """Check, after the last block, that all was read. Raises DamagedSource if not."""

    def _is_decided(self) -> bool:
        text = self._pending.removeprefix(_BYTE_ORDER_MARK).lstrip(b" \t\r\n\v\f\0")
        known = len(self._pending) >= _SHORTEST_HEAD and (b"\n" in text or not text[:1].isascii())
        return known or len(self._pending) >= LONGEST_HEAD

    def _take(self, size: int) -> bytes:
        if self._failure is not None:
            raise self._failure
        try:
            data = self._read(size)
        except (OSError, EOFError, ValueError, zlib.error) as error:
            raise DamagedSource(f"{self.name}: {self._damage(error)}") from error
        self.taken += len(data)
        return data

    def _read(self, size: int) -> bytes:
        below = self._below
        return (below.read1(size) if isinstance(below, BufferedIOBase) else below.read(size)) or b""

    def _damage(self, error: BaseException) -> str:
        return f"cannot be read beyond {self.taken} bytes: {error}"


class Inflated(Stream):
    """The inflated content of gzip data with all its members; its size is unknown in advance.

    Damaged data is inflated up to the damaged byte. Data after the last member is not read, and `demand_end`
    reports it.
    """

    def __init__(
        self, packed: Stream, window: int = _GZIP_WINDOW, spend: Callable[[int], None] = lambda _: None
    ) -> None:
        """Read compressed data.

        Args:
            packed: the compressed data.
            window: zlib's `wbits`, which selects gzip or zlib (`Inflated.of_zlib`).
            spend: called with the number of inflated bytes. Raises ValueError if they are too many.
        """
        super().__init__(packed, packed.name)
        self._packed = packed
        self._window = window
        self._spend = spend
        self._inflater = zlib.decompressobj(window)
        self._input = b""
        self._is_full = False
        self._broken: zlib.error | None = None
        self._junk = b""

    @classmethod
    def of_zlib(cls, packed: Stream, spend: Callable[[int], None]) -> Inflated:
        """The content of zlib data, which account-wide subscriptions deliver."""
        return cls(packed, _ZLIB_WINDOW, spend)

    def demand_end(self) -> None:
        """Raise DamagedSource if other data follows the compressed data, in this layer or one below."""
        if self._junk:
            raise DamagedSource(
                f"{self.name}: the gzip data is followed by something else ({self._junk[:4].hex(' ')}) after "
                f"{self.taken} inflated bytes; the data up to that point was read; download the file again"
            )
        self._packed.demand_end()

    def _read(self, size: int) -> bytes:
        if self._broken is not None:
            raise self._broken
        while not self._junk and (self._input or self._is_full or self._refill()):
            if self._inflater.eof and not self._next_member():
                return b""
            if data := self._inflate(size):
                self._spend(len(data))
                return data
        return b""

    def _refill(self) -> bool:
        """Read compressed bytes; False if there are no more. Raises EOFError if they end within a member."""
        self._input = self._packed.read(_PACKED) or b""
        if not self._input and not self._inflater.eof:
            raise EOFError
        return bool(self._input)

    def _next_member(self) -> bool:
        """Begin the next member, after padding with zero bytes. Returns False if there is none."""
        self._input = self._input.lstrip(b"\0")
        while len(self._input) < len(_GZIP) and (more := self._packed.read(_PACKED)):
            self._input = (self._input + more).lstrip(b"\0")
        if self._window == _GZIP_WINDOW and self._input.startswith(_GZIP):
            self._inflater = zlib.decompressobj(self._window)
            return True
        self._junk, self._input = self._input, b""
        return False

    def _inflate(self, size: int) -> bytes:
        before = self._inflater.copy()
        try:
            data = self._inflater.decompress(self._input, size)
        except zlib.error as error:
            self._broken = error
            return self._inflate_bytes(before)
        self._is_full = len(data) == size  # then zlib may hold more
        self._input = self._inflater.unused_data if self._inflater.eof else self._inflater.unconsumed_tail
        return data

    def _inflate_bytes(self, inflater: zlib._Decompress) -> bytes:
        """Inflate byte by byte, up to the damage."""
        data = bytearray()
        try:
            for at in range(len(self._input)):
                data += inflater.decompress(self._input[at : at + 1], BLOCK)
        except zlib.error:
            pass
        if not data and self._broken is not None:
            raise self._broken
        return bytes(data)

    def _damage(self, error: BaseException) -> str:
        if isinstance(error, InflatesTooMuch):
            return f"{error}; the data up to that point was read; unpack the source first"
        of = "" if self._packed.size is None else f" of {self._packed.size}"
        kind = "is truncated" if isinstance(error, EOFError) else f"is damaged ({error})"
        return (
            f"the gzip data {kind}: {self._packed.taken}{of} bytes inflated to {self.taken} bytes, and the "
            "end is missing; the data up to that point was read; download the file again"
        )
