"""The file of `flowwarden interfaces export`: network interfaces as JSON, for replays without an account."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Struct

from flowwarden.errors import SettingsError
from flowwarden.network.interface import NetworkInterface
from flowwarden.printable import as_json

VERSION: Final = "1"
"""Raised when a member is removed or changes its meaning."""


class InterfaceFile(Struct, frozen=True, kw_only=True):
    """The content of the file."""

    version: str = VERSION
    account: str = ""
    region: str = ""
    interfaces: tuple[NetworkInterface, ...]


def document(file: InterfaceFile) -> object:
    """The file as JSON values, sorted by interface id."""
    ordered = sorted(file.interfaces, key=lambda each: each.interface_id)
    return msgspec.to_builtins(msgspec.structs.replace(file, interfaces=tuple(ordered)))


def encoded(file: InterfaceFile) -> str:
    """The file as JSON."""
    return as_json(document(file), indent=1)


def decoded(name: str, text: str | bytes) -> InterfaceFile:
    """Read the file with this name.

    Raises:
        SettingsError: it is not such a file.
    """
    try:
        found = msgspec.json.decode(text, type=InterfaceFile)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise SettingsError(
            f"{name}: is not a file of `flowwarden interfaces export`: {error}; export it again"
        ) from error
    if found.version != VERSION:
        raise SettingsError(
            f"{name}: has version {found.version!r}, and this command reads {VERSION!r}; export it again"
        )
    return found


def by_id(interfaces: Iterable[NetworkInterface]) -> dict[str, NetworkInterface]:
    """The interfaces by their ids."""
    return {each.interface_id: each for each in interfaces}
