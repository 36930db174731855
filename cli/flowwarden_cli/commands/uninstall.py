"""`flowwarden uninstall`: its arguments. The logic is in `uninstalling`, which needs the SDK."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from flowwarden_cli.commands import stack
from flowwarden_cli.commands.command import Command, UsageError, without_sdk
from flowwarden_cli.terminal.console import Console

if TYPE_CHECKING:  # not needed to parse arguments, and slow to load
    from flowwarden.removal.ports import Account

type Wiring = Callable[[str, str | None, int], Account]

_DESCRIPTION: Final = """\
Removes an installed stack and what it changed in the account: its subscription
filters, its flow logs, and with --delete-log-groups its log groups with their
records. Prints the steps first, and asks for confirmation. Uses your current
AWS credentials. After an interruption, run it again: it continues.
"""
_EXAMPLES: Final = """\
examples:
  flowwarden uninstall --stack flow-warden --region eu-west-1
  flowwarden uninstall --delete-log-groups --dry-run
  flowwarden uninstall --yes

exit codes: 0 success: the stack is removed, or was removed before; with
--dry-run: it can be removed; 1 something could not be read or removed, or the
answer was not yes; 2 wrong usage; 130 interrupted
"""


def _add_arguments(command: ArgumentParser) -> None:
    stack.add_options(command)
    command.add_argument(
        "--delete-log-groups",
        action="store_true",
        help="also delete the log groups of the stack, with all flow records in them",
    )
    command.add_argument(
        "--dry-run", action="store_true", help="print the steps and what remains; remove nothing"
    )
    command.add_argument("--yes", action="store_true", help="do not ask for confirmation; for scripts")


def run(options: Namespace, console: Console, wired: Wiring | None = None) -> int:
    """Remove the stack; return the exit code. `wired` finds it, by default on AWS."""
    if options.yes and options.dry_run:
        raise UsageError("--dry-run removes nothing: omit --yes")
    try:
        # Imported here, because it needs the SDK, which is slow to load.
        from flowwarden_cli.commands import uninstalling  # noqa: PLC0415  an optional package
    except ModuleNotFoundError as error:
        return without_sdk(error, console)
    return uninstalling.run(options, console, wired)


COMMAND: Final = Command(
    name="uninstall",
    help="remove a stack and what it changed in the account",
    description=_DESCRIPTION,
    epilog=_EXAMPLES,
    add_arguments=_add_arguments,
    run=run,
)
