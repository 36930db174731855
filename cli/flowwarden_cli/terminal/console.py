"""The console: input, output and error streams, and whether to show progress."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from errno import EBADF
from io import BufferedIOBase, BytesIO, StringIO, TextIOWrapper
from typing import Self, TextIO, cast

from msgspec import Struct

from flowwarden.printable import as_json, printable


class Console(Struct, frozen=True):
    """Standard input, output and error, and clocks."""

    stdin: BufferedIOBase
    stdout: BufferedIOBase
    """A stream of bytes: the output is UTF-8 in every locale."""
    stderr: TextIO
    shows_progress: bool
    """Whether to show a progress bar: only if standard error is a terminal and standard output is not."""
    clock: Callable[[], float]
    """Seconds since an arbitrary start."""
    now: Callable[[], float] = time.time
    """Unix seconds."""
    own: frozenset[tuple[int, int]] = frozenset()
    """Device and inode numbers of the files to which standard output and error are redirected."""
    columns: int = 80
    """The width of the terminal, for help and usage."""

    @classmethod
    def of_process(cls) -> Self:
        """The console of this process."""
        output, errors = sys.stdout or _closed(), sys.stderr or StringIO()
        shows_progress = errors.isatty() and not output.isatty()
        # The types are loose because programs may replace these streams; at process start they are buffered.
        # Some schedulers provide no stdin: treat it as empty.
        stdin = cast("BufferedIOBase", sys.stdin.buffer if sys.stdin is not None else BytesIO())
        stdout = cast("BufferedIOBase", output.buffer)
        columns = shutil.get_terminal_size().columns
        own = frozenset(identity for each in (output, errors) for identity in _file_of(each))
        return cls(stdin, stdout, errors, shows_progress, time.monotonic, own=own, columns=columns)

    def print(self, text: str) -> None:
        """Print a text of one or more lines, with control characters escaped."""
        lines = "".join(f"{printable(line)}\n" for line in text.split("\n"))
        self.stdout.write(lines.encode())

    def print_document(self, document: object, indent: int | None = 2) -> None:
        """Print a value as JSON, which `print` could shorten; without `indent`, on one line."""
        self.stdout.write(f"{as_json(document, indent=indent)}\n".encode())

    def report(self, text: str) -> None:
        """Print a message for the user on standard error.

        Whatever the text contains, it is printed as one line of limited length, with control characters
        escaped.
        """
        with suppress(OSError):  # if even errors cannot be written, the exit code remains
            self.stderr.write(f"{printable(text)}\n")
            self.stderr.flush()


def _closed() -> TextIO:
    """A stand-in for an output that was closed before the process began; writing to it raises OSError."""
    return cast("TextIO", TextIOWrapper(_Closed()))


class _Closed(BytesIO):
    """A stream of bytes to which every write fails."""

    def write(self, _data: object) -> int:
        """Raise OSError (EBADF), as a closed file descriptor does."""
        raise OSError(EBADF, os.strerror(EBADF))


def _file_of(stream: TextIO) -> Iterator[tuple[int, int]]:
    """Device and inode number of the file of a stream; nothing if it has none."""
    with suppress(OSError, ValueError):
        status = os.fstat(stream.fileno())
        yield status.st_dev, status.st_ino
