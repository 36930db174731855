"""Reads a policy or settings from a file, a named pipe or standard input."""

from __future__ import annotations

from io import BufferedIOBase
from pathlib import Path
from typing import Final, cast

from flowwarden.errors import SettingsError, SourceNotOpened
from flowwarden.sources.named_pipe import open_pipe
from flowwarden_cli.terminal.console import Console

STDIN: Final = "-"
LONGEST: Final = 1_000_000
"""Maximum bytes that are read: far more than a policy can have, so that a wrong file is not read
completely."""


def text_of(name: str | Path, console: Console, longest: int = LONGEST) -> str:
    """The text of a file of at most `longest` bytes, or of standard input for `-`.

    Raises:
        SettingsError: it cannot be read, is too large, or is not UTF-8.
    """
    content = _content(str(name), console, longest)
    if len(content) > longest:
        raise SettingsError(f"{name}: more than {longest:,} bytes; write the path of the right file")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError(f"{name}: is not UTF-8; save the file as UTF-8") from error


def _content(name: str, console: Console, longest: int) -> bytes:
    """The first bytes, one more than allowed."""
    if name == STDIN:
        return console.stdin.read(longest + 1)
    if not name:
        raise SettingsError("the name of a file is empty; write the path of the file")
    try:
        with _opened(Path(name), name) as file:
            return file.read(longest + 1)
    except SourceNotOpened as error:
        raise SettingsError(str(error)) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the name
        why = getattr(error, "strerror", None) or error
        raise SettingsError(f"{name}: {why}; check the path and its permissions") from error


def _opened(path: Path, name: str) -> BufferedIOBase:
    # Opening a pipe that no program writes to would wait forever.
    return open_pipe(path, name) if path.is_fifo() else cast("BufferedIOBase", path.open("rb"))
