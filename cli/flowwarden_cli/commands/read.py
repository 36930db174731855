"""`flowwarden read`: prints the records of files and archives as JSON lines."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from flowwarden.errors import LogFormatError, SourceError
from flowwarden.records.line_reader import LineReader
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, STACK_LOG_FORMAT, LogFormat
from flowwarden.records.model import Action, GapKind, Malformed
from flowwarden.records.values import MASKED
from flowwarden.sources.chunks import Note
from flowwarden.sources.inputs import Input, find
from flowwarden.sources.read import Batch, read
from flowwarden_cli.commands.command import SUCCEEDED, UNREADABLE, Command, UsageError
from flowwarden_cli.terminal.console import Console
from flowwarden_cli.terminal.json_lines import flows_as_json, gaps_as_json, malformed_as_json
from flowwarden_cli.terminal.progress import Progress

_SHOWN: Final = 100
_DESCRIPTION: Final = """\
Prints flow records as JSON lines with AWS's field names: numbers as numbers,
absent values as null. The counts go to standard error.

A PATH is a file, a folder (including subfolders), or - for standard input. The
kind of a file is detected from its content: text with or without a header
line, CloudWatch export, CSV, JSON, subscription payload, Kinesis event or
Parquet. All kinds except Parquet can be compressed with gzip.
"""
_EXAMPLES: Final = """\
examples:
  flowwarden read AWSLogs/ --only REJECT | jq .srcaddr
  flowwarden read --malformed flows.log.gz
  aws logs filter-log-events --log-group-name GROUP | flowwarden read -
  flowwarden read --format 'srcaddr dstaddr action' \\
    --explain '10.0.0.5 10.0.0.9 REJECT'

