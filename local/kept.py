"""An AWS emulator that keeps running between commands, as `invoke` uses it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from msgspec import Struct

from local.clients import Clients
from local.environment import environment
from local.sandbox import State
from local.server import FOLDERS


class RunningAws(Protocol):
    """An AWS emulator that containers can reach: `server.EmbeddedAws`, or one that is kept."""

    @property
    def clients(self) -> Clients:
        """Clients of its services."""

    @property
    def folder(self) -> Path:
        """The folder of its files."""

    @property
    def log(self) -> Path:
        """Its log."""

    @property
    def environment(self) -> dict[str, str]:
        """The environment for tools that use it."""

    @property
    def port(self) -> int:
        """Its port."""


class KeptAws(Struct, frozen=True):
    """The AWS emulator of a running sandbox."""

    state: State
    name: str

    @property
    def clients(self) -> Clients:
        """Clients of its services."""
        return self.state.clients

    @property
    def folder(self) -> Path:
        """The folder of its files."""
        return FOLDERS / self.name

    @property
    def log(self) -> Path:
        """Its log."""
        return self.folder / "ministack.log"

    @property
    def environment(self) -> dict[str, str]:
        """The environment for tools that use it."""
        return environment(self.state.endpoint)

    @property
    def port(self) -> int:
        """Its port."""
        return int(self.state.endpoint.rpartition(":")[2])
