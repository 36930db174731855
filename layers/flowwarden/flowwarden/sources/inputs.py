"""Inputs: the files for the paths that the user gives."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from io import BufferedIOBase
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Final

from msgspec import Struct

from flowwarden.errors import SourceError, SourceNotOpened
from flowwarden.sources.chunks import Note
from flowwarden.sources.named_pipe import open_pipe

type Identity = tuple[int, int]
"""Device number and inode number of a file."""

STDIN: Final = "-"
"""The path for standard input."""

_HIDDEN: Final = (".", "_")


class Input(Struct, frozen=True):
    """One file, or standard input."""

    name: str
    """The name in messages."""
    size: int | None
    """Bytes; None if unknown in advance, as for a pipe."""
    path: Path | None = None
    """None for an open stream."""
    stream: BufferedIOBase | None = None
    opener: Callable[[], BufferedIOBase] | None = None
    """Opens what is not a file, such as an object of a bucket. Raises SourceError."""

    def open(self) -> BufferedIOBase:
        """Open it for reading.

        Raises:
            SourceNotOpened: it does not exist or is not readable.
        """
        if self.stream is not None:
            return self.stream
        if self.opener is not None:
            return self.opener()
        path = Path(self.name if self.path is None else self.path)
        try:
            return open_pipe(path, self.name) if path.is_fifo() else path.open("rb")
        except (OSError, ValueError) as error:
            raise _not_opened(self.name, error) from error


def find(
    paths: Iterable[str], stdin: BufferedIOBase, own: Collection[Identity] = ()
) -> Iterator[Input | SourceError | Note]:
    """Find the files for the paths; yields an error in place of a path that cannot be used.

    A folder yields all files below it, ordered by path, except hidden ones: names that begin with a dot or an
    underscore, which Athena and Spark ignore, too. Symbolic links to folders below it are not followed, to
    prevent endless loops, and pipes and devices below it are not opened; a note says so. A path that is given
    explicitly is read whatever it is.

    Args:
        paths: files, folders, or `STDIN`, which can be read once.
        stdin: standard input.
        own: the files to which the command writes. They are not read, because reading might never end.
    """
    is_read = False
    for path in paths:
        if path == STDIN:
            yield _TWICE if is_read else _standard_input(stdin, own)
            is_read = True
        elif not path:
            yield SourceNotOpened("'': the path is empty; write . for the current folder")
        else:
            yield from _found(Path(path), own)


_TWICE: Final = SourceNotOpened("standard input: can be read only once; give - only once")


def _standard_input(stdin: BufferedIOBase, own: Collection[Identity]) -> Input | SourceError:
    name = "standard input"
    try:
        if _is_own(os.fstat(stdin.fileno()), own):
            return SourceNotOpened(f"{name}: is the output of this command; write it elsewhere")
    except OSError:  # a stream in memory has no file descriptor
        pass
    return Input(name, None, stream=stdin)


def _found(path: Path, own: Collection[Identity]) -> Iterator[Input | SourceError | Note]:
    try:
        status = path.stat()
        if not S_ISDIR(status.st_mode):
            if _is_own(status, own):
                yield SourceNotOpened(f"{path}: is the output of this command; write it elsewhere")
            else:
                yield Input(str(path), status.st_size if S_ISREG(status.st_mode) else None, path)
            return
    except (OSError, ValueError) as error:
        yield _not_opened(str(path), error)
        return
    yield from _below(path, own)


def _below(folder: Path, own: Collection[Identity]) -> Iterator[Input | SourceError | Note]:
    """The files below a folder. Not recursive: folders can be nested deeper than Python's recursion limit."""
    entries = [folder]
    while entries:
        path = entries.pop()
        try:
            status = path.stat()
            if not S_ISDIR(status.st_mode):
                yield _file_below(path, status, own)
            elif path is not folder and path.is_symlink():
                yield Note(
                    f"{path}: is a link to a folder, which is not followed; give it as a PATH to read it"
                )
            else:
                below = (entry for entry in path.iterdir() if not entry.name.startswith(_HIDDEN))
                entries += sorted(below, reverse=True)
        except OSError as error:
            yield _not_opened(str(path), error)


def _file_below(path: Path, status: os.stat_result, own: Collection[Identity]) -> Input | Note:
    if _is_own(status, own):
        return Note(f"{path}: is the output of this command, which is not read")
    if not S_ISREG(status.st_mode):
        return Note(f"{path}: is not a regular file; give it as a PATH to read it")
    return Input(str(path), status.st_size, path)


def _is_own(status: os.stat_result, own: Collection[Identity]) -> bool:
    return S_ISREG(status.st_mode) and (status.st_dev, status.st_ino) in own


def _not_opened(name: str, error: OSError | ValueError) -> SourceNotOpened:
    reason = error.strerror if isinstance(error, OSError) else None
    return SourceNotOpened(f"{name}: {reason or error}; check the path and its permissions")
