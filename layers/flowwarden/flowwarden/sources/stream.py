"""Streams of bytes: looked at before they are read, inflated on the way, in blocks of bounded size."""

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
"""Bytes looked at, at most, to tell what a stream holds."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_SHORTEST_HEAD: Final = 8  # the longest magic number has six


class Stream(RawIOBase):
    """Bytes of a source, with a look at the first of them and a count of those taken."""

    def __init__(self, below: BufferedIOBase, name: str, size: int | None = None) -> None:
        super().__init__()
        self.name = name
        self.size = size
        self.taken = 0
        self._below = below
        self._pending = b""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # what read() passes
        """Read what is there, at least one byte unless it is the end."""
        data = self._pending[: len(buffer)] or self._take(len(buffer))
        self._pending = self._pending[len(data) :]
        buffer[: len(data)] = data
        return len(data)

    def head(self) -> bytes:
        """The first bytes, up to the end of the first line that is not blank; they stay to be read."""
        while not self._tells() and (more := self._take(LONGEST_HEAD)):
            self._pending += more
        return self._pending.removeprefix(_BYTE_ORDER_MARK)

    def blocks(self, progress: Callable[[], None]) -> Iterator[bytes]:
        """The bytes, without a byte order mark, in blocks of at most `BLOCK`; as soon as they are there.

        Args:
            progress: called before each block.

        Raises:
            DamagedSource: compressed data is truncated or corrupt, or the medium fails.
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
        return f"cannot be read on after {self.taken} bytes: {error}"


class Inflated(Stream):
    """What a gzip stream inflates to, all its members; its size is not known before the end."""

    def __init__(self, packed: Stream) -> None:
        super().__init__(igzip.IGzipFile(fileobj=packed), packed.name)  # type: ignore[no-untyped-call]  # isal's stub
        self._packed = packed

    def _damage(self, error: BaseException) -> str:
        of = "" if self._packed.size is None else f" of {self._packed.size}"
        kind = "ends in the middle" if isinstance(error, EOFError) else f"is damaged ({error})"
        return (
            f"the gzip data {kind}: {self._packed.taken}{of} bytes gave {self.taken} bytes and no end; "
            "what stands before was read; fetch the file again"
        )
