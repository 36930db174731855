"""The flows of a batch as a table: a column for each attribute that the project reasons on.

Most flows of a batch are looked at only together with others: counted, summed, compared. A table holds them
as arrays of numbers, a few bytes for each attribute, and makes a Flow of the few that somebody wants to see.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, Self

import numpy as np
from msgspec import Struct

from flowwarden.records.columnar.string_pool import WORDS, Answers, Question, StringPool
from flowwarden.records.columnar.tokenizer import ABSENT, Integers
from flowwarden.records.fields import FIELDS, Kind
from flowwarden.records.log_format import LogFormat
from flowwarden.records.model import FLOW_ATTRIBUTES, Flow, Gap, Malformed

_OWNERS: Final = ("account_id", "vpc_id")
"""Asked of single flows only, so there are no columns for them."""

COLUMNS: Final = {
    field.attribute: field.kind
    for field in FIELDS
    if field.attribute in FLOW_ATTRIBUTES and field.attribute not in _OWNERS
}
"""The attributes that a table has columns for, with the kinds of their fields."""

WIDE_KINDS: Final = frozenset({Kind.COUNT, Kind.SECONDS, Kind.INTEGER})
"""Kinds whose columns need 64 bits a number; the others have 32."""

TEXT_KINDS: Final = frozenset({Kind.TEXT, Kind.ADDRESS, *WORDS})
"""Kinds whose columns hold numbers of texts."""


class FlowTable:
    """The flows of a batch, by column and one by one.

    A column has one integer for each flow, of 32 or 64 bits: the number, or the number of the text in
    `texts`; `ABSENT` where the layout lacks the field or the record has a dash.
    """

    def __init__(
        self,
        columns: dict[str, Integers],
        vocabulary: StringPool,
        flows: Callable[[Integers], Sequence[Flow]],
    ) -> None:
        """Take the columns, and what makes flows of row numbers."""
        self._columns = columns
        self._absent: dict[type[np.signedinteger], Integers] = {}
        self._vocabulary = vocabulary
        self._flows = flows
        self._size = len(columns["srcaddr"])

    @classmethod
    def of(cls, flows: Sequence[Flow]) -> Self:
        """The table of flows that are there already."""
        vocabulary = StringPool()
        return cls(columns_of(flows, vocabulary), vocabulary, lambda rows: [flows[row] for row in rows])

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, attribute: str) -> Integers:
        """A column. Raises KeyError if no table has one for that attribute; see `COLUMNS`."""
        column = self._columns.get(attribute)
        if column is not None:
            return column
        width = _width(attribute)
        if width not in self._absent:
            self._absent[width] = np.full(self._size, ABSENT, width)
        return self._absent[width]

    @property
    def texts(self) -> Sequence[str]:
        """Texts by number."""
        return self._vocabulary.texts

    def text(self, number: int) -> str | None:
        """The text of a number of a column of texts, None for `ABSENT`."""
        return None if number == ABSENT else self._vocabulary.texts[number]

    def has(self, attribute: str) -> bool:
        """Whether any layout of the batch has the column; without it all of it is `ABSENT`."""
        return attribute in self._columns

    def answers(self, question: Question) -> Answers:
        """What a question is answered about the texts of columns; see `StringPool.answers`."""
        return self._vocabulary.answers(question)

    def flows(self, rows: Integers) -> Sequence[Flow]:
        """The flows in these rows."""
        return self._flows(rows)


class Table(Struct, frozen=True):
    """All that a batch of lines turned out to be; every line is in exactly one of the three."""

    flows: FlowTable
    gaps: list[Gap]
    malformed: list[Malformed]


def columns_of(flows: Sequence[Flow], vocabulary: StringPool) -> dict[str, Integers]:
    """The columns of flows that any of their layouts has, their texts numbered by a vocabulary.

    All that is of one kind is made at once: a batch may be a line or two, and then every array costs more
    than what is in it.
    """
    columns: dict[str, Integers] = {}
    for names, width, is_text in _columns_in(frozenset({type(flow): flow.layout for flow in flows}.values())):
        values = [getattr(flow, name) for name in names for flow in flows]
        numbers = vocabulary.numbers(values) if is_text else _plain_numbers(values)
        columns.update(zip(names, numbers.astype(width, copy=False).reshape(len(names), -1), strict=True))
    return columns


@lru_cache
def _columns_in(layouts: frozenset[LogFormat]) -> list[_Alike]:
    """The attributes that any of some layouts has, by what is alike."""
    present = {field.attribute for layout in layouts for field in layout.fields} | {"srcaddr", "dstaddr"}
    return [
        (found, width, is_text)
        for names, width, is_text in _ALIKE
        if (found := [name for name in names if name in present])
    ]


def narrowed(attribute: str, column: Integers) -> Integers:
    """A column in as many bits as its kind needs."""
    return column.astype(_width(attribute), copy=False)


def _width(attribute: str) -> type[np.signedinteger]:
    return np.int64 if COLUMNS[attribute] in WIDE_KINDS else np.int32


type _Alike = tuple[list[str], type[np.signedinteger], bool]
"""Attributes whose columns are alike, the type of these, and whether they hold texts."""

_ALIKE: Final[list[_Alike]] = [
    ([name for name, kind in COLUMNS.items() if kind in kinds], width, is_text)
    for kinds, width, is_text in (
        (TEXT_KINDS, np.int32, True),
        (WIDE_KINDS, np.int64, False),
        (frozenset(COLUMNS.values()) - TEXT_KINDS - WIDE_KINDS, np.int32, False),
    )
]


def _plain_numbers(values: Sequence[int | None]) -> Integers:
    return np.fromiter([ABSENT if value is None else value for value in values], np.int64, len(values))
