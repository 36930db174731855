"""What a container has seen of the hours of the digests, and what of it is not in the state table yet.

An hour is written once, after it is closed, because each write is billed for the whole item: for ordinary
noise that is one write unit an hour. What must not be lost with the container is written at once, and again
after `WRITE_SECONDS`: groups of findings, and very active internet hosts. Memory is bounded: what has fewest
records is left out, so the numbers are lower bounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from flowwarden.state.digests import (
    BATCHES,
    COUNTS,
    GROUPS,
    HOSTS,
    NOTHING,
    RECORDS,
    SOURCES,
    TARGETS,
    Content,
    Group,
    Row,
    Source,
    Target,
    closes_at,
    exponent,
    port_number,
    writable_until,
)
from flowwarden.state.registers import encoded

WRITE_SECONDS: Final = 600
"""Seconds between two writes of an hour by a container, before the hour is closed."""
LAST_SECONDS: Final = 300
"""Seconds before an hour is closed in which a container writes the number of batches of its groups."""
NOTABLE: Final = 1024
"""Records of an internet host from which on it is written at once."""
NOTABLE_PORTS: Final = 64
"""Ports in a batch from which on it is."""
FEW: Final = 4
"""Internet hosts of an hour that a container stores even if they are below `WORTH`."""
WORTH: Final = 128
"""Records, or ports in a batch times 8, from which on more of them are stored, up to `MOST_SOURCES`."""
MOST_GROUPS: Final = 64
"""Maximum groups of an hour that a container stores."""
MOST_MARKS: Final = 32
"""Maximum batches of a group, and five times as many of findings that were not sent."""
MOST_SOURCES: Final = 32
"""Maximum internet hosts of an hour that a container stores, those with most records first."""
MOST_PORTS: Final = 8
"""Maximum ports of each; half of them if it tried fewer in each batch."""
MOST_TARGETS: Final = 6
"""Maximum targets of an hour that a container stores."""
MOST_REMEMBERED: Final = 2048
"""Hosts that a container counts; beyond twice as many, those with fewest records are forgotten."""
MOST_BATCHES: Final = 4096
"""Batches that a container knows to have counted."""
MOST_TEXTS: Final = 1000
"""Texts of an item, at most about 100 KB. Once an hour has so many, no container adds texts."""


class SeenSource(Struct, frozen=True):
    """An internet host that a batch rejects."""

    address: str
    records: int
    tried: int
    """Distinct ports, by protocol."""
    ports: tuple[tuple[int, int], ...]
    """(protocol, port), those with most records first."""


class Seen(Struct, frozen=True, kw_only=True):
    """What a batch contributes to the digests."""

    batch: str
    groups: tuple[Group, ...] = ()
    counts: frozenset[int] = frozenset()
    """See `state.digests.count_number`."""
    sources: tuple[SeenSource, ...] = ()
    targets: tuple[tuple[str, int], ...] = ()
    """(host, records)."""
    hosts: dict[int, int] = {}
    """Registers of the internet hosts."""
    records: dict[int, int] = {}
    """Registers of their records."""

    def __bool__(self) -> bool:
        return bool(self.groups or self.counts or self.sources)


class HourOfDigest:
    """What a container has seen of one hour."""

    def __init__(self, hour: int) -> None:
        self.hour = hour
        self._batches: dict[str, None] = {}
        self._groups: dict[Group, set[int]] = {}
        self._counts: set[int] = set()
        self._sources: dict[str, int] = {}
        self._tried: dict[str, int] = {}
        self._ports: dict[str, dict[tuple[int, int], None]] = {}
        self._targets: dict[str, int] = {}
        self._hosts: dict[int, int] = {}
        self._records: dict[int, int] = {}
        self._written = NOTHING
        self._is_full = False
        self.is_new = False
        """Whether a batch was added since the last write."""
        self._is_urgent = False
        self._write_at = 0

    def see(self, seen: Seen) -> None:
        """Add what a batch contributes, once."""
        if not seen or seen.batch in self._batches:
            return
        # What was not sent is shown beside groups only, so it is no reason for a write.
        self.is_new = self.is_new or bool(seen.groups or seen.sources)
        self._batches[seen.batch] = None
        if len(self._batches) > MOST_BATCHES:
            del self._batches[next(iter(self._batches))]
        for group in seen.groups:
            self._is_urgent = self._is_urgent or group not in self._groups
            if self._has_room(group):
                _add(self._groups.setdefault(group, set()), group.mark(seen.batch), MOST_MARKS)
        for count in seen.counts:
            _add(self._counts, count, 5 * MOST_MARKS)
        for source in seen.sources:
            self._see_source(source)
        for host, records in seen.targets:
            self._targets[host] = self._targets.get(host, 0) + records
        if len(self._targets) > 2 * MOST_REMEMBERED:
            self._targets = _largest(self._targets)
        _raise(self._hosts, seen.hosts)
        _raise(self._records, seen.records)

    def _has_room(self, group: Group) -> bool:
        """Whether a group is stored. One of a report-only detector replaces another that has fewest batches.

        The digest is the only message about it, and ordinary noise alone can fill the hour.
        """
        if group in self._groups or len(self._groups) < MOST_GROUPS:
            return True
        others = [each for each in self._groups if not each.report_only] if group.report_only else []
        if others:
            del self._groups[min(others, key=lambda each: len(self._groups[each]))]
        return bool(others)

    def _see_source(self, source: SeenSource) -> None:
        address = source.address
        before, tried = self._sources.get(address, 0), self._tried.get(address, 0)
        self._sources[address], self._tried[address] = before + source.records, max(tried, source.tried)
        is_notable = _is_notable(self._sources[address], source.tried) and not _is_notable(before, tried)
        self._is_urgent = self._is_urgent or is_notable
        known = self._ports.setdefault(address, {})
        for port in source.ports:
            if len(known) < MOST_PORTS:
                known[port] = None
        if len(self._sources) > 2 * MOST_REMEMBERED:
            self._sources = _largest(self._sources)
            self._tried = {each: self._tried[each] for each in self._sources}
            self._ports = {each: self._ports[each] for each in self._sources}

    def move_groups(self, other: HourOfDigest) -> None:
        """Move the groups, and what was not sent, to another hour, as far as they are not written."""
        batches, counts = (self._written.numbers.get(each, frozenset()) for each in (BATCHES, COUNTS))
        for group, marks in self._groups.items():
            for mark in sorted(marks - batches):  # if not all have room, always the same ones
                _add(other._groups.setdefault(group, set()), mark, MOST_MARKS)
                other.is_new = other._is_urgent = True
        for count in sorted(self._counts - counts):
            _add(other._counts, count, 5 * MOST_MARKS)
        self._groups, self._counts = {}, set()

    def unwritten(self, now: int) -> Content:
        """What to write now; nothing if no write is due."""
        if not self._is_due(now):
            return NOTHING
        is_closed = now >= closes_at(self.hour)
        content = self._content(whole=is_closed).beyond(self._written)
        if is_closed:
            self.is_new = bool(content)
        return content

    def _is_due(self, now: int) -> bool:
        closes = closes_at(self.hour)
        if not self.is_new or now >= closes:
            return self.is_new
        is_last = bool(self._groups) and now >= closes - LAST_SECONDS
        return now >= self._write_at and (self._is_urgent or is_last)

    def mark_written(self, content: Content, stored: Content, now: int) -> None:
        """Note that the item now contains this content, and all of `stored`."""
        self._written = self._written.joined(content)
        self._is_urgent = False
        self.is_new = now < closes_at(self.hour)
        self._is_full = stored.size >= MOST_TEXTS
        self._write_at = now + WRITE_SECONDS

    def _content(self, *, whole: bool) -> Content:
        """All of it, or only what is written before the hour is closed."""
        marks = (mark for each in self._groups.values() for mark in each)
        numbers = {
            BATCHES: frozenset(marks),
            COUNTS: frozenset(self._counts if self._groups else ()),
            HOSTS: encoded(self._hosts if whole else {}),
            RECORDS: encoded(self._records if whole else {}),
        }
        return Content(numbers, {} if self._is_full else self._texts(whole=whole))

    def _texts(self, *, whole: bool) -> dict[str, frozenset[str]]:
        rows: Mapping[str, Iterable[Row]] = {
            GROUPS: self._groups,
            SOURCES: self._source_rows(whole=whole),
            TARGETS: self._target_rows() if whole else (),
        }
        return {name: frozenset(each.text for each in some) for name, some in rows.items()}

    def _source_rows(self, *, whole: bool) -> Iterator[Source]:
        for rank, (address, count) in enumerate(_largest(self._sources, MOST_SOURCES).items()):
            tried = self._tried[address]
            is_worth = rank < FEW or max(count, 8 * tried) >= WORTH
            if is_worth if whole else _is_notable(count, tried):
                some = list(self._ports[address])[: MOST_PORTS if tried >= MOST_PORTS else MOST_PORTS // 2]
                ports = tuple(sorted(port_number(*each) for each in some))
                yield Source(address, exponent(count), exponent(tried), ports)

    def _target_rows(self) -> Iterator[Target]:
        most = _largest(self._targets, MOST_TARGETS)
        return (Target(host, exponent(count)) for host, count in most.items())


class DigestCache:
    """The hours that this container has seen and not written completely."""

    def __init__(self) -> None:
        self._hours: dict[int, HourOfDigest] = {}

    def of(self, hour: int, now: int) -> HourOfDigest:
        """An hour that is not closed at `now` (Unix seconds).

        Groups of a closed hour that were not written move to it. The rest of a closed hour can still be
        written until its day is closed, for the daily digest.
        """
        found = self._hours.setdefault(hour, HourOfDigest(hour))
        for each in [each for each in self._hours.values() if closes_at(each.hour) <= now]:
            each.move_groups(found)
            if not each.is_new or writable_until(each.hour) <= now:
                del self._hours[each.hour]
        return found

    @property
    def hours(self) -> list[HourOfDigest]:
        """All of them, the oldest first."""
        return [self._hours[each] for each in sorted(self._hours)]


def _is_notable(records: int, tried: int) -> bool:
    return records >= NOTABLE or tried >= NOTABLE_PORTS


def _add(marks: set[int], mark: int, most: int) -> None:
    if len(marks) < most:
        marks.add(mark)


def _raise(known: dict[int, int], found: dict[int, int]) -> None:
    for register, rank in found.items():
        known[register] = max(known.get(register, 0), rank)


def _largest(counts: dict[str, int], most: int = MOST_REMEMBERED) -> dict[str, int]:
    """The entries with the largest counts, largest first; the same ones in every container."""
    return {each: counts[each] for each in sorted(counts, key=lambda each: (-counts[each], each))[:most]}
