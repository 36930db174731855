"""The option `--parameter NAME=VALUE`: parameters of the template, as in `sam deploy`."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Final

from flowwarden_cli.commands.command import UsageError

OPTION: Final = "--parameter"


def add_option(command: ArgumentParser, purpose: str) -> None:
    """Add the option to a command's arguments."""
    command.add_argument(OPTION, action="append", default=[], metavar="NAME=VALUE", help=purpose)


def read(given: Sequence[str]) -> dict[str, str]:
    """The values by name. Raises UsageError."""
    found: dict[str, str] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals:
            raise UsageError(f"{OPTION} {each!r}: write NAME=VALUE, such as OtherDestinations=yes")
        if name in found:
            raise UsageError(f"{OPTION} {name}: given twice")
        found[name] = value
    return found
