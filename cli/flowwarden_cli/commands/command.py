"""The type of a `flowwarden` command. `COMMANDS` lists them."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec import Struct

from flowwarden_cli.terminal.console import Console

SUCCEEDED: Final = 0
UNREADABLE: Final = 1


class UsageError(Exception):
    """The arguments are inconsistent; the message contains the reason."""


def not_empty(value: str) -> str:
    """The value of an option. Raises ArgumentTypeError if it is empty: that would mean it was not given."""
    if not value:
        raise ArgumentTypeError("the value is empty")
    return value


def file_path(value: str) -> Path:
    """The value of an option as a path. Raises ArgumentTypeError if it is empty."""
    return Path(not_empty(value))


def without_sdk(error: ModuleNotFoundError, console: Console) -> int:
    """Print how to install the optional package that a command needs; return the exit code."""
    console.report(f"error: {error}; run in the project's folder: pip install '.[plan]'")
    return UNREADABLE


class Command(Struct, frozen=True, kw_only=True):
    """One command. Its file creates the instance, and `COMMANDS` lists it."""

    name: str
    help: str
    """Its line in the list of commands."""
    description: str
    epilog: str
    """Examples and exit codes."""
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace, Console], int]
    """Runs the command with the parsed arguments; returns the exit code.

    `parser` of the arguments is the parser of the whole command line.
    Raises UsageError, and OSError if the output cannot be written.
    """
