"""`flowwarden interfaces export`: writes the network interfaces of an account, for `flowwarden replay`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import Final

from flowwarden.errors import FlowWardenError
from flowwarden.replay.interface_file import InterfaceFile, document
from flowwarden_cli.commands.command import SUCCEEDED, UNREADABLE, Command, without_sdk
from flowwarden_cli.commands.stack import region_of
from flowwarden_cli.terminal.console import Console

_DESCRIPTION: Final = """\
export prints the network interfaces of the account in a Region as JSON, with
the tags of their instances and the networks of their VPCs, for the option
--interfaces of `flowwarden replay`. Uses your current AWS credentials, and
changes nothing.
"""
_EXAMPLES: Final = """\
examples:
  flowwarden interfaces export --region eu-west-1 > interfaces.json
  flowwarden replay AWSLogs/ --interfaces interfaces.json

exit codes: 0 success; 1 AWS could not be read; 2 wrong usage; 130 interrupted
"""


def _add_arguments(command: ArgumentParser) -> None:
    command.add_argument(
        "action", choices=("export",), metavar="export", help="the only action: print the interfaces"
    )
    command.add_argument(
        "--region", metavar="REGION", help="the Region (default: that of the environment or the AWS profile)"
    )


def run(
    options: Namespace, console: Console, wired: Callable[[str | None], InterfaceFile] | None = None
) -> int:
    """Print the interfaces; return the exit code. `wired` reads them, by default from AWS."""
    if wired is None:
        try:
            # Imported here, because the SDK is an optional package, and slow to load.
            from flowwarden.bootstrap.interfaces import exported  # noqa: PLC0415
        except ModuleNotFoundError as error:
            return without_sdk(error, console)
        wired = exported
    try:
        file = wired(region_of(options.region))
    except FlowWardenError as error:
        console.report(f"error: {error}")
        return UNREADABLE
    console.print_document(document(file), indent=1)
    return SUCCEEDED


COMMAND: Final = Command(
    name="interfaces",
    help="print the network interfaces of the account, for replays",
    description=_DESCRIPTION,
    epilog=_EXAMPLES,
    add_arguments=_add_arguments,
    run=run,
)
