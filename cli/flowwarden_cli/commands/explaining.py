"""`flowwarden explain`: replays an archive, and explains a record or an incident of it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from msgspec import to_builtins
from msgspec.structs import replace

from flowwarden.errors import ConfigurationError, SourceError
from flowwarden.records.line_reader import LineReader
from flowwarden.replay.explain import text
from flowwarden.replay.explain.incident import IncidentWatch, matching, near
from flowwarden.replay.explain.model import Context, Explanation
from flowwarden.replay.explain.record import RecordWatch, Wanted
from flowwarden.replay.merged import Source
from flowwarden.replay.replay import Hooks, Observe
from flowwarden.replay.result import IncidentHistory, ReplayResult
from flowwarden.replay.timed import Layouts, timed
from flowwarden_cli.commands import document_file, wanted_record
from flowwarden_cli.commands.archive import Archive
from flowwarden_cli.commands.command import SUCCEEDED, UNREADABLE, without_sdk
from flowwarden_cli.commands.explain import Key, Place, Text, What
from flowwarden_cli.commands.replay_given import Given, bucket_of, given_by
from flowwarden_cli.commands.replay_runs import new_replay, process
from flowwarden_cli.terminal.console import Console


class _Nothing(Exception):
    """There is nothing to explain; the message says why, and the hints what there is."""

    def __init__(self, why: str, *hints: str) -> None:
        super().__init__(why)
        self.hints = hints


class _Replays:
    """Replays the archive of the options, as often as needed."""

    def __init__(self, given: Given, paths: Sequence[str], console: Console, *, as_delivered: bool) -> None:
        self._given, self._paths, self._console = given, paths, console
        self._as_delivered = as_delivered
        self._bucket = bucket_of(None)
        self.failed = 0
        """Sources that could not be read to their end."""
        self.layouts: list[Layouts] = []
        """The log formats of the archive, each set that lines may have."""

    @property
    def reads_stdin(self) -> bool:
        """Whether it can be run only once."""
        return document_file.STDIN in self._paths

    @property
    def has_archive(self) -> bool:
        """Whether there is a path."""
        return bool(self._paths)

    def run(self, observe: Observe, more: Source | None = None) -> ReplayResult:
        """Replay the archive, with one more source."""
        archive = Archive(self._paths, self._given.layouts, self._console, self._bucket)
        if more is not None:
            archive.put(more)
        (policy,) = self._given.policies.values()
        replay = new_replay(policy, self._given, as_delivered=self._as_delivered, hooks=Hooks(batch=observe))
        process(archive, [replay], as_delivered=self._as_delivered)
        self.failed, self.layouts = archive.failed, [*archive.layouts]
        return replay.result(archive.count, archive.failed, archive.unreadable)


def run(what: What, options: Namespace, console: Console) -> int:
    """Explain a record or an incident; return the exit code.

    Args:
        what: what to explain.
        options: `paths`, `format`, `log_format`, `policy`, `interfaces` and `as_delivered`.
        console: where the explanation is printed.

    Raises:
        UsageError: a log format cannot be read.
    """
    try:
        given = replace(given_by(options, console), observes=False)
        replays = _Replays(given, _paths(what, options.paths), console, as_delivered=options.as_delivered)
        explanation = _explained(what, replays, given.layouts, console)
    except ModuleNotFoundError as error:
        return without_sdk(error, console)
    except (ConfigurationError, SourceError, _Nothing) as error:
        console.report(f"error: {error}")
        for hint in error.hints if isinstance(error, _Nothing) else ():
            console.report(hint)
        return UNREADABLE
    if options.format == "json":
        console.print_document(to_builtins(explanation))
    else:
        console.print(text.summary(explanation))
    return UNREADABLE if replays.failed else SUCCEEDED


def _paths(what: What, paths: Sequence[str]) -> Sequence[str]:
    """The paths of the archive, to which the file of a line belongs."""
    if not isinstance(what, Place):
        return paths
    file = Path(what.file).resolve()
    within = (Path(each).resolve() for each in paths if each != document_file.STDIN)
    return paths if any(each == file or each in file.parents for each in within) else [what.file, *paths]


def _explained(what: What, replays: _Replays, layouts: Layouts, console: Console) -> Explanation:
    match what:
        case Key():
            return _incident(what.prefix, replays)
        case Place():
            return _record(wanted_record.in_file(what.file, what.number, layouts), replays)
        case Text():
            given = document_file.text_of(document_file.STDIN, console) if what.text is None else what.text
            return _record(wanted_record.in_text(given, layouts), replays)


def _record(wanted: Wanted, replays: _Replays) -> Explanation:
    """The explanation of a record; one that the archive does not contain is added to it."""
    watch = RecordWatch(wanted)
    if replays.has_archive:
        replays.run(watch.see)
    if watch.found is not None:
        return Explanation(record=watch.found)
    if replays.reads_stdin:
        raise _Nothing("the archive does not contain the record; save standard input to a file, to add it")
    source = _source(wanted, replays.layouts)
    added = RecordWatch(wanted)
    replays.run(added.see, source)
    if added.found is None:
        raise _Nothing("the record was not processed; its time may be out of range")
    context = Context.ADDED if replays.has_archive else Context.ALONE
    return Explanation(record=replace(added.found, context=context))


def _source(wanted: Wanted, formats: Sequence[Layouts]) -> Source:
    """A source with the record alone, in formats of the archive if it has one of these."""
    possible = [*formats, tuple(wanted.layouts)]
    layouts = next((each for each in possible if not LineReader(each).read([wanted.line]).malformed), None)
    if layouts is None:
        why = LineReader(wanted.layouts).read([wanted.line]).malformed[0].reason
        hint = "note: if it has a custom format, pass it: --log-format '${version} ${…}'"
        raise _Nothing(f"{wanted.where}: is malformed: {why}", hint)
    lines = timed(layouts, [wanted.line])
    return Source(wanted.where, lines.span[0] if lines.span else 0, lambda: iter([lines]))


def _incident(prefix: str, replays: _Replays) -> Explanation:
    watch = IncidentWatch(prefix)
    incidents = replays.run(watch.see).incidents
    found = matching(incidents, prefix)
    if len(found) == 1:
        return Explanation(incident=watch.explanation(found[0]))
    if found:
        many = f"{len(found):,} incidents begin with {prefix}; write more of the key"
        raise _Nothing(many, *map(_named, found))
    if not incidents:
        raise _Nothing("the archive has no incident")
    none = f"no incident begins with {prefix}; `flowwarden replay` prints all, such as"
    raise _Nothing(none, *map(_named, near(incidents, prefix)))


def _named(one: IncidentHistory) -> str:
    return f"  {one.incident}  {', '.join(one.detectors)}: {one.summary}"
