"""The flows of a batch as a table: a column for each attribute that the project reasons on.

Most flows of a batch are looked at only together with others: counted, summed, compared. A table holds them
as arrays of numbers, a few bytes for each attribute, and makes a Flow of the few that somebody wants to see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Self

import numpy as np
from msgspec import Struct

from flowwarden.records.fields import FIELDS, Kind
from flowwarden.records.model import FLOW_ATTRIBUTES, Flow, Gap, Malformed
from flowwarden.records.tokens import ABSENT, Integers, Mask
from flowwarden.records.vocabulary import WORDS, Vocabulary

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
        vocabulary: Vocabulary,
        flows: Callable[[Integers], Sequence[Flow]],
    ) -> None:
        """Take the columns, and what makes flows of row numbers."""
        self._columns = columns
        self._vocabulary = vocabulary
        self._flows = flows
        self._size = len(columns["srcaddr"])

    @classmethod
    def of(cls, flows: Sequence[Flow]) -> Self:
        """The table of flows that are there already."""
        vocabulary = Vocabulary()
        return cls(columns_of(flows, vocabulary), vocabulary, lambda rows: [flows[row] for row in rows])

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, attribute: str) -> Integers:
        """A column. Raises KeyError if no table has one for that attribute; see `COLUMNS`."""
        column = self._columns.get(attribute)
        if column is None:
            column = self._columns[attribute] = narrowed(attribute, np.full(self._size, ABSENT))
        return column

    @property
    def texts(self) -> Sequence[str]:
        """Texts by number."""
        return self._vocabulary.texts

    def text(self, number: int) -> str | None:
        """The text of a number of a column of texts, None for `ABSENT`."""
        return None if number == ABSENT else self._vocabulary.texts[number]

    @property
    def is_ipv6(self) -> Mask:
        """By number of a text: whether it is an IPv6 address, if it is an address."""
        return self._vocabulary.is_ipv6

    def flows(self, rows: Integers) -> Sequence[Flow]:
        """The flows in these rows."""
        return self._flows(rows)


class Table(Struct, frozen=True):
    """All that a batch of lines turned out to be; every line is in exactly one of the three."""

    flows: FlowTable
    gaps: list[Gap]
    malformed: list[Malformed]


def columns_of(flows: Sequence[Flow], vocabulary: Vocabulary) -> dict[str, Integers]:
    """The columns of flows, their texts numbered by a vocabulary."""
    return {
        attribute: narrowed(
            attribute,
            vocabulary.numbers([getattr(flow, attribute) for flow in flows])
            if kind in TEXT_KINDS
            else _plain_numbers([getattr(flow, attribute) for flow in flows]),
        )
        for attribute, kind in COLUMNS.items()
    }


def narrowed(attribute: str, column: Integers) -> Integers:
    """A column in as many bits as its kind needs."""
    return column if COLUMNS[attribute] in WIDE_KINDS else column.astype(np.int32)


def _plain_numbers(values: Iterable[int | None]) -> Integers:
    return np.array([ABSENT if value is None else value for value in values], np.int64)
