"""What the digests say of an hour, as sets that only grow. Pure.

An hour is that of the records (UTC), and closed `GRACE` after its end. What is seen later counts in the
oldest hour that is not closed, so it is in the next digest.

No number is a counter: a batch that is processed twice would count twice. A group of findings has a mark for
each batch. The records of an internet host are stored as the largest power of two that a container has
counted; of several containers, the largest counts, so the number is a lower bound. The number of all hosts
and of all records is estimated (`state/registers.py`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum, StrEnum
from ipaddress import ip_address
from typing import Final, Self

import msgspec
from msgspec import Struct
from msgspec.structs import astuple

from flowwarden.state.schema import DIGESTS
from flowwarden.state.sets import DAY, HOUR, Sets, fingerprint

GRACE: Final = 900
"""Seconds: a window of 10 minutes, and the time until its records arrive."""
SETTLE: Final = 120
"""Seconds from the end of an hour's `GRACE` until it is read: writes on their way, and clocks that differ."""
DAY_SETTLE: Final = 1800
"""Seconds from the end of a day's last `GRACE` until the day is read: containers write what they have counted
of an hour after it is closed."""
HOURS: Final = DAY // HOUR

BATCHES, COUNTS, RECORDS, HOSTS = DIGESTS.sets
GROUPS, SOURCES, TARGETS = DIGESTS.texts

LONGEST: Final = 600
"""Characters of a stored text. A longer one was not stored by this code."""
_LONGEST_PART: Final = 128
_EXPONENT: Final = 40
_MARK: Final = 24
_COUNT: Final = 16
_DETECTOR: Final = re.compile(r"[a-z][a-z0-9-]{0,63}")

type Texts = Mapping[str, frozenset[str]]
"""Sets of texts by name."""


class Content(Struct, frozen=True):
    """What an item contains, or what is added to it."""

    numbers: Sets
    texts: Texts

    @property
    def size(self) -> int:
        """The number of its texts."""
        return sum(map(len, self.texts.values()))

    def __bool__(self) -> bool:
        return any(self.numbers.values()) or any(self.texts.values())

    def beyond(self, other: Content) -> Content:
        """What the other one does not contain."""
        none = frozenset[int](), frozenset[str]()
        return Content(
            {name: each - other.numbers.get(name, none[0]) for name, each in self.numbers.items()},
            {name: each - other.texts.get(name, none[1]) for name, each in self.texts.items()},
        )

    def joined(self, other: Content) -> Content:
        """The union of both."""
        numbers, texts = dict(self.numbers), dict(self.texts)
        for name, some in other.numbers.items():
            numbers[name] = numbers.get(name, frozenset()) | some
        for name, words in other.texts.items():
            texts[name] = texts.get(name, frozenset()) | words
        return Content(numbers, texts)


NOTHING: Final = Content({}, {})


class Digests(StrEnum):
    """Which digests the stack sends."""

    HOURLY_AND_DAILY = "hourly and daily"
    DAILY = "daily"
    NONE = "no"


class Kept(IntEnum):
    """Why a finding was not sent."""

    SUPPRESSED = 1
    MUTED = 2
    INHIBITED = 3


