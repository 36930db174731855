"""What the options of a replay say: policies, log formats, interfaces, and where the log group is."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct, to_builtins
from msgspec.structs import replace

from flowwarden.errors import LogFormatError, SettingsError, SourceError
from flowwarden.policy.policy import Policy
from flowwarden.records.line_reader import demand_readable
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, STACK_LOG_FORMAT, LogFormat
from flowwarden.replay import interface_file
from flowwarden.replay.interface_file import InterfaceFile, decoded
from flowwarden.sources.inputs import Input
from flowwarden_cli.commands import document_file
from flowwarden_cli.commands.archive import Bucket
from flowwarden_cli.commands.checkpoint_file import Period
from flowwarden_cli.commands.checkpoints import program, value_of
from flowwarden_cli.commands.command import UsageError
from flowwarden_cli.commands.muting import seconds_of
from flowwarden_cli.commands.replay import Wiring
from flowwarden_cli.commands.stack import region_of
from flowwarden_cli.report.file import unwritable
from flowwarden_cli.report.library import script
from flowwarden_cli.terminal.console import Console

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
    period: Period | None = None
    """What was read of the log group's surroundings, for a later run."""
    library: str = ""
    """The script of the plotting library, if a report is asked for."""
    observes: bool = False
    """Whether the results contain what was seen in the traffic."""


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


def of_log_group(
    given: Given, options: Namespace, console: Console, wired: Wiring | None, saved: Period | None = None
) -> Given:
    """The same with what AWS knows of the log group, or knew when a checkpoint was saved.

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
    period = saved or Period(
        first=first,
        end=end,
        log_formats=tuple(each.to_log_format() for each in archive.layouts),
        interfaces=interface_file.encoded(archive.known),
    )
    return replace(
        given,
        log_group=name,
        layouts=given.layouts
        if options.log_format
        else tuple(LogFormat.parse(each) for each in period.log_formats),
        known=given.known if options.interfaces else decoded("the checkpoint", period.interfaces),
        messages=lambda: archive.messages(name, period.first, period.end),
        first=period.first,
        period=period,
    )


def terms_of(given: Given, options: Namespace) -> dict[str, str]:
    """What must be the same when a replay goes on: all that its state or its result depends on."""
    return {
        "version of Flow Warden": program(),
        "--policy": value_of([to_builtins(each) for each in given.policies.values()]),
        "--interfaces": value_of(interface_file.document(given.known)),
        "--log-format": value_of([each.names for each in given.layouts]),
        "--as-delivered": str(options.as_delivered),
        "--log-group": options.log_group or "",
        "--since": options.since or "",
        "output (--format json or --report)": str(given.observes),
    }


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
