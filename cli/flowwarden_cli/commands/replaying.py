"""`flowwarden replay`: runs the monitor over an archive, and prints what it would have sent."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import Final

from msgspec import to_builtins

from flowwarden.errors import ConfigurationError
from flowwarden.replay import text
from flowwarden.replay.comparison import Comparison, compared
from flowwarden.replay.result import ReplayResult
from flowwarden_cli.commands.archive import Archive, Bucket
from flowwarden_cli.commands.checkpoints import Checkpoints, opened
from flowwarden_cli.commands.command import SUCCEEDED, UNREADABLE, without_sdk
from flowwarden_cli.commands.following import followed
from flowwarden_cli.commands.replay import Wiring
from flowwarden_cli.commands.replay_given import Given, bucket_of, given_by, of_log_group
from flowwarden_cli.commands.replay_runs import replayed
from flowwarden_cli.commands.replay_workers import WorkerEnded
from flowwarden_cli.report.file import written
from flowwarden_cli.report.page import page
from flowwarden_cli.terminal.console import Console
from flowwarden_cli.terminal.ending import Ending

PAGED: Final = 3
"""The exit code if pages would have been sent."""


def run(
    options: Namespace,
    console: Console,
    wired: Wiring | None = None,
    bucket: Bucket | None = None,
    ending: Ending | None = None,
) -> int:
    """Replay the paths; return the exit code.

    Args:
        options: `paths`, `log_group`, `since`, `live`, `region`, `format`, `log_format`, `policy`,
            `interfaces`, `report`, `as_delivered`, `workers` and `checkpoint`.
        console: where the result is printed.
        wired: opens a log group, by default on AWS.
        bucket: lists the objects below a URL, by default on AWS.
        ending: waits, and says when `--live` ends, by default at Ctrl-C.

    Raises:
        UsageError: a log format cannot be read.
    """
    try:
        return _run(options, console, wired, bucket or bucket_of(options.region), ending or Ending())
    except ModuleNotFoundError as error:
        return without_sdk(error, console)
    except (ConfigurationError, WorkerEnded) as error:
        console.report(f"error: {error}")
        return UNREADABLE


def _run(options: Namespace, console: Console, wired: Wiring | None, bucket: Bucket, ending: Ending) -> int:
    given, checkpoints = given_by(options, console), opened(options, console)
    if options.log_group:
        saved = checkpoints.saved.period if checkpoints and checkpoints.saved else None
        given = of_log_group(given, options, console, wired, saved)
    archive = Archive(options.paths, given.layouts, console, bucket)
    if given.messages is not None:
        archive.add(given.log_group, given.first, given.messages)
    if options.live:
        return _printed(
            [followed(archive, given, options, console, ending)], archive, given, options, console
        )
    if checkpoints is None:
        return _printed(replayed(archive, given, options), archive, given, options, console)
    with checkpoints.going_on():
        results = replayed(archive, given, options, checkpoints)
        return _printed(results, archive, given, options, console, checkpoints)


def _printed(
    results: Sequence[ReplayResult],
    archive: Archive,
    given: Given,
    options: Namespace,
    console: Console,
    checkpoints: Checkpoints | None = None,
) -> int:
    """Print the results, and write the report; return the exit code."""
    if problem := _problem(results[0], archive):
        console.report(f"error: {problem}")
        return UNREADABLE
    is_reported = not options.report or _reported(results[0], options.report, given.library, console)
    _print(results, [*given.policies], console, as_document=options.format == "json")
    if checkpoints:
        console.stdout.flush()  # a checkpoint is deleted after its result is written
        checkpoints.ended(is_complete=is_reported and not archive.lost)
    if archive.failed or not is_reported:
        return UNREADABLE
    return PAGED if results[-1].pages else SUCCEEDED


def _reported(result: ReplayResult, path: str, library: str, console: Console) -> bool:
    """Write the report; return whether that was possible."""
    problem = written(path, page(result, library))
    if problem:
        console.report(f"error: {problem}")
    return not problem


def _problem(result: ReplayResult, archive: Archive) -> str:
    """Why there is no result; '' if there is one."""
    records = result.records
    if records.malformed and not records.flows and not records.gaps:
        return (
            "no line is a flow or a gap, so nothing was replayed; if they have a custom format, pass it: "
            "--log-format '${version} ${…}'"
        )
    if records.flows and result.begin is None:
        return (
            "no record has a time, so nothing can be replayed: the log format has neither ${end} nor ${start}"
        )
    if not archive.count:
        return "no files; names that begin with . or _ are skipped"
    return "" if records.all else "nothing was read"


def _print(
    results: Sequence[ReplayResult], names: Sequence[str], console: Console, *, as_document: bool
) -> None:
    compares = len(results) > 1
    whole: ReplayResult | Comparison = (
        compared(names[0], results[0], names[1], results[1]) if compares else results[0]
    )
    if as_document:
        console.print_document(to_builtins(whole))
    elif isinstance(whole, Comparison):
        console.print(text.comparison(whole))
    else:
        console.print(text.summary(whole))
