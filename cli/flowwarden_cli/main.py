"""The command line: arguments and exit codes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from flowwarden_cli.commands import COMMANDS
from flowwarden_cli.commands.command import FINE, Command, UsageError
from flowwarden_cli.terminal.console import Console

INTERRUPTED: Final = 130

_DESCRIPTION: Final = "Flow Warden on the command line: reads flow records and shows the enforcer's plan."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments (of the process, if None); return the exit code."""
    console = Console.of_process()
    try:
        code = run(sys.argv[1:] if arguments is None else arguments, console)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `| head`, closed the pipe: not an error, and nothing may be flushed at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINE
    except KeyboardInterrupt:
        console.report("interrupted")
        return INTERRUPTED
    return code


def run(arguments: Sequence[str], console: Console, commands: Sequence[Command] = COMMANDS) -> int:
    """Run the command of the arguments on this console; return the exit code.

    Raises:
        SystemExit: the usage is wrong (2), or help or version was requested (0).
        BrokenPipeError: the reader of the output closed the pipe.
    """
    parser = _parser(commands)
    options = parser.parse_args(arguments)
    by_name = {each.name: each for each in commands}
    try:
        return by_name[options.command].run(options, console)
    except UsageError as error:
        parser.error(str(error))


def _parser(commands: Sequence[Command]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="flowwarden", description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"%(prog)s {_version()}")
    choice = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    for each in commands:
        one = choice.add_parser(
            each.name,
            help=each.help,
            description=each.description,
            epilog=each.epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        each.add_arguments(one)
    return parser


def _version() -> str:
    try:
        return version("flow-warden")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "(not installed)"
