"""`flowwarden incidents`: its arguments. The logic is in `incident_actions`, which needs the SDK."""

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

LIST, SHOW, ACK, RESOLVE, MUTE = "list", "show", "ack", "resolve", "mute"
ACTIONS: Final = (LIST, SHOW, ACK, RESOLVE, MUTE)
LONGEST_TEXT: Final = 256
"""Characters of the name in --by."""

_DESCRIPTION: Final = """\
list prints the open incidents, show everything that is stored of one. ack: it
does not page again until it gets worse. resolve marks it as over; the next run
of the dispatcher notifies that. mute keeps its findings from being sent until
an end, and closes it. Uses your current AWS credentials.
"""
_EXAMPLES: Final = """\
examples:
  flowwarden incidents list --region eu-west-1
  flowwarden incidents show 8cf77c6c
  flowwarden incidents ack 8cf77c6c --by alice
  flowwarden incidents resolve 8cf77c6c
  flowwarden incidents mute 8cf77c6c --for 7d --reason "approved scanner"
  flowwarden incidents list --json | jq '.incidents[] | select(.state == "open")'

exit codes: 0 success; 1 AWS could not be read or changed, there is no such
incident, or it changed in the meantime; 2 wrong usage; 130 interrupted
"""


def _add_arguments(command: ArgumentParser) -> None:
    command.add_argument("action", choices=ACTIONS, metavar="ACTION", help=f"one of {', '.join(ACTIONS)}")
    command.add_argument(
        "key",
        nargs="?",
        metavar="KEY",
        help="the incident, as its page or list shows it; its beginning is enough if it is unique",
    )
    stack.add_options(command)
    command.add_argument("--by", default="", metavar="TEXT", help="your name, stored with what you do")
    end = command.add_mutually_exclusive_group()
    end.add_argument(
        "--for", dest="lasts", metavar="TIME", help="mute: for how long, such as 90m, 12h, 7d or 2w"
    )
    end.add_argument(
        "--until", metavar="DATE", help="mute: the last day in UTC, or a time with its zone, within 365 days"
    )
    command.add_argument("--reason", metavar="TEXT", help="mute: why, for those who review the mutes")
    command.add_argument("--json", action="store_true", help="print JSON instead of text")


def run(options: Namespace, console: Console, wired: Wiring | None = None) -> int:
    """Run the action; return the exit code. `wired` creates the ports, by default on AWS."""
    _check(options)
    try:
        # Imported here, because it needs the SDK, which is slow to load.
        from flowwarden_cli.commands import incident_actions  # noqa: PLC0415  an optional package
    except ModuleNotFoundError as error:
        return without_sdk(error, console)
    return incident_actions.run(options, console, wired)


def _check(options: Namespace) -> None:
    """Check which options are given. Raises UsageError."""
    if (options.key is None) != (options.action == LIST):
        needs = "prints all open incidents: omit KEY" if options.action == LIST else "needs KEY"
        raise UsageError(f"{options.action} {needs}")
    if len(options.by) > LONGEST_TEXT:
        raise UsageError(f"--by: write at most {LONGEST_TEXT} characters")
    if options.action == MUTE:
        if (options.lasts is None) == (options.until is None):
            raise UsageError("mute needs --for or --until")
        if not options.reason:
            raise UsageError("mute needs --reason")
    elif (options.lasts, options.until, options.reason) != (None, None, None):
        raise UsageError("only mute takes --for, --until and --reason")


COMMAND: Final = Command(
    name="incidents",
    help="list, show, acknowledge, resolve and mute incidents",
    description=_DESCRIPTION,
    epilog=_EXAMPLES,
    add_arguments=_add_arguments,
    run=run,
)
