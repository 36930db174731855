"""Reads plain lines into a table, a few thousand at once, and passes all other lines to the line reader.

A line is plain if its number of tokens matches exactly one log format, its tokens are separated by one space
each, and each token is valid for the kind of its field in AWS's form, or is a time in milliseconds. The line
reader handles all other lines: gaps, tabs, byte order marks, malformed lines. So this reader can be fast, and
only one place defines the meaning of a line. Tests verify that both return the same result for any line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from flowwarden.records.address_cache import AddressCache
from flowwarden.records.columnar.flow_table import COLUMNS, FlowTable, Table, columns_of, narrowed
from flowwarden.records.columnar.string_pool import UNKNOWN, WORDS, ShortTexts, StringPool
from flowwarden.records.columnar.tokenizer import ABSENT, LARGEST_NUMBER, Integers, Mask, Text, Tokens
from flowwarden.records.fields import Kind
from flowwarden.records.line_reader import LineReader
from flowwarden.records.log_format import LogFormat
from flowwarden.records.model import Flow, LogStatus, Records
from flowwarden.records.strict_layout import ENDPOINTS
from flowwarden.records.values import FIRST_MICROSECOND, FIRST_MILLISECOND, LONGEST_ENCODED, LONGEST_TEXT

CHUNK: Final = 3360
"""Lines read at once: few enough for their text and arrays to fit into the CPU cache."""

LARGEST_CHUNK: Final = 2**20
"""Characters read at once: each can temporarily take some thirty bytes, if no line is plain."""

SINGLY_AT_MOST: Final = 30_000
"""Lines of a batch that are read one by one: on the function's share of a core, they take some 5 s of its 40.
A delivery can contain eight times as many, and the page about unparsed lines must still be sent."""
FEW: Final = 160
"""Below this number, reading lines one by one is faster: 50 lines take two fifths of the time."""

_LARGEST: Final = {
    Kind.PORT: 65_535,
    Kind.PROTOCOL: 255,
    Kind.FLAGS: 255,
    Kind.SECONDS: FIRST_MICROSECOND - 1,
    Kind.COUNT: LARGEST_NUMBER,
    Kind.INTEGER: LARGEST_NUMBER,
}
_LONGEST: Final = {Kind.TEXT: LONGEST_TEXT, Kind.ENCODED_TEXT: LONGEST_ENCODED}
_NONE: Final = np.empty(0, np.int64)


class ColumnarReader:
    """Reads lines of one or several log formats into tables. Reuse a reader, like a LineReader."""

    def __init__(
        self,
        layouts: Sequence[LogFormat],
        without_addresses: Sequence[LogFormat] = (),
        singly: int = SINGLY_AT_MOST,
    ) -> None:
        """Prepare as LineReader does; `singly` lines of a batch are read one by one, see its `stream`."""
        self._reader = LineReader(layouts, without_addresses)
        self._singly = singly
        self.given = tuple(layouts), tuple(without_addresses), singly
        self._plans = [_Plan(layout) for layout in self._reader.alone]
        self._addresses = AddressCache()
        self.vocabulary = StringPool()

    def read(self, lines: Sequence[str]) -> Table:
        """Read lines with one record each. Plain flows come first, in order."""
        vocabulary = self.vocabulary
        parts: list[_Part] = []
        odd: list[int] = []
        for first, chunk in _chunks(lines):
            if len(chunk) < FEW:
                odd += range(first, first + len(chunk))
                continue
            rest = np.ones(len(chunk), bool)
            for part in self._plain(chunk, vocabulary):
                rest[part.lines] = False
                part.lines += first
                parts.append(part)
            odd += (np.flatnonzero(rest) + first).tolist()
        records = self._odd(lines, odd, parts)
        numbers = np.concatenate([_NONE, *(part.lines for part in parts)])
        origin = _Origin(self._reader, lines, numbers, records.flows)
        if records.flows or not parts:
            parts.append(_Part(np.arange(len(records.flows)), columns_of(records.flows, vocabulary)))
        if vocabulary.is_full:  # a loud batch takes its texts with it
            self.vocabulary = StringPool()
        return Table(FlowTable(_joined(parts), vocabulary, origin.flows), records.gaps, records.malformed)

    def _odd(self, lines: Sequence[str], odd: Sequence[int], parts: list[_Part]) -> Records:
        """Read the lines that are not plain, by their numbers, with the line reader.

        As objects, the flows of a loud batch take a kilobyte each. So only the last ones are returned as
        such; the others are added to the parts.
        """
        whole, places = Records([], [], []), list[int]()
        for part in self._reader.stream((lines[number] for number in odd), self._singly):
            whole.add(part.records)
            places += part.places
            if len(places) > CHUNK:
                numbers = np.array([odd[place] for place in places])
                parts.append(_Part(numbers, columns_of(whole.flows, self.vocabulary)))
                whole.flows.clear()
                places.clear()
        return whole

    def _plain(self, chunk: Sequence[str], vocabulary: StringPool) -> Iterator[_Part]:
        """The plain flows of each log format."""
        text = Text(chunk)
        for plan in self._plans:
            lines, tokens = text.tokens(plan.fields)
            if len(lines):
                reading = _Reading(tokens, vocabulary, self._addresses)
                columns = reading.read(plan)
                plain = np.flatnonzero(reading.valid)
                yield _Part(
                    lines[plain], {name: narrowed(name, column[plain]) for name, column in columns.items()}
                )


def _chunks(lines: Sequence[str], first: int = 0) -> Iterator[tuple[int, Sequence[str]]]:
    """Split lines into chunks; yields the number of lines before each chunk, and the chunk."""
    for begin in range(0, len(lines), CHUNK):
        chunk = lines[begin : begin + CHUNK]
        if sum(map(len, chunk)) <= LARGEST_CHUNK:
            yield first + begin, chunk
        else:
            middle = len(chunk) // 2
            for half, at in ((chunk[:middle], begin), (chunk[middle:], begin + middle)):
                if len(half) < FEW:
                    yield first + at, half
                else:
                    yield from _chunks(half, first + at)


class _Part(Struct):
    """Flows of one log format: the numbers of their lines, and the columns of the log format."""

    lines: Integers
    columns: dict[str, Integers]


def _joined(parts: Sequence[_Part]) -> dict[str, Integers]:
    """The columns of all parts; values that a part lacks are `ABSENT`."""
    if len(parts) == 1:
        return parts[0].columns
    names = [name for name in COLUMNS if any(name in part.columns for part in parts)]
    return {name: np.concatenate([_column(part, name) for part in parts]) for name in names}


def _column(part: _Part, name: str) -> Integers:
    column = part.columns.get(name)
    return narrowed(name, np.full(len(part.lines), ABSENT)) if column is None else column


class _Plan:
    """The positions of the fields of a log format, grouped by how they are read."""

    def __init__(self, layout: LogFormat) -> None:
        self.fields = len(layout.names)
        by_kind: defaultdict[Kind, list[int]] = defaultdict(list)
        for number, field in enumerate(layout.fields):
            by_kind[field.kind].append(number)
        self.attributes = [field.attribute for field in layout.fields]
        self.numbers = [number for kind in _LARGEST for number in by_kind[kind]]
        self.seconds = [at for at, number in enumerate(self.numbers) if number in by_kind[Kind.SECONDS]]
        self.largest = [_LARGEST[layout.fields[number].kind] for number in self.numbers]
        self.words = [(words, by_kind[kind]) for kind, words in WORDS.items() if by_kind[kind]]
        self.lengths = [(longest, by_kind[kind]) for kind, longest in _LONGEST.items() if by_kind[kind]]
        self.texts = [number for number in by_kind[Kind.TEXT] if self.attributes[number] in COLUMNS]
        self.status = by_kind[Kind.STATUS]
        self.ends = [self.attributes.index(name) for name in ENDPOINTS]
        self.packets_of = [place for place, name in enumerate(ENDPOINTS) if f"pkt_{name}" in self.attributes]
        self.packet_ends = [self.attributes.index(f"pkt_{ENDPOINTS[place]}") for place in self.packets_of]


class _Reading:
    """Lines of one log format while their columns are being read."""

    def __init__(self, tokens: Tokens, vocabulary: StringPool, addresses: AddressCache) -> None:
        self.valid: Mask = np.ones(tokens.length.shape[1], bool)
        """Whether each line is a plain flow, as far as it has been read."""
        self._tokens = tokens
        self._columns: dict[int, Integers] = {}
        self._vocabulary = vocabulary
        self._addresses = addresses

    def read(self, plan: _Plan) -> dict[str, Integers]:
        """Read all fields, and return the columns of a table."""
        if plan.numbers:
            values, valid = self._tokens.columns(plan.numbers).numbers(plan.largest)
            for row in plan.seconds:
                values[row][values[row] >= FIRST_MILLISECOND] //= 1000
            self._keep(plan.numbers, values, valid)
        for words, numbers in plan.words:
            self._read_words(tuple(words), numbers)
        for longest, numbers in plan.lengths:
            self._demand(self._tokens.length[numbers] <= longest)
        for number in plan.texts:
            self._read_text(number)
        self._read_addresses(plan)
        if plan.status:
            status = self._tokens.columns(plan.status)
            self._demand(status.are(LogStatus.OK) | status.are_dashes())
        named = ((plan.attributes[number], column) for number, column in self._columns.items())
        return {name: column for name, column in named if name in COLUMNS}

    def _demand(self, valid: Mask) -> None:
        self.valid &= valid.all(axis=0)

    def _keep(self, numbers: Sequence[int], values: Integers, valid: Mask) -> None:
        self._demand(valid)
        self._columns.update(zip(numbers, values, strict=True))

    def _read_words(self, words: Sequence[str], numbers: Sequence[int]) -> None:
        tokens = self._tokens.columns(numbers)
        values = np.full(tokens.length.shape, ABSENT)
        valid = tokens.are_dashes()
        for word in words:
            are = tokens.are(word)
            values += are * (self._vocabulary[word] - ABSENT)
            valid |= are
        self._keep(numbers, values, valid)

    def _read_text(self, number: int) -> None:
        """Read a text column. Often nearly all values are absent, so only the others are processed."""
        tokens = self._tokens[number]
        present = np.flatnonzero(~tokens.are_dashes())
        values = np.full(len(self.valid), ABSENT)
        if len(present) == len(self.valid) and (text := tokens.only_text()) is not None:
            values += self._vocabulary[text] - ABSENT
        elif len(present):
            found = self._numbered(tokens[present], self._vocabulary.ids)
            values[present] = found
            self.valid[present] &= found != UNKNOWN
        self._columns[number] = values

    def _read_addresses(self, plan: _Plan) -> None:
        """Read the addresses of the records, and those in the packets."""
        ends = self._tokens.columns(plan.ends)
        values = self._numbered(ends, self._vocabulary.short, self._addresses)
        self._keep(plan.ends, values, values != UNKNOWN)
        self._demand(values != ABSENT)
        if plan.packet_ends:
            packets = self._tokens.columns(plan.packet_ends)
            if plan.packets_of != [0, 1]:
                ends, values = ends[plan.packets_of], values[plan.packets_of]
            self._keep(plan.packet_ends, *self._packet_ends(packets, ends, values))

    def _packet_ends(self, packets: Tokens, ends: Tokens, numbers: Integers) -> tuple[Integers, Mask]:
        """The numbers of the packet addresses, and whether they are valid; most equal the record's."""
        values = numbers.copy()
        others = np.nonzero(~packets.same_as(ends))
        if len(others[0]):
            values[others] = self._numbered(packets[others], self._vocabulary.short, self._addresses)
        return values, values != UNKNOWN

    def _numbered(self, tokens: Tokens, cache: ShortTexts, addresses: AddressCache | None = None) -> Integers:
        """The numbers of texts; `UNKNOWN` if one is too long, or must be an address and is not."""
        words, fitting = tokens.short(cache.size)
        numbers = cache.find(words)
        numbers[~fitting] = UNKNOWN
        new = np.nonzero(numbers == UNKNOWN)
        if not len(new[0]):
            return numbers
        known, texts, valid = tokens[new].distinct()
        found = self._vocabulary.numbers(texts)
        if addresses and (refused := addresses.invalid(texts)):
            found[[text in refused for text in texts]] = UNKNOWN
        numbers[new] = np.where(valid, found[known], UNKNOWN)
        kept = fitting[new] & (numbers[new] != UNKNOWN)
        cache.keep([each[new][kept] for each in words], numbers[new][kept])
        return numbers


class _Origin(Struct, frozen=True):
    """The origin of the rows of a table, to create flows on request."""

    reader: LineReader
    lines: Sequence[str]
    numbers: Integers
    """Line numbers of the first rows."""
    kept: Sequence[Flow]
    """Flows of the other rows."""

    def flows(self, rows: Integers) -> list[Flow]:
        """The flows in these rows."""
        numbers = self.numbers[rows[rows < len(self.numbers)]]
        read = self.reader.read([self.lines[number] for number in numbers.tolist()]).flows
        if len(read) != len(numbers):
            raise AssertionError(f"the line reader read {len(read)} flows from {len(numbers)} lines of flows")
        made, beyond = iter(read), len(self.numbers)
        return [next(made) if row < beyond else self.kept[row - beyond] for row in rows.tolist()]
