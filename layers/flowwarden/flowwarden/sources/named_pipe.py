"""Opens named pipes as streams, without waiting forever for a program that writes to them."""

from __future__ import annotations

import os
import select
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import Final

from flowwarden.errors import SourceNotOpened

TRIES: Final = 30
"""Maximum polls for a writer: a shell starts the reader and the writer at about the same time."""

_PAUSE: Final = 100  # milliseconds of a poll
_FIRST: Final = 2**16


class _Pipe(RawIOBase):
    """The bytes that were read while waiting for a writer, then the rest of the pipe."""

    def __init__(self, first: bytes, descriptor: int) -> None:
        super().__init__()
        self._first = first
        self._file = os.fdopen(descriptor, "rb", buffering=0)

    def readable(self) -> bool:
        """Always true."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int | None:  # type: ignore[override]  # what read() passes
        """Read the available bytes."""
        if not self._first:
            return self._file.readinto(buffer)
        data, self._first = self._first[: len(buffer)], self._first[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the pipe."""
        self._file.close()
        super().close()


def open_pipe(path: Path, name: str, tries: int = TRIES) -> BufferedReader:
    """Open a named pipe that a program writes to; reading it then waits for data as usual.

    Raises:
        SourceNotOpened: no program opens it for writing.
        OSError: it cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    first = _first_bytes(descriptor, tries)
    if first is None:
        os.close(descriptor)
        raise SourceNotOpened(
            f"{name}: is a named pipe that no program writes to; start that program first, or use a file"
        )
    os.set_blocking(descriptor, True)
    return BufferedReader(_Pipe(first, descriptor))


def _first_bytes(descriptor: int, tries: int) -> bytes | None:
    """What a writer has written so far, possibly nothing; None if there is no writer."""
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    for _ in range(tries):
        events = poller.poll(_PAUSE)
        try:
            first = os.read(descriptor, _FIRST)
        except BlockingIOError:
            return b""  # there is a writer that has not written yet
        if first or events:  # events without data: a writer came and went
            return first
    return None
