"""`flowwarden baseline`: its arguments. The logic is in `learned`, which needs the SDK."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from flowwarden_cli.commands import stack
from flowwarden_cli.commands.command import Command, UsageError, without_sdk
from flowwarden_cli.terminal.console import Console

if TYPE_CHECKING:  # not needed to parse arguments, and slow to load
    from flowwarden.bootstrap.baseline import BaselinePorts

type Wiring = Callable[[Mapping[str, str]], BaselinePorts]

SHOW, FORGET = "show", "forget"

_DESCRIPTION: Final = """\
show prints what is learned of each role: which roles it administers, what the
internet reaches, which outbound ports it uses, and what rules refuse it. forget
removes what was learned of one role. It is then learned again for two weeks,
and its administration counts as new. Both use your current AWS credentials.
"""
_EXAMPLES: Final = """\
examples:
  flowwarden baseline show --stack flow-warden --region eu-west-1
  flowwarden baseline show --json | jq '.roles[] | select(.learning | not)'
  flowwarden baseline show --role tag:Role=web
  flowwarden baseline forget --role tag:Role=web

exit codes: 0 success; 1 AWS could not be read or changed, or there is no such
role; 2 wrong usage; 130 interrupted
"""


def _add_arguments(command: ArgumentParser) -> None:
    command.add_argument(
        "action",
        choices=(SHOW, FORGET),
        metavar="ACTION",
        help="show: print what is learned; forget: remove what was learned of a role",
    )
    stack.add_options(command)
    command.add_argument("--role", metavar="ROLE", help="only this role, as show prints it")
    command.add_argument("--json", action="store_true", help="print JSON instead of text")


def run(options: Namespace, console: Console, wired: Wiring | None = None) -> int:
    """Run the action; return the exit code. `wired` creates the ports, by default on AWS."""
    if options.action == FORGET and not options.role:
        raise UsageError("forget needs --role: flowwarden baseline show lists the roles")
    if options.action == FORGET and options.json:
        raise UsageError("forget prints no JSON: omit --json")
    try:
        # Imported here, because only this command and `plan` need the SDK, which is slow to load.
        from flowwarden_cli.commands import learned  # noqa: PLC0415  an optional package
    except ModuleNotFoundError as error:
        return without_sdk(error, console)
    return learned.run(options, console, wired)


COMMAND: Final = Command(
    name="baseline",
    help="print what is learned of each role, or forget a role",
    description=_DESCRIPTION,
    epilog=_EXAMPLES,
    add_arguments=_add_arguments,
    run=run,
)
