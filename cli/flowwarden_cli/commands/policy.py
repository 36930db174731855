"""`flowwarden policy check`: checks a policy as a deployment would, before the deployment."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Final

from flowwarden.bootstrap.deployment import check_policy
from flowwarden.errors import ConfigurationError
from flowwarden_cli.commands import document_file, parameters
from flowwarden_cli.commands.command import SUCCEEDED, UNREADABLE, Command
from flowwarden_cli.terminal.console import Console

_DESCRIPTION: Final = """\
Checks a policy as a deployment checks it, and prints the same messages. Calls
no AWS API and needs no credentials.
"""
_EXAMPLES: Final = """\
examples:
  flowwarden policy check policy.json
  flowwarden policy check --parameter OtherDestinations=yes - < policy.json

exit codes: 0 success, the policy is valid; 1 the policy is not valid, or the
file could not be read; 2 wrong usage
"""


def _add_arguments(command: ArgumentParser) -> None:
    command.add_argument(
        "action", choices=("check",), metavar="check", help="the only action: check the policy"
    )
    command.add_argument("file", metavar="FILE", help="the policy as JSON; - for standard input")
    parameters.add_option(
        command, "check with this value of a template parameter; repeat the option for several parameters"
    )


def _run(options: Namespace, console: Console) -> int:
    given = parameters.read(options.parameter)
    try:
        # Without line breaks at its end, as in a deployment with `Policy="$(cat FILE)"`.
        text = document_file.text_of(options.file, console).rstrip("\r\n")
        notes = check_policy(text, given, int(console.now()))
    except ConfigurationError as error:
        console.report(f"error: {error}")
        return UNREADABLE
    console.print("The policy is valid.")
    for each in notes:
        console.print(each)
    return SUCCEEDED


COMMAND: Final = Command(
    name="policy",
    help="check a policy before it is deployed",
    description=_DESCRIPTION,
    epilog=_EXAMPLES,
    add_arguments=_add_arguments,
    run=_run,
)
