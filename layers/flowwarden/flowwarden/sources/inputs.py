"""Inputs: the files for the paths that the user gives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import Final

from msgspec import Struct

from flowwarden.errors import SourceError, SourceNotOpened

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

    def open(self) -> BufferedIOBase:
        """Open it for reading.

        Raises:
            SourceNotOpened: it does not exist or is not readable.
        """
        if self.stream is not None:
            return self.stream
        try:
            return Path(self.name if self.path is None else self.path).open("rb")
        except OSError as error:
            raise _not_opened(self.name, error) from error


def find(paths: Iterable[str], stdin: BufferedIOBase) -> Iterator[Input | SourceError]:
    """Find the files for the paths; yields an error in place of a path that cannot be used.

    A folder yields all files below it, ordered by path, except hidden ones: names that begin with a dot or an
    underscore, which Athena and Spark ignore, too. Symbolic links to folders below it are not followed, to
    prevent endless loops.
    """
    for path in paths:
        if path == STDIN:
            yield Input("standard input", None, stream=stdin)
        elif not path:
            yield SourceNotOpened("'': the path is empty; write . for the current folder")
        else:
            yield from _below(Path(path), named=True)


def _below(path: Path, *, named: bool) -> Iterator[Input | SourceError]:
    try:
        if path.is_dir():
            if named or not path.is_symlink():
                for entry in sorted(path.iterdir()):
                    if not entry.name.startswith(_HIDDEN):
                        yield from _below(entry, named=False)
            return
        status = path.stat()
    except OSError as error:
        yield _not_opened(str(path), error)
        return
    yield Input(str(path), status.st_size if path.is_file() else None, path)


def _not_opened(name: str, error: OSError) -> SourceNotOpened:
    return SourceNotOpened(f"{name}: {error.strerror or error}; check the path and its permissions")
