"""What a command of `flowwarden` is. `COMMANDS` lists them."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from flowwarden_cli.terminal.console import Console

FINE: Final = 0
UNREADABLE: Final = 1


class UsageError(Exception):
    """The arguments do not go together; the message says why."""


class Command(Struct, frozen=True, kw_only=True):
    """One command: its file makes one of these, and `COMMANDS` names it."""

    name: str
    help: str
    """Its line in the list of commands."""
    description: str
    epilog: str
    """Examples and exit codes."""
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace, Console], int]
    """Does it and returns the exit code. Raises UsageError; BrokenPipeError if the output is read no more."""
