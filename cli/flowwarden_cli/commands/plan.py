"""`flowwarden plan`: its arguments. The logic is in `dry_run`, which needs the SDK."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flowwarden_cli.commands import document_file, parameters, stack
from flowwarden_cli.commands.command import Command, UsageError, file_path, without_sdk
from flowwarden_cli.terminal.console import Console

if TYPE_CHECKING:  # not needed to parse arguments, and slow to load
    from flowwarden.enforcer.ports import EnforcerPorts
    from flowwarden.settings import EnforcerSettings
    from flowwarden_cli.commands.dry_run import Lookups

type Wiring = Callable[[EnforcerSettings], EnforcerPorts]

_DESCRIPTION: Final = """\
Prints the steps that the enforcer would take for each VPC and for the log
groups, in order, with the reason and the estimated cost. Uses your current AWS
credentials, and changes nothing. If the stack is not deployed, the plan uses
the default parameters of the template, and says so.
"""
_EXAMPLES: Final = """\
examples:
  flowwarden plan --region eu-west-1
  flowwarden plan --policy new-policy.json
  jq . new-policy.json | flowwarden plan --policy -
  flowwarden plan --defaults --parameter FlowLogRetentionDays=7
  flowwarden plan --json | jq '.vpcs[] | select(.steps != [])'

exit codes: 0 success, with or without steps to take; 1 AWS or the settings
could not be read, or action is required that the enforcer cannot take; 2 wrong
usage; 130 interrupted
"""


def _add_arguments(command: ArgumentParser) -> None:
    stack.add_options(command)
    command.add_argument(
        "--policy",
        type=file_path,
        metavar="FILE",
        help="plan with this policy instead of the deployed one",
    )
    command.add_argument(
        "--defaults",
        action="store_true",
        help="plan as if the stack were not deployed, without looking for it",
    )
    parameters.add_option(
        command, "plan with this value of a template parameter; repeat the option for several parameters"
    )
    command.add_argument(
        "--settings",
        type=file_path,
        metavar="FILE",
        help="JSON object of the enforcer's environment variables, instead of those of the deployed function",
    )
    command.add_argument("--json", action="store_true", help="print JSON instead of text")


def run(
    options: Namespace, console: Console, wired: Wiring | None = None, lookups: Lookups | None = None
) -> int:
    """Print the plan; return the exit code. `wired` creates the ports, by default on AWS, like `lookups`."""
    if options.settings == options.policy == Path(document_file.STDIN):
        raise UsageError("--policy and --settings cannot both be standard input")
    if options.settings and (options.defaults or options.parameter):
        raise UsageError("--settings contains all settings: omit --defaults and --parameter")
    try:
        # Imported here, because only this command needs the SDK, which takes half a second to load.
        from flowwarden_cli.commands import dry_run  # noqa: PLC0415  an optional package
    except ModuleNotFoundError as error:
        return without_sdk(error, console)
    given = dry_run.PlanOptions(
        stack=options.stack,
        region=options.region,
        policy=options.policy,
        settings=options.settings,
        defaults=options.defaults,
        parameters=parameters.read(options.parameter),
        as_json=options.json,
    )
    return dry_run.run(given, console, wired, lookups or dry_run.ON_AWS)


COMMAND: Final = Command(
    name="plan",
    help="print what the enforcer would do, without doing it",
    description=_DESCRIPTION,
    epilog=_EXAMPLES,
    add_arguments=_add_arguments,
    run=run,
)
