"""The file of a checkpoint: what it contains, how it is read, and how it is replaced."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from flowwarden.errors import SettingsError
from flowwarden.replay.timed import LATEST

OPTION: Final = "--checkpoint"
MAGIC: Final = b"flowwarden replay checkpoint 1\n"
"""The first line of the file; its number is raised when the format changes."""
_DIGEST: Final = 16
"""Bytes of the checksum, which follows."""

type Moment = Annotated[int, Meta(ge=0, le=2 * LATEST)]
"""Unix seconds that a clock can show."""


class Period(Struct, frozen=True, kw_only=True):
    """What a replay of a log group read from AWS at its beginning, and what a later run must use, too."""

    first: Moment
    """Unix seconds."""
    end: Moment
    """Unix seconds."""
    log_formats: tuple[str, ...]
    interfaces: str
    """As in the file of `flowwarden interfaces export`."""


class Saved(Struct, frozen=True, kw_only=True):
    """The content of the file."""

    terms: Mapping[str, str]
    """What must be the same when the replay goes on: a name for people, and a value or its digest."""
    slices: tuple[bytes, ...]
    """The digest of each slice that was processed."""
    until: Moment
    """The end of the last one (Unix seconds)."""
    states: tuple[bytes, ...]
    """The state of each replay."""
    period: Period | None = None


def read(file: Path) -> Saved | None:
    """The checkpoint in a file; None if there is no file.

    Raises:
        SettingsError: why it cannot be used, or cannot be written, as far as that is known before.
    """
    try:
        _demand_usable(file)
        with file.open("rb") as opened:
            if opened.read(len(MAGIC)) != MAGIC:  # another file can be large
                raise SettingsError("is not a checkpoint of this version; write another name")
            checksum, content = opened.read(_DIGEST), opened.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(f"cannot be read: {error.strerror or error}") from error
    except MemoryError as error:
        raise _damaged() from error
    try:
        if _checksum(content) != checksum:
            raise _damaged()
        return msgspec.msgpack.decode(content, type=Saved)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise _damaged() from error


def _demand_usable(file: Path) -> None:
    """Raises SettingsError."""
    if file.is_dir():
        raise SettingsError("is a folder; write the name of a file")
    if file.exists() and not file.is_file():  # reading a pipe or a device may never end
        raise SettingsError("is not a regular file; write the name of a file")
    if not file.parent.is_dir():
        raise SettingsError("its folder does not exist")
    if problem := _written(file, b"", into_place=False):
        raise SettingsError(f"cannot be written: {problem}")


def _damaged() -> SettingsError:
    return SettingsError("is damaged or incomplete; delete it to start from the beginning")


def write(file: Path, saved: Saved) -> str:
    """Replace the file, at once or not at all; return the problem if that is not possible, else ''."""
    content = msgspec.msgpack.encode(saved)
    return _written(file, MAGIC + _checksum(content) + content, into_place=True)


def _written(file: Path, content: bytes, *, into_place: bool) -> str:
    """Write a file beside it, and replace it with that, or only try the first; return the problem."""
    # A name that replays skip, in the same file system; always the same, so that a killed run leaves one file
    # at most, and the next one removes it.
    part = file.with_name(f".{file.name}.part")
    try:
        part.unlink(missing_ok=True)
        # For its owner alone: it contains addresses and the policy. Never through a link of another user.
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        if into_place:
            part.replace(file)
    except OSError as error:
        return error.strerror or str(error)
    finally:
        with suppress(OSError):
            part.unlink()
    return ""


def remove(file: Path) -> str:
    """Delete the file, if it exists; return the problem if that is not possible, else ''."""
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _checksum(content: bytes) -> bytes:
    return blake2b(content, digest_size=_DIGEST).digest()
