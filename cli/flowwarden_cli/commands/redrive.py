"""`flowwarden redrive`: its arguments. The logic is in `redriving`, which needs the SDK."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from flowwarden_cli.commands import stack
from flowwarden_cli.commands.command import Command, UsageError, without_sdk
from flowwarden_cli.terminal.console import Console

if TYPE_CHECKING:  # not needed to parse arguments, and slow to load
    from flowwarden.bootstrap.redrive import RedrivePorts

type Wiring = Callable[[str, str | None], RedrivePorts]

QUEUES: Final = ("monitor", "enforcer", "events")

_DESCRIPTION: Final = """\
Sends the batches and events that lie in the failure queues of a stack to its
functions again, one after the other, and deletes each message after its
function succeeded. What fails again stays in its queue, with the reason on the
output. Mend the cause first. Uses your current AWS credentials.
"""
_EXAMPLES: Final = """\
examples:
  flowwarden redrive --dry-run
  flowwarden redrive --queue monitor --limit 1
  flowwarden redrive --stack flow-warden --region eu-west-1
  flowwarden redrive --json | jq 'select(.state == "stays")'

exit codes: 0 success: no message stays, or with --dry-run each can be sent;
1 a message stays, or AWS could not be read or changed; 2 wrong usage; 130
interrupted: no message is lost
"""


def _add_arguments(command: ArgumentParser) -> None:
    stack.add_options(command)
    command.add_argument(
        "--queue",
        choices=QUEUES,
        metavar="QUEUE",
        help="only this queue: monitor (batches that the monitor could not process), enforcer (events that "
        "the enforcer could not process) or events (events that EventBridge could not deliver)",
    )
    command.add_argument("--limit", type=int, metavar="N", help="process at most N messages")
    command.add_argument(
        "--dry-run", action="store_true", help="print what would be sent; send and delete nothing"
    )
    command.add_argument(
        "--json", action="store_true", help="print a JSON object for each message instead of text"
    )


def run(options: Namespace, console: Console, wired: Wiring | None = None) -> int:
    """Process the queues; return the exit code. `wired` creates the ports, by default on AWS."""
    if options.limit is not None and options.limit < 1:
        raise UsageError("--limit must be 1 or more")
    try:
        # Imported here, because it needs the SDK, which is slow to load.
        from flowwarden_cli.commands import redriving  # noqa: PLC0415  an optional package
    except ModuleNotFoundError as error:
        return without_sdk(error, console)
    return redriving.run(options, console, wired)


COMMAND: Final = Command(
    name="redrive",
    help="process what lies in the failure queues",
    description=_DESCRIPTION,
    epilog=_EXAMPLES,
    add_arguments=_add_arguments,
    run=run,
)