exit codes: 0 success; 1 at least one source could not be read to its end, no
line was a flow or a gap, or the output could not be written; 2 wrong usage;
130 interrupted
"""


class Choice(Struct, frozen=True, kw_only=True):
    """Which records are printed."""

    flows: bool
    only: Action | None
    """Print only flows with this action; None for all."""
    gaps: bool
    malformed: bool


class _Counts:
    """The number of records read, whether printed or not."""

    def __init__(self) -> None:
        self.sources = 0
        self.failed = 0
        self.flows = 0
        self.gaps = dict.fromkeys(GapKind, 0)
        self.malformed = 0
        self.first_malformed = ""
        self.masked = False

    def add(self, source: str, batch: Batch) -> int:
        """Count a batch; returns the number of its records."""
        records = batch.records
        flows = len(records.flows) + batch.omitted
        self.flows += flows
        for gap in records.gaps:
            self.gaps[gap.kind] += 1
        self.malformed += len(records.malformed)
        if records.malformed and not self.first_malformed:
            self.first_malformed = _first(source, batch.numbers[0], records.malformed[0])
        self.masked = self.masked or any(bad.reason.endswith(MASKED) for bad in records.malformed)
        return flows + len(records.gaps) + len(records.malformed)

    @property
    def is_nothing_read(self) -> bool:
        """Whether there are lines, but none is a flow or a gap: they probably have another format."""
        return bool(self.malformed) and not self.flows and not any(self.gaps.values())

    def summary(self) -> str:
        """All counts in one line."""
        gaps = ", ".join(f"{count:,} {kind}" for kind, count in self.gaps.items() if count)
        return (
            f"{_number(self.flows, 'flow')}, "
            f"{_number(sum(self.gaps.values()), 'gap')}{f' ({gaps})' * bool(gaps)}, "
            f"{_number(self.malformed, 'malformed line')} in {_number(self.sources, 'source')}"
            + f", {self.failed:,} not read to the end"
            * bool(self.failed)
        )


def print_records(
    paths: Sequence[str], layouts: Sequence[LogFormat], choice: Choice, console: Console
) -> int:
    """Read all the paths, print the chosen records and a summary; return the exit code.

    Raises:
        BrokenPipeError: the reader of the output closed the pipe.
    """
    found = list(find(paths, console.stdin, console.own))
    sizes = [each.size for each in found if isinstance(each, Input)]
    progress = Progress(console, None if None in sizes else sum(size or 0 for size in sizes))
    reading = _Reading(layouts, choice, console, progress)
    try:
        for each in found:
            reading.take(each)
    finally:
        progress.wipe()
    counts = reading.counts
    if not counts.sources:
        console.report("note: no files; names that begin with . or _ are skipped")
    console.report(counts.summary())
    if counts.malformed and not choice.malformed:
        console.report(f"first malformed: {counts.first_malformed}")
        console.report("--malformed prints all of them, with the reasons; --explain LINE explains one")
    if counts.masked:
        console.report(
            "A data protection policy masks addresses: take IpAddress out of it, "
            "or export the lines unmasked (permission logs:Unmask)"
        )
    if counts.is_nothing_read:
        console.report("error: no line is a flow or a gap, so nothing was read")
    if counts.is_nothing_read and not counts.masked:
        console.report("If the lines have a custom format, pass it: --format '${version} ${…}'")
        console.report(
            "If they are not flow logs, check the path; `flowwarden read --help` lists the supported files"
        )
    return UNREADABLE if counts.failed or counts.is_nothing_read else SUCCEEDED


class _Reading:
    """Reads the sources one after the other."""

    def __init__(
        self, layouts: Sequence[LogFormat], choice: Choice, console: Console, progress: Progress
    ) -> None:
        self.counts = _Counts()
        self._layouts = layouts
        self._choice = choice
        self._console = console
        self._progress = progress
        self._notes: set[str] = set()

    def take(self, found: Input | SourceError | Note) -> None:
        """Read one source; an error is reported and counted, and does not stop the next source."""
        if isinstance(found, Note):
            self._report(f"note: {found.text}")
            return
        self.counts.sources += 1
        try:
            if isinstance(found, SourceError):
                raise found
            for batch in read(found, self._layouts, self._progress.reach, self._choice.only):
                self._progress.add_records(self.counts.add(found.name, batch))
                self._print(found.name, batch)
                self._note(found.name, batch.note)
            self._progress.next_source(found.size)
        except SourceError as error:
            self.counts.failed += 1
            self._report(f"error: {error}")

    def _print(self, source: str, batch: Batch) -> None:
        text = printed(source, batch, self._choice)
        if text:
            self._console.stdout.write(text)
            self._console.stdout.flush()

    def _note(self, source: str, note: str) -> None:
        if note and note not in self._notes:
            self._notes.add(note)
            self._report(f"note: {source}: {note}")

    def _report(self, text: str) -> None:
        self._progress.wipe()
        self._console.report(text)


def printed(source: str, batch: Batch, choice: Choice) -> bytes:
    """The output for a batch: flows first, then gaps, then malformed lines."""
    records = batch.records
    text = b""
    if choice.flows:
        text += flows_as_json(records.flows)
    if choice.gaps:
        text += gaps_as_json(records.gaps)
    if choice.malformed:
        text += malformed_as_json(source, zip(batch.numbers, records.malformed, strict=True))
    return text


def _first(source: str, number: int, bad: Malformed) -> str:
    text = bad.line if len(bad.line) <= _SHOWN else f"{bad.line[:_SHOWN]}…"
    return f"{source}, line {number}: {bad.reason}: {text!r}"


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"


def _add_arguments(command: ArgumentParser) -> None:
    command.add_argument("paths", nargs="*", metavar="PATH", help="file, folder, or - for standard input")
    command.add_argument(
        "--format",
        action="append",
        default=[],
        metavar="FORMAT",
        help="log format of lines without a header, such as '${version} ${srcaddr} ${dstaddr}'; "
        "repeat the option for several formats (default: the stack's default format, and AWS's)",
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
    command.add_argument("--flows", action="store_true", help="also print flows, with --gaps or --malformed")
    command.add_argument(
        "--explain", metavar="LINE", help="show each field of a line, and how the line is classified"
    )


def _run(options: Namespace, console: Console) -> int:
    if options.paths and options.explain is not None:
        raise UsageError("--explain LINE takes no PATH")
    if not options.paths and options.explain is None:
        raise UsageError("write at least one PATH (- for standard input), or --explain LINE")
    try:
        layouts = _layouts(options.format, console)
    except LogFormatError as error:
        raise UsageError(f"--format: {error}") from error
    if options.explain is not None:
        return _explain(options.explain, layouts, console)
    return print_records(options.paths, layouts, _choice(options), console)


def _explain(line: str, layouts: tuple[LogFormat, ...], console: Console) -> int:
    from flowwarden_cli.commands.line_explanation import explanation  # noqa: PLC0415  numpy

    try:
        console.print(explanation(line, layouts))
    except SourceError as error:
        console.report(f"error: {error}")
        return UNREADABLE
    return SUCCEEDED


def _layouts(formats: Sequence[str], console: Console) -> tuple[LogFormat, ...]:
    """The log formats of lines without a header. Raises LogFormatError if one cannot be read."""
    if not formats:
        return STACK_LOG_FORMAT, DEFAULT_LOG_FORMAT
    layouts = tuple(LogFormat.parse(text) for text in formats)
    LineReader(layouts)  # checks that the mandatory fields are there
    unknown = [name for layout in layouts for name in layout.unknown]
    if unknown:
        console.report(f"note: unknown fields are kept as text: {', '.join(unknown)}")
    return layouts


def _choice(options: Namespace) -> Choice:
    only = None if options.only is None else Action(options.only)
    others = options.gaps or options.malformed
    flows = options.flows or only is not None or not others
    return Choice(flows=flows, only=only, gaps=options.gaps, malformed=options.malformed)


COMMAND: Final = Command(
    name="read",
    help="print flow records as JSON lines, or explain one line",
    description=_DESCRIPTION,
    epilog=_EXAMPLES,
    add_arguments=_add_arguments,
    run=_run,
)
