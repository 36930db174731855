"""`flowwarden athena`: its arguments. `athena_actions` has the logic, which is slow to load."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Final

from flowwarden.errors import ConfigurationError
from flowwarden_cli.commands.command import SUCCEEDED, UNREADABLE, Command, UsageError, not_empty
from flowwarden_cli.terminal.console import Console

DDL, QUERY = "ddl", "query"
ACTIONS: Final = (DDL, QUERY)
_ONLY: Final = {
    DDL: ("location", "parquet", "since"),
    QUERY: ("detector", "policy", "day", "begin", "end", "list"),
}
"""The options, by their destination, that only one action takes."""
_OPTIONS: Final = {"begin": "--from", "end": "--to", "detector": "DETECTOR"}

_DESCRIPTION: Final = """\
Prints SQL for Amazon Athena, for archives that one machine cannot read. ddl:
the table of the flow logs in S3, for any log format, with partition projection.
query: what approximates a detector, with what it leaves out. Calls no AWS API
and needs no credentials.
"""
_EXAMPLES: Final = """\
examples:
  flowwarden athena ddl --location s3://bucket/AWSLogs/ \\
    --account 111122223333 --region eu-west-1 --hourly --parquet
  flowwarden athena ddl --location s3://bucket/AWSLogs/ \\
    --format '${version} ${srcaddr} ${dstaddr} ${action} ${start}'
  flowwarden athena query --list
  flowwarden athena query scan --day 2026-11-30 --hourly
  flowwarden athena query egress-volume --policy policy.json \\
    --from 2026-11-01 --to 2026-11-30T12:00

exit codes: 0 success; 1 the policy could not be read, or is not valid; 2 wrong
usage, also if the detector cannot be expressed in SQL
"""


def _add_arguments(command: ArgumentParser) -> None:
    command.add_argument("action", choices=ACTIONS, metavar="ACTION", help=f"one of {', '.join(ACTIONS)}")
    command.add_argument("detector", nargs="?", metavar="DETECTOR", help="query: the detector")
    command.add_argument("--list", action="store_true", help="query: list the detectors")
    command.add_argument(
        "--format",
        default="stack",
        metavar="FORMAT",
        help="the log format, as in '${version} ${srcaddr}'; or stack (default), the format of the stack's "
        "flow logs; or v2, the default format of AWS",
    )
    _add_archive(command)
    command.add_argument(
        "--policy",
        type=not_empty,
        metavar="FILE",
        help="query: the policy as JSON, for thresholds and networks",
    )
    command.add_argument("--day", metavar="DATE", help="query: a day in UTC; yesterday by default")
    for name, dest, which in (("--from", "begin", "begin"), ("--to", "end", "end (exclusive)")):
        command.add_argument(
            name,
            dest=dest,
            metavar="TIME",
            help=f"query: {which} in UTC, such as 2026-11-30 or 2026-11-30T12:00",
        )


def _add_archive(command: ArgumentParser) -> None:
    command.add_argument("--table", default="flow_logs", metavar="NAME", help="the table, or database.table")
    for name, plural in (("account", "accounts"), ("region", "Regions")):
        command.add_argument(
            f"--{name}",
            action="append",
            default=[],
            metavar=name.upper(),
            help=f"ddl: list it in the table, else each query must name its {plural}; query: read only "
            "these; repeat the option for several",
        )
    command.add_argument("--hive", action="store_true", help="the folders are Hive-compatible")
    command.add_argument("--hourly", action="store_true", help="there is a folder for each hour")
    command.add_argument("--location", metavar="URI", help="ddl: s3://bucket/prefix/AWSLogs/")
    command.add_argument("--parquet", action="store_true", help="ddl: the files are Parquet, not text")
    command.add_argument(
        "--since", metavar="DATE", help="ddl: the first day of the table; by default, two years ago"
    )


def _run(options: Namespace, console: Console) -> int:
    _check(options)
    from flowwarden_cli.commands import athena_actions  # noqa: PLC0415  the detectors are slow to load

    try:
        text = athena_actions.text(options, console)
    except ConfigurationError as error:
        console.report(f"error: {error}")
        return UNREADABLE
    console.print(text)
    return SUCCEEDED


def _check(options: Namespace) -> None:
    """Check which options are given. Raises UsageError."""
    for action, names in _ONLY.items():
        given = [each for each in names if getattr(options, each)]
        if given and action != options.action:
            raise UsageError(f"only {action} takes {_OPTIONS.get(given[0], f'--{given[0]}')}")
    if options.action == DDL and not options.location:
        raise UsageError("ddl needs --location")
    if options.action == QUERY and bool(options.detector) == options.list:
        raise UsageError("query needs DETECTOR, or --list")
    if options.day and (options.begin or options.end):
        raise UsageError("--day is not for use with --from and --to")
    if bool(options.begin) != bool(options.end):
        raise UsageError("--from and --to need each other")


COMMAND: Final = Command(
    name="athena",
    help="print SQL for Amazon Athena: the table, and a query for each detector",
    description=_DESCRIPTION,
    epilog=_EXAMPLES,
    add_arguments=_add_arguments,
    run=_run,
)
