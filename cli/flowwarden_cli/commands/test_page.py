"""`flowwarden test-page`: its arguments. The logic is in `testing`, which needs the SDK."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from flowwarden_cli.commands import stack
from flowwarden_cli.commands.command import Command, without_sdk
from flowwarden_cli.terminal.console import Console

if TYPE_CHECKING:  # not needed to parse arguments, and slow to load
    from flowwarden.bootstrap.incidents import IncidentPorts

type Wiring = Callable[[str, str | None], IncidentPorts]

SINKS: Final = ("pages", "operations", "pagerduty", "slack", "teams", "amazonq", "eventbridge", "securityhub")
"""The topics, and the names of `flowwarden.sinks.table`, which a test compares."""

_DESCRIPTION: Final = """\
Sends a marked test page through the way of every page: it is claimed in the
state table, sent, resolved, and sent as resolved. Both notifications have the
attribute kind=test. Uses your current AWS credentials.
"""
_EXAMPLES: Final = """\
examples:
  flowwarden test-page --stack flow-warden --region eu-west-1
  flowwarden test-page --sink operations
  flowwarden test-page --sink pagerduty

exit codes: 0 success: the service accepted both; 1 it did not, or AWS
could not be read; 2 wrong usage; 130 interrupted
"""


def _add_arguments(command: ArgumentParser) -> None:
    stack.add_options(command)
    command.add_argument(
        "--sink",
        choices=SINKS,
        default=SINKS[0],
        metavar="SINK",
        help="the topic: pages (default) or operations; or another service, such as pagerduty",
    )
    command.add_argument("--json", action="store_true", help="print JSON instead of text")


def run(options: Namespace, console: Console, wired: Wiring | None = None) -> int:
    """Send the test page; return the exit code. `wired` creates the ports, by default on AWS."""
    try:
        # Imported here, because it needs the SDK, which is slow to load.
        from flowwarden_cli.commands import testing  # noqa: PLC0415  an optional package
    except ModuleNotFoundError as error:
        return without_sdk(error, console)
    return testing.run(options, console, wired)


COMMAND: Final = Command(
    name="test-page",
    help="send a marked test page, and resolve it",
    description=_DESCRIPTION,
    epilog=_EXAMPLES,
    add_arguments=_add_arguments,
    run=run,
)
