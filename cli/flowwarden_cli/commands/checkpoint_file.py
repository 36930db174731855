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


class Period(Struct, frozen=True, kw_only=True):
    """What a replay of a log group read from AWS at its beginning, and what a later run must use, too."""

    first: int
    """Unix seconds."""
    end: int
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
    until: Annotated[int, Meta(ge=0, le=2 * LATEST)]
    """The end of the last one (Unix seconds)."""
    states: tuple[bytes, ...]
    """The state of each replay."""
    period: Period | None = None


def unusable(path: str) -> str:
    """Why a file cannot become a checkpoint, as far as that is known before; '' if it can."""
    file = Path(path)
    try:
        if file.is_dir():
            return f"{OPTION} {path}: is a folder; write the name of a file"
        if not file.parent.is_dir():
            return f"{OPTION} {path}: the folder {file.parent} does not exist"
        # The file is replaced by another one, so its folder counts.
        is_writable = os.access(file.parent, os.W_OK)
    except OSError as error:
        return f"{OPTION} {path}: cannot be written: {error.strerror or error}"
    return "" if is_writable else f"{OPTION} {path}: cannot be written: permission denied"


def read(path: str) -> Saved | None:
    """The checkpoint in a file; None if there is no file. Raises SettingsError."""
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(f"{OPTION} {path}: cannot be read: {error.strerror or error}") from error
    if not data.startswith(MAGIC):
        raise SettingsError(f"{OPTION} {path}: is not a checkpoint of this version; write another name")
    checksum, content = data[len(MAGIC) :][:_DIGEST], data[len(MAGIC) + _DIGEST :]
    try:
        if _checksum(content) != checksum:
            raise _damaged(path)
        return msgspec.msgpack.decode(content, type=Saved)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise _damaged(path) from error


def _damaged(path: str) -> SettingsError:
    return SettingsError(f"{OPTION} {path}: is damaged or incomplete; delete it to start from the beginning")


def write(path: str, saved: Saved) -> str:
    """Replace the file, at once or not at all; return the problem if that is not possible, else ''."""
    content = msgspec.msgpack.encode(saved)
    # A name that replays skip, in the same file system.
    part = Path(path).with_name(f".{Path(path).name}.{os.getpid()}")
    try:
        # For its owner alone: it contains addresses and the policy.
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(MAGIC + _checksum(content))
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        return error.strerror or str(error)
    finally:
        with suppress(OSError):
            part.unlink()
    return ""


def remove(path: str) -> str:
    """Delete the file, if it exists; return the problem if that is not possible, else ''."""
    try:
        Path(path).unlink(missing_ok=True)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _checksum(content: bytes) -> bytes:
    return blake2b(content, digest_size=_DIGEST).digest()
