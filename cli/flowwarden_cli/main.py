"""The command line: what it takes, and how it ends."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from flowwarden.errors import LogFormatError, SourceError
from flowwarden.records.line_reader import LineReader
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, LogFormat
from flowwarden.records.model import Action
from flowwarden_cli.commands import read
from flowwarden_cli.commands.explain import explanation
from flowwarden_cli.commands.read import FINE, UNREADABLE, Choice
from flowwarden_cli.terminal.console import Console

USAGE: Final = 2
INTERRUPTED: Final = 130

_DESCRIPTION: Final = "Flow Warden on the command line: looks into VPC Flow Logs."
_READ: Final = """\
Prints flow records as JSON lines under AWS's names: numbers as numbers, absent values as null. The counts go
to standard error. A PATH is a file, a folder (all files below it), or - for standard input. What a file holds
is told by its content: text with or without a header line, CloudWatch exports, CSV, JSON, subscription
payloads, Kinesis events, Parquet; any of them, but for Parquet, in gzip.
"""
_READ_EXAMPLES: Final = """\
examples:
  flowwarden read AWSLogs/ --only REJECT | jq .srcaddr
  flowwarden read --malformed flows.log.gz
  aws logs filter-log-events --log-group-name GROUP | flowwarden read -
  flowwarden read --format '${srcaddr} ${dstaddr} ${action}' --explain '10.0.0.5 10.0.0.9 REJECT'

exit codes: 0 fine; 1 at least one source could not be read to its end; 2 wrong usage; 130 interrupted
"""
_PLAN: Final = """\
Prints what the enforcer of a deployed stack would do about each VPC and about the log groups, in order, with
the reason and the estimated cost. It reads with the credentials at hand, and changes nothing.
"""
_PLAN_EXAMPLES: Final = """\
examples:
  flowwarden plan --region eu-west-1
  flowwarden plan --policy new-policy.json --json | jq '.vpcs[] | select(.steps != [])'

exit codes: 0 fine, whether there is something to do or not; 1 AWS or the settings could not be read, or a
log group or the delivery role needs somebody; 2 wrong usage
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments (of the process, if None); return the exit code."""
    console = Console.of_process()
    try:
        code = run(sys.argv[1:] if arguments is None else arguments, console)
        sys.stdout.flush()
    except BrokenPipeError:
        # `| head` has seen enough: nothing to complain about, and nothing to flush at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINE
    except KeyboardInterrupt:
        console.report("interrupted")
        return INTERRUPTED
    return code


def run(arguments: Sequence[str], console: Console) -> int:
    """Do what the arguments say, on this console; return the exit code.

    Raises:
        SystemExit: the usage is wrong (2), or help or version was asked for (0).
        BrokenPipeError: whoever reads the output has seen enough.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command == "plan":
        return _plan(options, console)
    if bool(options.paths) == (options.explain is not None):
        parser.error("read: give it either PATHs or --explain LINE; - is standard input")
    try:
        layouts = _layouts(options.format, console)
    except LogFormatError as error:
        parser.error(f"--format: {error}")
    if options.explain is not None:
        return _explain(options.explain, layouts, console)
    return read.run(options.paths, layouts, _choice(options), console)


def _plan(options: argparse.Namespace, console: Console) -> int:
    try:
        # Only this command needs the SDK, which takes half a second to load.
        from flowwarden_cli.commands import plan  # noqa: PLC0415  an optional package
    except ModuleNotFoundError as error:
        console.report(f"error: {error}; install the extra, in the project's folder: pip install '.[plan]'")
        return UNREADABLE
    question = plan.Question(
        stack=options.stack,
        region=options.region,
        policy=options.policy,
        settings=options.settings,
        as_json=options.json,
    )
    return plan.run(question, console)


def _explain(line: str, layouts: tuple[LogFormat, ...], console: Console) -> int:
    try:
        console.print(explanation(line, layouts))
    except SourceError as error:
        console.report(f"error: {error}")
        return UNREADABLE
    return FINE


def _layouts(formats: Sequence[str], console: Console) -> tuple[LogFormat, ...]:
    """The layouts of lines without a header. Raises LogFormatError if one cannot be read."""
    if not formats:
        return (DEFAULT_LOG_FORMAT,)
    layouts = tuple(LogFormat.parse(text) for text in formats)
    LineReader(layouts)  # knows what a line cannot be read without
    unknown = [name for layout in layouts for name in layout.unknown]
    if unknown:
        console.report(f"note: fields that are not known are kept as text: {', '.join(unknown)}")
    return layouts


def _choice(options: argparse.Namespace) -> Choice:
    only = None if options.only is None else Action(options.only)
    others = options.gaps or options.malformed
    flows = options.flows or only is not None or not others
    return Choice(flows=flows, only=only, gaps=options.gaps, malformed=options.malformed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="flowwarden", description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"%(prog)s {_version()}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    _add_read(
        commands.add_parser(
            "read",
            help="print flow records as JSON lines, or explain one line",
            description=_READ,
            epilog=_READ_EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    )
    _add_plan(
        commands.add_parser(
            "plan",
            help="print what the enforcer would do, without doing it",
            description=_PLAN,
            epilog=_PLAN_EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    )
    return parser


def _add_plan(command: argparse.ArgumentParser) -> None:
    command.add_argument("--stack", default="flow-warden", metavar="NAME", help="the deployed stack")
    command.add_argument("--region", metavar="REGION", help="its region; by default that of the environment")
    command.add_argument(
        "--policy", type=Path, metavar="FILE", help="plan by this policy instead of the deployed one"
    )
    command.add_argument(
        "--settings",
        type=Path,
        metavar="FILE",
        help="the enforcer's variables as a JSON object, instead of those of the deployed function",
    )
    command.add_argument("--json", action="store_true", help="print JSON instead of text")


def _add_read(command: argparse.ArgumentParser) -> None:
    command.add_argument("paths", nargs="*", metavar="PATH", help="file, folder, or - for standard input")
    command.add_argument(
        "--format",
        action="append",
        default=[],
        metavar="FORMAT",
        help="log format of lines without a header, such as '${version} ${srcaddr} ${dstaddr}'; "
        "give it again where several are mixed; without it, AWS's default format",
    )
    command.add_argument(
        "--only", choices=[action.value for action in Action], help="print only flows with this action"
    )
    command.add_argument("--gaps", action="store_true", help="print gaps (NODATA, SKIPDATA) instead of flows")
    command.add_argument(
        "--malformed",
        action="store_true",
        help="print lines that are neither flow nor gap, with the reason, instead of flows",
    )
    command.add_argument("--flows", action="store_true", help="print flows as well, with the two above")
    command.add_argument(
        "--explain", metavar="LINE", help="show each field of a line, and what the reader makes of it"
    )


def _version() -> str:
    try:
        return version("flow-warden")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "(not installed)"
