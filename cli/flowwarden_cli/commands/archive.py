"""An archive: the lines of files and standard input with their times, for `flowwarden replay`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Final

from flowwarden.errors import LogFormatError, NotFlowLogs, SourceError
from flowwarden.records.log_format import LogFormat
from flowwarden.replay.merged import Source
from flowwarden.replay.timed import Layouts, Timed, timed
from flowwarden.sources.chunks import Lines, Note, Piece
from flowwarden.sources.inputs import Input, find
from flowwarden.sources.read import pieces
from flowwarden_cli.terminal.console import Console
from flowwarden_cli.terminal.progress import Progress

type Bucket = Callable[[str], Iterable[Input | SourceError]]

S3: Final = "s3://"
"""The beginning of the URL of a bucket."""
_STAMP: Final = re.compile(r"_(\d{8}T\d{4})Z_[^/]*$")
"""The time in the name of an object with flow logs, such as `20261130T0955`."""
_BEFORE: Final = 600
"""Seconds by which records of an object can be older than the time in its name: an aggregation interval."""


class Archive:
    """The sources of a replay, and what happened while they were read."""

    def __init__(
        self, paths: Sequence[str], layouts: Sequence[LogFormat], console: Console, bucket: Bucket
    ) -> None:
        """Find the files and objects; reads nothing yet. `bucket` lists the objects below a URL."""
        files = [each for each in paths if not each.startswith(S3)]
        objects = [found for each in paths if each.startswith(S3) for found in bucket(each)]
        self._found = [*find(files, console.stdin, console.own), *objects]
        sizes = [each.size for each in self._found if isinstance(each, Input)]
        self.progress = Progress(console, None if None in sizes else sum(size or 0 for size in sizes))
        self.failed = 0
        """Sources that could not be read to their end."""
        self.lost = sum(isinstance(each, SourceError) for each in objects)
        """Those of them on AWS, which another run may be able to read."""
        self.unreadable = 0
        """Parts of sources that are no lines."""
        self.layouts: dict[Layouts, None] = {}
        """The log formats of the files that were read, each set that their lines may have."""
        self._layouts = tuple(layouts)
        self._console = console
        self._notes: set[str] = set()
        self._others: list[Source] = []
        self._reached = 0
        """Bytes read of all sources."""

    @property
    def count(self) -> int:
        """The number of sources."""
        return len(self._others) + sum(not isinstance(each, Note) for each in self._found)

    def add(self, name: str, first: int, messages: Callable[[], Iterator[Sequence[str]]]) -> None:
        """Add a source of lines without a header, whose first time (Unix seconds) is known.

        `messages` reads its lines, and raises SourceError.
        """
        self._others.append(Source(name, first, lambda: self._timed_messages(messages)))

    def put(self, source: Source) -> None:
        """Add a source."""
        self._others.append(source)

    def sources(self) -> list[Source]:
        """The sources, of which only the beginning is read; errors are reported and counted."""
        return [*self._others, *(source for each in self._found for source in self._source(each))]

    def _timed_messages(self, messages: Callable[[], Iterator[Sequence[str]]]) -> Iterator[Timed]:
        try:
            for some in messages():
                self.progress.add_records(len(some))
                self.progress.reach(self._reached)
                yield timed(self._layouts, some)
        except SourceError as error:
            self.lost += 1
            self._fail(error)

    def _source(self, found: Input | SourceError | Note) -> Iterator[Source]:
        if isinstance(found, Note):
            self._report(f"note: {found.text}")
        elif isinstance(found, SourceError):
            self._fail(found)
        elif found.size is None:
            # A pipe is read once, so it stays open.
            lines = self._read(found)
            begun = list(_begun(lines))
            yield Source(found.name, _first(begun), lambda: chain(begun, lines))
        elif found.opener is not None and (stamp := _STAMP.search(found.name)) is not None:
            # Opening each object twice would double the calls; the name says when the file was begun.
            yield Source(found.name, _begun_at(stamp[1]), lambda: self._read(found))
        else:
            peeked = _first(_begun(_peeked(found, self._layouts)))
            yield Source(found.name, peeked, lambda: self._read(found))

    def _read(self, source: Input) -> Iterator[Timed]:
        """The lines of a source; an error is reported and counted, and ends it."""
        before = 0

        def reach(position: int) -> None:
            nonlocal before
            self._reached += position - before
            before = position
            self.progress.reach(self._reached)

        try:
            for piece in pieces(source, self._layouts, reach):
                yield from self._timed(source, piece)
        except LogFormatError as error:
            self._fail(NotFlowLogs(f"{source.name}: {error}"))
        except SourceError as error:
            self.lost += source.opener is not None
            self._fail(error)

    def _timed(self, source: Input, piece: Piece) -> Iterator[Timed]:
        match piece:
            case Lines():
                self.progress.add_records(len(piece.lines))
                self.layouts[piece.layouts] = None
                yield timed(piece.layouts, piece.lines)
            case Note():
                if piece.text not in self._notes:
                    self._notes.add(piece.text)
                    self._report(f"note: {source.name}: {piece.text}")
            case _:
                self.unreadable += 1

    def _fail(self, error: SourceError) -> None:
        self.failed += 1
        self._report(f"error: {error}")

    def _report(self, text: str) -> None:
        self.progress.wipe()
        self._console.report(text)


def _begun_at(stamp: str) -> int:
    """The earliest time of records in an object whose name has this time (Unix seconds); 0 if it is none."""
    try:
        return int(datetime.strptime(f"{stamp}+0000", "%Y%m%dT%H%M%z").timestamp()) - _BEFORE
    except ValueError:
        return 0


def _peeked(source: Input, layouts: tuple[LogFormat, ...]) -> Iterator[Timed]:
    """The lines of a source, for its beginning. Reading it whole reports the errors."""
    try:
        for piece in pieces(source, layouts, lambda _: None):
            if isinstance(piece, Lines):
                yield timed(piece.layouts, piece.lines)
    except (SourceError, LogFormatError):
        return


def _begun(lines: Iterator[Timed]) -> Iterator[Timed]:
    """The lines up to the first piece with a time."""
    for each in lines:
        yield each
        if each.span is not None:
            return


def _first(begun: Iterator[Timed] | Sequence[Timed]) -> int:
    """The earliest time; 0 if there is none."""
    return min((each.span[0] for each in begun if each.span is not None), default=0)
