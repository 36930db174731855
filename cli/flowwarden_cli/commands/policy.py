"""`flowwarden policy check`: checks a policy as a deployment would, before the deployment."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Final

from flowwarden.bootstrap.deployment import check_policy
from flowwarden.errors import ConfigurationError, SettingsError
from flowwarden_cli.commands import parameters
from flowwarden_cli.commands.command import SUCCEEDED, UNREADABLE, Command
from flowwarden_cli.terminal.console import Console

STDIN: Final = "-"
LONGEST_FILE: Final = 1_000_000
"""Maximum bytes that are read: far more than a policy can have, so that a wrong file is not read
completely."""

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
        notes = check_policy(_text(options.file, console), given)
    except ConfigurationError as error:
        console.report(f"error: {error}")
        return UNREADABLE
    console.print("The policy is valid.")
    for each in notes:
        console.print(each)
    return SUCCEEDED


def _text(name: str, console: Console) -> str:
    """The policy without line breaks at its end, as in a deployment with `Policy="$(cat FILE)"`."""
    try:
        if name == STDIN:
            content = console.stdin.read(LONGEST_FILE + 1)
        else:
            with Path(name).open("rb") as file:
                content = file.read(LONGEST_FILE + 1)
    except OSError as error:
        raise SettingsError(
            f"{name}: {error.strerror or error}; check the path and its permissions"
        ) from error
    if len(content) > LONGEST_FILE:
        raise SettingsError(f"{name}: more than {LONGEST_FILE} bytes, so it is not a policy")
    try:
        return content.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise SettingsError(f"{name}: is not UTF-8; save the file as UTF-8") from error


COMMAND: Final = Command(
    name="policy",
    help="check a policy before it is deployed",
    description=_DESCRIPTION,
    epilog=_EXAMPLES,
    add_arguments=_add_arguments,
    run=_run,
)
