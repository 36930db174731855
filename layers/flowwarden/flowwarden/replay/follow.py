"""Follows a log group: the events of a past time, then what arrives, each event once. Does no I/O itself.

Events arrive minutes after their time, and in any order. So each look reads the last `OVERLAP` again, and
leaves out the events that were read before, by their ids. Nothing is lost or doubled between the past and the
first look, or between two looks, except events that arrive more than `OVERLAP` after their time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush
from typing import Final

from msgspec import Struct

from flowwarden.errors import SourceError, SourceNotOpened
from flowwarden.replay.merged import Piece
from flowwarden.replay.timed import Layouts, timed

OVERLAP: Final = 1800
"""Seconds that are read again at each look: an interval of 10 minutes, and the delay of its delivery."""
PAUSE: Final = 60.0
"""Seconds between two looks."""
MOST_IDS: Final = 1_000_000
"""Ids kept at most, about 200 MB. Of more events within `OVERLAP`, the oldest are not looked for again."""
MOST_FAILURES: Final = 10
"""Looks that may fail one after the other."""


class LogEvent(Struct, frozen=True):
    """An event of a log group."""

    id: str
    at: int
    """Its time, in Unix milliseconds."""
    message: str


type Events = Callable[[int, int], Iterator[Sequence[LogEvent]]]
"""The events from one time to another (Unix seconds), page by page. Raises SourceError."""


class Live(Struct, frozen=True, kw_only=True):
    """The outside of a log group."""

    read: Events
    clock: Callable[[], float]
    """Unix seconds."""
    wait: Callable[[float], None]
    """Sleeps for some seconds, or until the user ends it."""
    is_ended: Callable[[], bool]
    """Whether the user ended it."""
    failed: Callable[[SourceError, bool], None]
    """Notes an error, and whether the look is tried again."""


class _Seen:
    """The ids of the events that may be read again."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._ids: set[str] = set()
        self._by_time: list[tuple[int, str]] = []
        """A heap."""
        self._kept_from = 0
        """Unix milliseconds from which all ids are kept."""
        self.left_out_before = 0
        """Unix milliseconds. What a look reads of an earlier time may have been read before it."""

    def new(self, events: Sequence[LogEvent]) -> list[LogEvent]:
        """Those that were not read before."""
        found = []
        for each in events:
            if each.at >= self.left_out_before and each.id not in self._ids:
                found.append(each)
                self._ids.add(each.id)
                heappush(self._by_time, (each.at, each.id))
        while len(self._ids) > self._most:
            # Events of one millisecond go together: of these, not all ids would be kept.
            self.forget(self._by_time[0][0] + 1)
        return found

    def forget(self, before: int) -> None:
        """Forget the ids of earlier events (Unix milliseconds)."""
        self._kept_from = max(self._kept_from, before)
        while self._by_time and self._by_time[0][0] < self._kept_from:
            self._ids.discard(heappop(self._by_time)[1])

    def end(self) -> None:
        """End a look: from now on, what is earlier than the ids that are kept is left out."""
        self.left_out_before = self._kept_from


class Follower:
    """Reads a log group from a time on, until the user ends it."""

    def __init__(self, live: Live, first: int, most_ids: int = MOST_IDS) -> None:
        """Take the outside, and Unix seconds from which it is read."""
        self._live = live
        self._first = first
        self._seen = _Seen(most_ids)
        self._read_until = first
        """Unix seconds up to which all was read."""
        self._is_open = False
        """Whether anything was read."""

    def pieces(self, layouts: Layouts) -> Iterator[Piece]:
        """The lines as they are read, and how far time has come.

        After a look, time has come as far as the look, so that a slice is judged although nothing follows it.
        """
        position = self._first
        for messages, until in self._messages():
            lines = timed(layouts, messages)
            position = max(position, until if until is not None else lines.middle or position)
            yield Piece(lines, position)

    def _messages(self) -> Iterator[tuple[list[str], int | None]]:
        failures = 0
        while not self._live.is_ended() and failures < MOST_FAILURES:
            now = int(self._live.clock())
            try:
                yield from ((each, None) for each in self._look(now))
            except SourceError as error:
                # Such as a name that is wrong: another look would not help.
                is_refused = isinstance(error, SourceNotOpened) and not self._is_open
                failures = MOST_FAILURES if is_refused else failures + 1
                self._live.failed(error, failures < MOST_FAILURES)
            else:
                failures, self._is_open = 0, True
                yield [], now
            if failures < MOST_FAILURES and not self._live.is_ended():
                self._live.wait(PAUSE)

    def _look(self, now: int) -> Iterator[list[str]]:
        """What is new up to now. The first look reads the whole past."""
        latest = self._first
        try:
            for page in self._live.read(max(self._first, self._read_until - OVERLAP), now):
                if self._live.is_ended():
                    return
                new = self._seen.new(page)
                self._is_open = True
                if new:
                    yield [each.message for each in new]
                # Pages are in the order of time, so a look that fails goes on where it failed.
                latest = max([latest, *(each.at // 1000 for each in page)])
                self._seen.forget((latest - OVERLAP) * 1000)
            latest = now
        finally:
            self._read_until = max(self._read_until, latest)
            self._seen.forget((self._read_until - OVERLAP) * 1000)
            self._seen.end()
