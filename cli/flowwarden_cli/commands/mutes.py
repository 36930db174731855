"""`flowwarden mutes`: its arguments. The logic is in `mute_actions`, which needs the SDK."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from flowwarden_cli.commands import stack
from flowwarden_cli.commands.command import Command, UsageError, without_sdk
from flowwarden_cli.terminal.console import Console

if TYPE_CHECKING:  # not needed to parse arguments, and slow to load
    from flowwarden.bootstrap.incidents import IncidentPorts

type Wiring = Callable[[str, str | None], IncidentPorts]

LIST, REMOVE = "list", "remove"

_DESCRIPTION: Final = """\
list prints the mutes that flowwarden incidents mute made and that have not
ended, not those of the policy. remove ends one of them. Uses your current AWS
credentials.
"""
_EXAMPLES: Final = """\
examples:
  flowwarden mutes list --region eu-west-1
  flowwarden mutes list --json | jq '.mutes[].mute'
  flowwarden mutes remove 5b1f0c9a7d3e

exit codes: 0 success; 1 AWS could not be read or changed, or there is no such
mute; 2 wrong usage; 130 interrupted
"""


def _add_arguments(command: ArgumentParser) -> None:
    command.add_argument(
        "action",
        choices=(LIST, REMOVE),
        metavar="ACTION",
        help="list: print the mutes made by command; remove: end one",
    )
    command.add_argument("mute", nargs="?", metavar="ID", help="remove: the mute, as list prints it")
    stack.add_options(command)
    command.add_argument("--json", action="store_true", help="print JSON instead of text")


def run(options: Namespace, console: Console, wired: Wiring | None = None) -> int:
    """Run the action; return the exit code. `wired` creates the ports, by default on AWS."""
    if (options.mute is None) != (options.action == LIST):
        needs = "prints all mutes: omit ID" if options.action == LIST else "needs ID"
        raise UsageError(f"{options.action} {needs}")
    try:
        # Imported here, because it needs the SDK, which is slow to load.
        from flowwarden_cli.commands import mute_actions  # noqa: PLC0415  an optional package
    except ModuleNotFoundError as error:
        return without_sdk(error, console)
    return mute_actions.run(options, console, wired)


COMMAND: Final = Command(
    name="mutes",
    help="list or remove the mutes made by command",
    description=_DESCRIPTION,
    epilog=_EXAMPLES,
    add_arguments=_add_arguments,
    run=run,
)