class Row(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A row as it is stored: a JSON array, so that no part can contain the separator."""

    @property
    def text(self) -> str:
        """The stored form."""
        return msgspec.json.encode(self).decode()

    @property
    def is_plausible(self) -> bool:
        """Whether this code can have stored it."""
        return True

    @classmethod
    def read(cls, texts: Iterable[str]) -> Iterator[Self]:
        """The rows that can be read, in a fixed order; others are ignored."""
        for text in sorted(texts):
            if len(text) > LONGEST:
                continue
            try:
                row = msgspec.json.decode(text, type=cls)
            except (msgspec.MsgspecError, UnicodeError, RecursionError):
                continue
            if row.is_plausible:
                yield row


class Group(Row, frozen=True, array_like=True):
    """Findings of one detector about one subject."""

    detector: str
    vpc: str
    """'' if the records do not name it."""
    subject: str
    """'' for findings that are only counted."""
    peer: str
    """The class of the other ends; '' if there are none."""
    service: str
    """Such as `tcp/22`; '' if the detector does not group by service."""
    report_only: bool = False
    """Whether it does not notify only because the detector is report-only."""

    @property
    def text(self) -> str:
        """The stored form; that of other findings is the same as before there were report-only detectors."""
        parts = astuple(self)
        return msgspec.json.encode(parts if self.report_only else parts[:-1]).decode()

    @property
    def is_plausible(self) -> bool:
        """Whether this code can have stored it."""
        parts = (self.vpc, self.subject, self.peer, self.service)
        return bool(_DETECTOR.fullmatch(self.detector)) and all(len(each) <= _LONGEST_PART for each in parts)

    def mark(self, batch: str) -> int:
        """The number that stands for the group in a batch."""
        return self.number << _MARK | short_hash(batch)

    @property
    def number(self) -> int:
        """24 bits of a hash."""
        return short_hash(self.text)


class Source(Row, frozen=True, array_like=True):
    """An internet host that was rejected."""

    address: str
    records: int
    """The exponent of a power of two."""
    tried: int
    """The same, of the ports that it tried in a batch."""
    ports: tuple[int, ...]
    """Some of them, see `port_number`."""

    @property
    def is_plausible(self) -> bool:
        """Whether this code can have stored it."""
        counts = all(0 <= each <= _EXPONENT for each in (self.records, self.tried))
        return counts and is_address(self.address) and all(0 <= each < 1 << 24 for each in self.ports)


class Target(Row, frozen=True, array_like=True):
    """A host of the account that rejected internet hosts."""

    host: str
    records: int
    """The exponent of a power of two."""

    @property
    def is_plausible(self) -> bool:
        """Whether this code can have stored it."""
        return is_address(self.host) and 0 <= self.records <= _EXPONENT


def is_address(text: str) -> bool:
    """Whether a text is an IP address without a zone, which could contain anything."""
    try:
        return "%" not in text and bool(ip_address(text))
    except ValueError:
        return False


def port_number(protocol: int, port: int) -> int:
    """A protocol and a port as one number; what the records do not contain counts as 0."""
    return max(protocol, 0) << 16 | max(port, 0)


def short_hash(text: str) -> int:
    """A 24-bit hash."""
    return fingerprint(text) >> _MARK


def exponent(count: int) -> int:
    """The exponent of the largest power of two that is not above a count of 1 or more."""
    return min(count.bit_length() - 1, _EXPONENT)


def count_number(kept: Kept, batch: str, count: int) -> int:
    """The number that stands for findings of a batch that were not sent."""
    return (kept << _MARK | short_hash(batch)) << _COUNT | min(count, (1 << _COUNT) - 1)


def key_of(hour: int) -> str:
    """The key of the item of an hour (since 1970)."""
    return DIGESTS.key_of(hour)


def hour_for(moment: int, now: int) -> int:
    """The hour in which records of a time count that are seen at `now` (both are Unix seconds)."""
    return max(min(moment, now) // HOUR, (now - GRACE) // HOUR)


def closes_at(hour: int) -> int:
    """When an hour is closed (Unix seconds)."""
    return (hour + 1) * HOUR + GRACE


def readable(now: int) -> int:
    """The latest hour whose groups can be read."""
    return (now - GRACE - SETTLE) // HOUR - 1


def readable_day(now: int) -> int:
    """The latest day that can be read."""
    return (now - GRACE - DAY_SETTLE) // DAY - 1


def writable_until(hour: int) -> int:
    """When the day of an hour is about to be read (Unix seconds)."""
    return (hour // HOURS + 1) * DAY + GRACE + DAY_SETTLE - SETTLE


def groups_of(content: Content, before: Content) -> dict[Group, int]:
    """The groups with the number of their batches; without batches that the hour before already has."""
    batches: defaultdict[int, int] = defaultdict(int)
    known = before.numbers.get(BATCHES, frozenset())
    for number in content.numbers.get(BATCHES, frozenset()) - known:
        batches[number >> _MARK] += 1
    rows = Group.read(content.texts.get(GROUPS, ()))
    return {each: batches[each.number] for each in rows if batches[each.number]}


def counts_of(content: Content, before: Content) -> dict[Kept, int]:
    """The findings that were not sent, by the reason; without batches that the hour before already has."""
    known = {number >> _COUNT for number in before.numbers.get(COUNTS, ())}
    most: dict[int, int] = {}
    for number in content.numbers.get(COUNTS, ()):
        batch, count = number >> _COUNT, number & (1 << _COUNT) - 1
        if batch not in known:
            most[batch] = max(most.get(batch, 0), count)
    found = dict.fromkeys(Kept, 0)
    for batch, count in most.items():
        if batch >> _MARK in found:
            found[Kept(batch >> _MARK)] += count
    return found
