"""The command line: arguments and exit codes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Final, NoReturn

from flowwarden.printable import printable
from flowwarden_cli.commands import COMMANDS
from flowwarden_cli.commands.command import SUCCEEDED, UNREADABLE, Command, UsageError
from flowwarden_cli.terminal.console import Console

INTERRUPTED: Final = 130

_DESCRIPTION: Final = (
    "Reads AWS VPC flow logs, prints what Flow Warden's enforcer would do, checks a policy, and handles the "
    "incidents of a stack."
)
_MARGIN: Final = 2
"""Columns that help and usage leave free, as argparse does."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments (of the process, if None); return the exit code."""
    console = Console.of_process()
    try:
        code = run(sys.argv[1:] if arguments is None else arguments, console)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `| head`, closed the pipe, which is not an error
        _drop_output()
        return SUCCEEDED
    except OSError as error:  # errors of the input are SourceErrors, so this is the output: the disk is full
        _drop_output()
        console.report(f"error: cannot write the output: {error.strerror or error}")
        return UNREADABLE
    except KeyboardInterrupt:
        console.report("interrupted")
        return INTERRUPTED
    return code


def run(arguments: Sequence[str], console: Console, commands: Sequence[Command] = COMMANDS) -> int:
    """Run the command of the arguments on this console; return the exit code.

    Raises:
        SystemExit: the usage is wrong (2), or help or version was requested (0).
        OSError: the output cannot be written; BrokenPipeError: its reader closed the pipe.
    """
    parser, parsers = _parser(commands, console.columns - _MARGIN)
    options = parser.parse_args(arguments, argparse.Namespace(parser=parser))
    by_name = {each.name: each for each in commands}
    try:
        return by_name[options.command].run(options, console)
    except UsageError as error:
        parsers[options.command].error(str(error))


class _Parser(argparse.ArgumentParser):
    """A parser that escapes control characters in the arguments that its errors quote, such as file names."""

    def error(self, message: str) -> NoReturn:
        """Print usage and the error, and exit with 2."""
        super().error(printable(message))


def _drop_output() -> None:
    """Discard output that is not written yet, because Python would try again to write it at exit."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser(commands: Sequence[Command], width: int) -> tuple[argparse.ArgumentParser, dict[str, _Parser]]:
    """The parser of the whole command line, and that of each command."""
    parser = _Parser(
        prog="flowwarden",
        description=_DESCRIPTION,
        formatter_class=partial(argparse.HelpFormatter, width=width),
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show program's version number and exit")
    choice = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    for each in commands:
        one = choice.add_parser(
            each.name,
            help=each.help,
            description=each.description,
            epilog=each.epilog,
            formatter_class=partial(argparse.RawDescriptionHelpFormatter, width=width),
        )
        each.add_arguments(one)
    return parser, choice.choices


class _Version(argparse.Action):
    """Prints the version. Looks it up only then, because that reads the folders of all installed packages."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        sys.stdout.write(f"{parser.prog} {_version()}\n")
        parser.exit()


def _version() -> str:
    try:
        return version("flow-warden")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "(not installed)"
