"""The flows of a batch as a table: one column per attribute that the project uses.

Most flows of a batch are only counted, summed and compared. A table stores them as arrays of numbers, a few
bytes per attribute, and creates Flow objects only on request.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from typing import Final, Self

import numpy as np
from msgspec import Struct

from flowwarden.records.columnar.string_pool import WORDS, Answers, Question, StringPool
from flowwarden.records.columnar.tokenizer import ABSENT, Integers
from flowwarden.records.fields import FIELDS, Kind
from flowwarden.records.log_format import LogFormat
from flowwarden.records.model import FLOW_ATTRIBUTES, Flow, Gap, Malformed

_OWNERS: Final = ("account_id", "vpc_id")
"""Used for single flows only, so there are no columns for them."""

COLUMNS: Final = {
    field.attribute: field.kind
    for field in FIELDS
    if field.attribute in FLOW_ATTRIBUTES and field.attribute not in _OWNERS
}
"""The attributes with columns, and the kinds of their fields."""

WIDE_KINDS: Final = frozenset({Kind.COUNT, Kind.SECONDS, Kind.INTEGER})
"""Kinds whose columns need 64-bit numbers; the others have 32-bit numbers."""

TEXT_KINDS: Final = frozenset({Kind.TEXT, Kind.ADDRESS, *WORDS})
"""Kinds whose columns contain text numbers."""


class FlowTable:
    """The flows of a batch, by column and one by one.

    A column has one integer per flow, of 32 or 64 bits: the value, or the index of the text in `texts`;
    `ABSENT` if the log format lacks the field or the record has a dash.
    """

    def __init__(
        self,
        columns: dict[str, Integers],
        vocabulary: StringPool,
        flows: Callable[[Integers], Sequence[Flow]],
    ) -> None:
        """Take the columns, the texts, and a function that creates the flows for row numbers."""
        self._columns = columns
        self._all = {**columns}
        """With the columns of attributes that no log format of the batch has, as far as they were needed."""
        self._vocabulary = vocabulary
        self._flows = flows
        self._size = len(columns["srcaddr"])

    @classmethod
    def of(cls, flows: Sequence[Flow]) -> Self:
        """A table from existing flows."""
        vocabulary = StringPool()
        return cls(columns_of(flows, vocabulary), vocabulary, lambda rows: [flows[row] for row in rows])

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, attribute: str) -> Integers:
        """A column. Raises KeyError if the attribute is not in `COLUMNS`."""
        try:  # not a call: a batch of some lines reads a hundred columns
            return self._all[attribute]
        except KeyError:
            return self._lacking(attribute)

    def _lacking(self, attribute: str) -> Integers:
        """The column of an attribute that no log format of the batch has; one for all of the same width."""
        width = _width(attribute)
        absent = (each for name, each in self._all.items() if name not in self._columns)
        column = next((each for each in absent if each.dtype == width), None)
        self._all[attribute] = np.full(self._size, ABSENT, width) if column is None else column
        return self._all[attribute]

    @property
    def texts(self) -> Sequence[str]:
        """Texts by number."""
        return self._vocabulary.texts

    def text(self, number: int) -> str | None:
        """The text for a number in a text column; None for `ABSENT`."""
        return None if number == ABSENT else self._vocabulary.texts[number]

    def has(self, attribute: str) -> bool:
        """Whether any log format of the batch has the column; if not, all its values are `ABSENT`."""
        return attribute in self._columns

    @property
    def span(self) -> tuple[int, int] | None:
        """The earliest start and the latest end (Unix seconds); None if no record contains a start."""
        starts = self["start"]
        starts = starts[starts != ABSENT]
        if not len(starts):
            return None
        first, last = int(starts.min()), int(starts.max())
        return first, max(last, int(self["end"].max()))

    def answers(self, question: Question) -> Answers:
        """The cached answers to a question about the texts; see `StringPool.answers`."""
        return self._vocabulary.answers(question)

    def flows(self, rows: Integers) -> Sequence[Flow]:
        """The flows in these rows."""
        return self._flows(rows)


class Table(Struct, frozen=True):
    """The records of a batch of lines; every line is in exactly one of the three."""

    flows: FlowTable
    gaps: list[Gap]
    malformed: list[Malformed]


def columns_of(flows: Sequence[Flow], vocabulary: StringPool) -> dict[str, Integers]:
    """The columns of flows that occur in any of their log formats, with texts numbered by a string pool.

    Columns of the same type are built together, because in a batch of a line or two each array costs more
    than its content.
    """
    columns: dict[str, Integers] = {}
    for names, width, is_text in _columns_in(frozenset({type(flow): flow.layout for flow in flows}.values())):
        values = [*chain.from_iterable(map(attrgetter(name), flows) for name in names)]
        numbers = vocabulary.numbers(values) if is_text else _plain_numbers(values)
        columns.update(zip(names, numbers.astype(width, copy=False).reshape(len(names), -1), strict=True))
    return columns


@lru_cache
def _columns_in(layouts: frozenset[LogFormat]) -> list[_Alike]:
    """The attributes that occur in any of the log formats, grouped by column type."""
    present = {field.attribute for layout in layouts for field in layout.fields} | {"srcaddr", "dstaddr"}
    return [
        (found, width, is_text)
        for names, width, is_text in _ALIKE
        if (found := [name for name in names if name in present])
    ]


def narrowed(attribute: str, column: Integers) -> Integers:
    """A column converted to the number of bits that its kind needs."""
    return column.astype(_width(attribute), copy=False)


def _width(attribute: str) -> type[np.signedinteger]:
    return np.int64 if COLUMNS[attribute] in WIDE_KINDS else np.int32


type _Alike = tuple[list[str], type[np.signedinteger], bool]
"""Attributes whose columns have the same type, this type, and whether they contain texts."""

_ALIKE: Final[list[_Alike]] = [
    ([name for name, kind in COLUMNS.items() if kind in kinds], width, is_text)
    for kinds, width, is_text in (
        (TEXT_KINDS, np.int32, True),
        (WIDE_KINDS, np.int64, False),
        (frozenset(COLUMNS.values()) - TEXT_KINDS - WIDE_KINDS, np.int32, False),
    )
]


def _plain_numbers(values: Sequence[int | None]) -> Integers:
    known = [ABSENT if value is None else value for value in values] if None in values else values
    return np.fromiter(known, np.int64, len(values))
