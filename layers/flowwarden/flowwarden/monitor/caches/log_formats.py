"""Which layouts the lines of a log group are read by: learned from EC2, shared by all containers.

Container → state table → EC2 → fallback, in this order; each lasts as long as the constants below say. What
cannot be learned never fails a batch: lines are read by what was learned before, or by the fallback.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from flowwarden.errors import LogFormatsUnavailable, StateUnavailable
from flowwarden.monitor.ports import LogFormats, LogFormatStore
from flowwarden.records.columnar.reader import ColumnarReader
from flowwarden.records.format_choice import Candidates, Learned, candidates
from flowwarden.records.line_reader import LineReader
from flowwarden.records.log_format import LogFormat

VALID_SECONDS = 3600
"""How long what was learned is trusted: a format that has another one's fields in another order is noticed
by nothing but a new look."""
WAIT_SECONDS = 300
"""EC2 is asked at most once in this time about a log group, by all containers together: it throttles easily,
and lines that never fit must not make every batch ask. A new flow log writes its first lines minutes after
it is made, so nothing is missed."""
SOON_SECONDS = 30
"""When to look into the state table again while another container asks EC2."""


class CachedFormats(Struct, frozen=True):
    """What is known of a log group."""

    reader: ColumnarReader
    candidates: Candidates
    learned: Learned | None
    look_again: int
    """Unix seconds: from then on the entry is too old to be trusted."""
    ask_again: int
    """Unix seconds: before, lines that do not fit are no reason to look."""
    unavailable: bool
    """Whether the last look failed, so that the entry may be out of date."""


class LogFormatCache:
    """Knows by which layouts the lines of a log group are read. One for a container."""

    def __init__(
        self,
        formats: LogFormats,
        memory: LogFormatStore,
        fallback: Sequence[LogFormat],
        tell: Callable[[str], None],
    ) -> None:
        """Begin with nothing known.

        Args:
            formats: asks EC2.
            memory: the state table.
            fallback: the configured layout and the default one, for when nothing can be learned.
            tell: takes what a person should know, such as a field that is not known.

        Raises:
            LogFormatError: a layout of the fallback cannot be read.
        """
        LineReader(fallback)  # a wrong setting is to show at once
        self._formats = formats
        self._memory = memory
        self._fallback = tuple(fallback)
        self._tell = tell
        self._entries: dict[str, CachedFormats] = {}

    def entry(self, log_group: str, now: int) -> CachedFormats:
        """The entry of a log group; `now` is Unix seconds.

        Costs nothing while the entry is trusted, then one read of the state table, and a call to EC2 if all
        that is known there is too old.
        """
        entry = self._entries.get(log_group)
        if entry is None or now >= entry.look_again:
            entry = self._look(log_group, now, now - VALID_SECONDS)
        return entry

    def renewed(self, log_group: str, now: int) -> CachedFormats:
        """The entry again, because lines did not fit it; with another reader if there is news.

        Costs nothing while it is too early to ask again.
        """
        entry = self.entry(log_group, now)
        if now < entry.ask_again:
            return entry
        return self._look(log_group, now, entry.learned.at if entry.learned else 0)

    def _look(self, log_group: str, now: int, too_old: int) -> CachedFormats:
        """Make the entry anew, from something learned after `too_old` (Unix seconds) if that can be had."""
        before = self._entries.get(log_group)
        learned = before.learned if before else None
        unavailable = False
        try:
            learned = _newer(learned, self._memory.recall(log_group))
            if learned is not None and learned.at > too_old:
                again = learned.at + VALID_SECONDS, learned.at + WAIT_SECONDS
            elif self._memory.take_turn(log_group, now, WAIT_SECONDS):
                learned = Learned.of(self._formats.written_into(log_group), now)
                again = now + VALID_SECONDS, now + WAIT_SECONDS
                self._keep(log_group, learned)
            else:
                again = now + SOON_SECONDS, now + SOON_SECONDS
        except (LogFormatsUnavailable, StateUnavailable) as error:
            self._tell(f"the log formats of {log_group} cannot be learned now, so they may be old: {error}")
            unavailable = True
            again = now + WAIT_SECONDS, now + WAIT_SECONDS
        entry = CachedFormats(*self._reader(before, learned), learned, *again, unavailable)
        self._entries[log_group] = entry
        return entry

    def _keep(self, log_group: str, learned: Learned) -> None:
        try:
            self._memory.keep(log_group, learned)
        except StateUnavailable as error:
            # This container knows; the others ask for themselves.
            self._tell(f"the log formats of {log_group} could not be kept: {error}")

    def _reader(
        self, before: CachedFormats | None, learned: Learned | None
    ) -> tuple[ColumnarReader, Candidates]:
        """The reader, and what it reads; the one before, which remembers tokens, if nothing changed."""
        chosen = candidates(learned, self._fallback)
        if before is not None and before.candidates == chosen:
            return before.reader, chosen
        for note in chosen.notes:
            self._tell(note)
        return ColumnarReader(chosen.layouts, chosen.blind), chosen


def _newer(one: Learned | None, other: Learned | None) -> Learned | None:
    return max((each for each in (one, other) if each), key=lambda each: each.at, default=None)
