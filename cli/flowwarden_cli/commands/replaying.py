"""`flowwarden replay`: runs the monitor over an archive, and prints what it would have sent."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Final

from msgspec import Struct, to_builtins
from msgspec.structs import replace

from flowwarden.bootstrap.replay import stack
from flowwarden.errors import ConfigurationError, LogFormatError, SettingsError, SourceError
from flowwarden.policy.policy import Policy
from flowwarden.records.line_reader import demand_readable
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, STACK_LOG_FORMAT, LogFormat
from flowwarden.replay import text
from flowwarden.replay.batches import DELIVERED_SECONDS, LogGroups
from flowwarden.replay.comparison import Comparison, compared
from flowwarden.replay.interface_file import InterfaceFile, by_id, decoded
from flowwarden.replay.merged import merged
from flowwarden.replay.reorder import SLICE, Reorder
from flowwarden.replay.replay import NONE, Hooks, Replay
from flowwarden.replay.result import ReplayResult
from flowwarden.sources.inputs import Input
from flowwarden_cli.commands import document_file
from flowwarden_cli.commands.archive import Archive, Bucket
from flowwarden_cli.commands.collecting import collected_by_slice
from flowwarden_cli.commands.command import SUCCEEDED, UNREADABLE, UsageError, without_sdk
from flowwarden_cli.commands.muting import seconds_of
from flowwarden_cli.commands.replay import Wiring
from flowwarden_cli.commands.replay_workers import Assignment, Worker, WorkerEnded
from flowwarden_cli.commands.stack import region_of
from flowwarden_cli.report.file import unwritable, written
from flowwarden_cli.report.library import script
from flowwarden_cli.report.page import page
from flowwarden_cli.terminal.console import Console

PAGED: Final = 3
"""The exit code if pages would have been sent."""
LOG_GROUP: Final = "archive"
"""The log group that notifications name."""


class Given(Struct, frozen=True, kw_only=True):
    """What the options say."""

    log_group: str = LOG_GROUP
    layouts: tuple[LogFormat, ...]
    policies: Mapping[str, Policy]
    """By the names of their files."""
    known: InterfaceFile
    messages: Callable[[], Iterator[Sequence[str]]] | None = None
    """Reads the log group, if one is given."""
    first: int = 0
    """Unix seconds from which it is read."""
    library: str = ""
    """The script of the plotting library, if a report is asked for."""
    observes: bool = False
    """Whether the results contain what was seen in the traffic."""


def run(
    options: Namespace, console: Console, wired: Wiring | None = None, bucket: Bucket | None = None
) -> int:
    """Replay the paths; return the exit code.

    Args:
        options: `paths`, `log_group`, `since`, `region`, `format`, `log_format`, `policy`, `interfaces`,
            `report`, `as_delivered` and `workers`.
        console: where the result is printed.
        wired: opens a log group, by default on AWS.
        bucket: lists the objects below a URL, by default on AWS.

    Raises:
        UsageError: a log format cannot be read.
    """
    try:
        return _run(options, console, wired, bucket or bucket_of(options.region))
    except ModuleNotFoundError as error:
        return without_sdk(error, console)
    except (ConfigurationError, WorkerEnded) as error:
        console.report(f"error: {error}")
        return UNREADABLE


def _run(options: Namespace, console: Console, wired: Wiring | None, bucket: Bucket) -> int:
    given = given_by(options, console)
    if options.log_group:
        given = of_log_group(given, options, console, wired)
    archive = Archive(options.paths, given.layouts, console, bucket)
    if given.messages is not None:
        archive.add(given.log_group, given.first, given.messages)
    results = _replayed(archive, given, as_delivered=options.as_delivered, workers=options.workers)
    if problem := _problem(results[0], archive):
        console.report(f"error: {problem}")
        return UNREADABLE
    is_reported = not options.report or _reported(results[0], options.report, given.library, console)
    _print(results, [*given.policies], console, as_document=options.format == "json")
    if archive.failed or not is_reported:
        return UNREADABLE
    return PAGED if results[-1].pages else SUCCEEDED


def _reported(result: ReplayResult, path: str, library: str, console: Console) -> bool:
    """Write the report; return whether that was possible."""
    problem = written(path, page(result, library))
    if problem:
        console.report(f"error: {problem}")
    return not problem


def given_by(options: Namespace, console: Console) -> Given:
    """Read the files of the options. Raises ConfigurationError."""
    if [*options.paths, *options.policy, options.interfaces].count(document_file.STDIN) > 1:
        raise UsageError("only one of the files can be standard input")
    policies = {name: Policy.from_json(document_file.text_of(name, console)) for name in options.policy}
    if len(policies) < len(options.policy):
        raise UsageError("the two policies are the same file")
    known, report = InterfaceFile(interfaces=()), getattr(options, "report", None)
    if problem := unwritable(report) if report else "":
        raise SettingsError(problem)
    if options.interfaces:
        known = decoded(options.interfaces, interfaces_text(options.interfaces, console))
    return Given(
        layouts=_layouts(options.log_format),
        policies=policies or {"": Policy()},
        known=known,
        library=script() if report else "",
        observes=bool(report) or options.format == "json",
    )


def bucket_of(region: str | None) -> Bucket:
    """Lists objects on AWS. Raises ModuleNotFoundError if the SDK is not installed, when it is called."""

    def listed(url: str) -> Iterable[Input | SourceError]:
        from flowwarden.bootstrap.bucket_archive import on_aws  # noqa: PLC0415  an optional package

        return on_aws(url, region_of(region), time.sleep)

    return listed


def of_log_group(given: Given, options: Namespace, console: Console, wired: Wiring | None) -> Given:
    """The same with what AWS knows of the log group.

    Raises:
        ModuleNotFoundError: the SDK is not installed.
        ConfigurationError: there is no Region, or the credentials are not valid.
    """
    if wired is None:
        from flowwarden.bootstrap.log_archive import on_aws  # noqa: PLC0415  an optional package

        wired = on_aws
    name, end = options.log_group, int(console.now())
    first = end - seconds_of(options.since or "1d", "--since")
    archive = wired(name, region_of(options.region), given.layouts, time.sleep)
    for note in archive.notes:
        console.report(f"note: {note}")
    return replace(
        given,
        log_group=name,
        layouts=given.layouts if options.log_format else archive.layouts,
        known=given.known if options.interfaces else archive.known,
        messages=lambda: archive.messages(name, first, end),
        first=first,
    )


def interfaces_text(name: str, console: Console) -> str:
    """The text of the file with the interfaces, which can be large. Raises SettingsError."""
    return document_file.text_of(name, console, longest=INTERFACES_LONGEST)


INTERFACES_LONGEST: Final = 200_000_000
"""Bytes of the file with the interfaces: a kilobyte for each of 200,000."""


def _layouts(formats: Sequence[str]) -> tuple[LogFormat, ...]:
    if not formats:
        return STACK_LOG_FORMAT, DEFAULT_LOG_FORMAT
    try:
        layouts = tuple(LogFormat.parse(each) for each in formats)
        demand_readable(layouts)
    except LogFormatError as error:
        raise UsageError(f"--log-format: {error}") from error
    return layouts


def _replayed(archive: Archive, given: Given, *, as_delivered: bool, workers: int) -> list[ReplayResult]:
    """The results with each policy; the archive is read once. Raises WorkerEnded."""
    # This process reads, and replays what is left.
    here = max(0, len(given.policies) - workers + 1)
    with ExitStack() as ending:
        replays: list[Replay | Worker] = []
        for number, policy in enumerate(given.policies.values()):
            if number < here:
                replays.append(new_replay(policy, given, as_delivered=as_delivered))
            else:
                worker = Worker(_assignment(policy, given, as_delivered=as_delivered), assigned)
                ending.callback(worker.stop)
                replays.append(worker)
        process(archive, replays, as_delivered=as_delivered)
        return [each.result(archive.count, archive.failed, archive.unreadable) for each in replays]


def process(archive: Archive, replays: Sequence[Replay | Worker], *, as_delivered: bool) -> None:
    """Process the archive with each replay, to the end."""
    slices = Reorder(DELIVERED_SECONDS if as_delivered else SLICE).slices(merged(archive.sources()))
    try:
        with collected_by_slice() as collect:
            for one in slices:
                for each in replays:
                    each.process(one)
                collect()
    finally:
        archive.progress.wipe()
    for each in replays:
        each.finish()


def _assignment(policy: Policy, given: Given, *, as_delivered: bool) -> Assignment:
    return Assignment(
        policy=policy,
        log_group=given.log_group,
        known=given.known,
        as_delivered=as_delivered,
        observes=given.observes,
    )


def assigned(one: Assignment) -> Replay:
    """The replay of an assignment."""
    given = Given(log_group=one.log_group, layouts=(), policies={}, known=one.known, observes=one.observes)
    return new_replay(one.policy, given, as_delivered=one.as_delivered)


def new_replay(policy: Policy, given: Given, *, as_delivered: bool, hooks: Hooks = NONE) -> Replay:
    """A replay with a policy."""
    file, known = given.known, by_id(given.known.interfaces)
    built = stack(policy, known, file.region, file.account, as_delivered=as_delivered)
    groups = LogGroups(given.log_group, built.formats)
    return Replay(
        built, groups, file.account, as_delivered=as_delivered, observes=given.observes, hooks=hooks
    )


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
