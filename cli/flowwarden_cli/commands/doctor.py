"""`flowwarden doctor`: its arguments. The logic is in `examining`, which needs the SDK."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from flowwarden_cli.commands import stack
from flowwarden_cli.commands.command import Command, without_sdk
from flowwarden_cli.terminal.console import Console

if TYPE_CHECKING:  # not needed to parse arguments, and slow to load
    from flowwarden.doctor.facts import Facts

type Wiring = Callable[[str, str | None, int], Facts]

_DESCRIPTION: Final = """\
Checks whether an installed stack works: functions, roles, log groups, delivery,
flow logs, topics, alarms and whatever else it depends on. Prints each problem
with its fix. Uses your current AWS credentials, and changes nothing.
"""
_EXAMPLES: Final = """\
examples:
  flowwarden doctor --stack flow-warden --region eu-west-1
  flowwarden doctor --json | jq '.lines[] | select(.verdict != "ok")'

exit codes: 0 success: nothing failed, and everything could be checked; there
may be warnings; 1 a check failed or could not be made, or the stack could not
be read; 2 wrong usage; 130 interrupted
"""


def _add_arguments(command: ArgumentParser) -> None:
    stack.add_options(command)
    command.add_argument("--json", action="store_true", help="print JSON instead of text")


def run(options: Namespace, console: Console, wired: Wiring | None = None) -> int:
    """Check the stack; return the exit code. `wired` reads it, by default from AWS."""
    try:
        # Imported here, because it needs the SDK, which is slow to load.
        from flowwarden_cli.commands import examining  # noqa: PLC0415  an optional package
    except ModuleNotFoundError as error:
        return without_sdk(error, console)
    return examining.run(options, console, wired)


COMMAND: Final = Command(
    name="doctor",
    help="check whether an installed stack works, and print a fix for each problem",
    description=_DESCRIPTION,
    epilog=_EXAMPLES,
    add_arguments=_add_arguments,
    run=run,
)
