"""`flowwarden replay`: its arguments. The logic is in `replaying`, which needs numpy."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from flowwarden_cli.commands.archive_options import add_archive_options
from flowwarden_cli.commands.command import Command, UsageError, not_empty
from flowwarden_cli.terminal.console import Console

if TYPE_CHECKING:  # not needed to parse arguments, and slow to load
    from flowwarden.bootstrap.log_archive import LogArchive
    from flowwarden.records.log_format import LogFormat
    from flowwarden_cli.terminal.ending import Ending

type Wiring = Callable[[str, str | None, Sequence[LogFormat], Callable[[float], None]], LogArchive]

MOST_POLICIES: Final = 2
_DESCRIPTION: Final = """\
Runs the monitor over an archive of flow logs, with its state in memory and by
the clock of the records, and prints what it would have sent: incidents with
their timeline, pages and digest rows per day and detector, the noisiest
subjects with the mute that would have removed them, and what could not be
judged. Sends nothing.

A PATH is a file, a folder (including subfolders), - for standard input, or
s3://BUCKET/PREFIX, of any kind that `flowwarden read` reads. With --log-group,
the records are read from CloudWatch Logs, and interfaces and log formats from
EC2. Both use your current AWS credentials; for files, no AWS API is called.
"""
_EXAMPLES: Final = """\
examples:
  flowwarden replay AWSLogs/
  flowwarden replay AWSLogs/ --policy policy.json --interfaces interfaces.json
  flowwarden replay AWSLogs/ --report report.html
  flowwarden replay flows.log.gz --policy old.json --policy new.json --workers 3
  flowwarden replay AWSLogs/ --checkpoint replay.state
  flowwarden replay --log-group /flow-warden/flow-logs --since 7d
  flowwarden replay --log-group /flow-warden/flow-logs --since 14d --live
  flowwarden replay flows.log.gz --format json | jq '.incidents[].summary'

exit codes: 0 success, and no page would have been sent; 1 at least one source
could not be read to its end, no line was a flow or a gap, or no record has a
time; 2 wrong usage; 3 pages would have been sent (with two policies: with the
second one); 130 interrupted
"""


def _add_arguments(command: ArgumentParser) -> None:
    command.add_argument(
        "paths", nargs="*", metavar="PATH", help="file, folder, s3://BUCKET/PREFIX, or - for standard input"
    )
    _add_log_group(command)
    add_archive_options(command, "use this policy; two of them are compared (default: the default policy)")
    command.add_argument(
        "--workers",
        type=int,
        default=1,
        metavar="N",
        help="use up to N processes: one reads, and one for each policy detects; the result is the same "
        "(default: 1)",
    )
    command.add_argument(
        "--checkpoint",
        type=not_empty,
        metavar="FILE",
        help="write the state of the replay to this file each minute; if the file exists, go on from there; "
        "it is deleted at the end",
    )
    command.add_argument(
        "--report",
        type=not_empty,
        metavar="FILE",
        help="also write a report with charts, as one HTML file; needs the extra `report`",
    )


def _add_log_group(command: ArgumentParser) -> None:
    command.add_argument(
        "--log-group",
        type=not_empty,
        metavar="NAME",
        help="replay this log group of CloudWatch Logs instead of a PATH",
    )
    command.add_argument(
        "--since",
        type=not_empty,
        metavar="TIME",
        help="with --log-group: how far back to read, such as 12h, 7d or 2w (default: 1d)",
    )
    command.add_argument(
        "--live",
        action="store_true",
        help="with --log-group: go on with what arrives, and print each incident when it is found, until "
        "Ctrl-C; then print the summary",
    )
    command.add_argument(
        "--region",
        metavar="REGION",
        help="with --log-group or s3://: the Region (default: that of the environment or the AWS profile)",
    )


def run(
    options: Namespace, console: Console, wired: Wiring | None = None, ending: Ending | None = None
) -> int:
    """Run the replay; return the exit code.

    Args:
        options: the arguments.
        console: where the result is printed.
        wired: opens a log group, by default on AWS.
        ending: waits, and says when `--live` ends, by default at Ctrl-C.
    """
    _demand_consistent(options)
    if options.live:
        _demand_live(options)
    from flowwarden_cli.commands import replaying  # noqa: PLC0415  numpy, which takes a while to load

    return replaying.run(options, console, wired, ending=ending)


def _demand_consistent(options: Namespace) -> None:
    """Raises UsageError."""
    if len(options.policy) > MOST_POLICIES:
        raise UsageError("give --policy once, or twice to compare two policies")
    if options.report and len(options.policy) > 1:
        raise UsageError("--report is about one policy, so give --policy once")
    if options.workers < 1:
        raise UsageError("--workers needs a number of 1 or more")
    if options.paths and options.log_group:
        raise UsageError("give either PATHs or --log-group, not both")
    if not options.paths and not options.log_group:
        raise UsageError("write at least one PATH (- for standard input), or --log-group NAME")
    if options.since is not None and not options.log_group:
        raise UsageError("--since needs --log-group")
    if options.checkpoint == "-":
        raise UsageError("--checkpoint needs the name of a file")


def _demand_live(options: Namespace) -> None:
    """Raises UsageError."""
    if not options.log_group:
        raise UsageError("--live needs --log-group: nothing arrives in files, standard input or s3://")
    if len(options.policy) > 1 or options.workers > 1:
        raise UsageError("--live replays with one policy in one process: give --policy once, no --workers")
    if options.checkpoint:
        raise UsageError("--checkpoint is for a replay that ends, so not for --live")


COMMAND: Final = Command(
    name="replay",
    help="print what the monitor would have sent about an archive",
    description=_DESCRIPTION,
    epilog=_EXAMPLES,
    add_arguments=_add_arguments,
    run=run,
)
