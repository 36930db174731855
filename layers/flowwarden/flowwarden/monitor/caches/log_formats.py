"""The log formats of a log group: learned from EC2, shared by all containers.

Sources, in this order: container, state table, EC2, fallback. The constants below define how long each is
trusted. A failure to learn formats never fails a batch: lines are parsed with the formats learned before, or
with the fallback.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from flowwarden.errors import LogFormatsUnavailable, StateUnavailable
from flowwarden.monitor.ports import LogFormats, LogFormatStore
from flowwarden.records.columnar.reader import ColumnarReader
from flowwarden.records.format_choice import Candidates, LearnedFormats, candidates
from flowwarden.records.line_reader import demand_readable
from flowwarden.records.log_format import LogFormat
from flowwarden.unreadable import CLOCKS, Unreadable

VALID_SECONDS = 3600
"""How long learned formats are valid. Only a new query detects a format that merely reorders the fields of
the old one."""
WAIT_SECONDS = 300
"""Minimum time between successful EC2 queries about a log group across all containers, and between refused
queries of a container: EC2 throttles easily, and lines that never match must not cause a query per batch. A
new flow log writes its first lines minutes after its creation, so nothing is missed."""
MOST_READERS = 4
"""Maximum readers of different formats; each caches texts and addresses, up to about 10 MB. Log groups with
the same formats share one."""
MOST_GROUPS = 1024
"""Maximum log groups with an entry; beyond that, the oldest entry is dropped, and read again if needed."""
SOON_SECONDS = 30
"""The pause before the state table is read again while another container queries EC2."""
TURN_SECONDS = 30
"""How long only one container may query EC2: longer than a query takes. If it learns nothing, because it
ended or EC2 refused, another container may query after that, so that a batch that Lambda retries a minute
later is not parsed with the fallback."""


class FailedLookup(Struct, frozen=True):
    """A lookup that failed."""

    at: int
    """Unix seconds."""
    too_old: int
    """The lookup accepted only formats that were learned after this time (Unix seconds)."""
    repeated: bool
    """Whether it was the second lookup."""


class CachedFormats(Struct, frozen=True):
    """The cached formats of a log group."""

    reader: ColumnarReader
    candidates: Candidates
    learned: LearnedFormats | None
    refresh_at: int
    """Unix seconds at which the entry expires."""
    ask_again: int
    """Unix seconds; before, unmatched lines do not cause a new lookup."""
    failed: FailedLookup | None
    """The last lookup, if it failed."""

    @property
    def unavailable(self) -> bool:
        """Whether the last lookup failed, so that the entry may be out of date."""
        return self.failed is not None

    def may_repeat(self, now: int) -> bool:
        """Whether the lookup failed just now (Unix seconds), for the first time."""
        return self.failed is not None and self.failed.at == now and not self.failed.repeated


class LogFormatCache:
    """Caches the log formats of log groups. One per container."""

    def __init__(
        self,
        formats: LogFormats,
        memory: LogFormatStore,
        fallback: Sequence[LogFormat],
        warn: Callable[[str], None],
        unreadable: Unreadable | None = None,
    ) -> None:
        """Begin with an empty cache.

        Args:
            formats: queries EC2.
            memory: the state table.
            fallback: the configured and the default format, used if no format can be learned.
            warn: receives warnings for the log, such as an unknown field.
            unreadable: where stored formats that cannot be used are noted.

        Raises:
            LogFormatError: a fallback format cannot be read.
        """
        demand_readable(fallback)  # an invalid setting must fail when the container starts
        self._formats = formats
        self._memory = memory
        self._fallback = tuple(fallback)
        self._warn = warn
        self._unreadable = unreadable or Unreadable()
        self._entries: dict[str, CachedFormats] = {}

    def entry(self, log_group: str, now: int) -> CachedFormats:
        """The entry of a log group; `now` is Unix seconds.

        Costs nothing while the entry is valid. After that, it costs one read of the state table, and an EC2
        call if the stored formats have expired.
        """
        entry = self._entries.get(log_group)
        if entry is None or now >= entry.refresh_at:
            entry = self._lookup(log_group, now, now - VALID_SECONDS)
        return entry

    def renewed(self, log_group: str, now: int) -> CachedFormats:
        """The entry, looked up again because lines did not match; with another reader if formats changed.

        Costs nothing while it is too early for another lookup.
        """
        entry = self.entry(log_group, now)
        if now < entry.ask_again:
            return entry
        return self._lookup(log_group, now, entry.learned.at if entry.learned else 0)

    def repeated(self, log_group: str, now: int) -> CachedFormats:
        """The entry, after a repetition of its lookup if that failed just now."""
        entry = self._entries[log_group]
        if entry.failed is None or not entry.may_repeat(now):
            return entry
        return self._lookup(log_group, now, entry.failed.too_old, entry.failed)

    def _lookup(
        self, log_group: str, now: int, too_old: int, first: FailedLookup | None = None
    ) -> CachedFormats:
        """Rebuild the entry, from formats learned after `too_old` (Unix seconds) if available.

        `first` is the failed lookup that this one repeats. It may have taken the turn without receiving the
        response, so this one queries EC2 without a turn.
        """
        before = self._entries.get(log_group)
        learned = before.learned if before else None
        failed = None
        try:
            learned = _newer(learned, self._recalled(log_group, now))
            if learned is not None and learned.at > too_old:
                again = learned.at + VALID_SECONDS, learned.at + WAIT_SECONDS
            elif first is not None or self._memory.take_turn(log_group, now, TURN_SECONDS):
                learned = LearnedFormats.of(self._formats.written_into(log_group), now)
                again = now + VALID_SECONDS, now + WAIT_SECONDS
                self._keep(log_group, learned)
            else:
                again = now + SOON_SECONDS, now + SOON_SECONDS
        except (LogFormatsUnavailable, StateUnavailable) as error:
            self._warn(f"the log formats of {log_group} cannot be learned and may be outdated: {error}")
            failed = FailedLookup(now, too_old, repeated=first is not None)
            again = now + WAIT_SECONDS, now + WAIT_SECONDS
        entry = CachedFormats(*self._reader(before, learned), learned, *again, failed)
        self._entries.pop(log_group, None)
        self._entries[log_group] = entry
        self._bound()
        return entry

    def _bound(self) -> None:
        """Drop the oldest entries if there are too many, or too many readers."""
        while len(self._entries) > MOST_GROUPS or len(self._readers()) > MOST_READERS:
            del self._entries[next(iter(self._entries))]

    def _readers(self) -> dict[Candidates, ColumnarReader]:
        return {each.candidates: each.reader for each in self._entries.values()}

    def _recalled(self, log_group: str, now: int) -> LearnedFormats | None:
        """The stored formats; None if their time is in the future: they would not expire until then."""
        recalled = self._memory.recall(log_group)
        if recalled is None or recalled.at <= now + CLOCKS:
            return recalled
        self._unreadable.note(f"log formats of {log_group}", f"learned at {recalled.at}, in the future")
        return None

    def _keep(self, log_group: str, learned: LearnedFormats) -> None:
        try:
            self._memory.keep(log_group, learned)
        except StateUnavailable as error:
            # This container has the formats, and the others query EC2 themselves.
            self._warn(f"the log formats of {log_group} could not be stored: {error}")

    def _reader(
        self, before: CachedFormats | None, learned: LearnedFormats | None
    ) -> tuple[ColumnarReader, Candidates]:
        """The reader and its candidates; unchanged candidates keep their reader, which caches tokens."""
        chosen = candidates(learned, self._fallback)
        if before is not None and before.candidates == chosen:
            return before.reader, chosen
        for note in chosen.notes:
            self._warn(note)
        if known := self._readers().get(chosen):
            return known, chosen
        return ColumnarReader(chosen.layouts, chosen.without_addresses), chosen


def _newer(one: LearnedFormats | None, other: LearnedFormats | None) -> LearnedFormats | None:
    return max((each for each in (one, other) if each), key=lambda each: each.at, default=None)
