"""Texts as numbers: a column of a table holds the number of each text, which is cheap to compare."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flowwarden.records.fields import Kind
from flowwarden.records.model import Action, FlowDirection
from flowwarden.records.tokens import ABSENT, MIX, Integers, Words
from flowwarden.records.values import ABSENT as DASH

WORDS: Final[dict[Kind, type[Action | FlowDirection]]] = {Kind.ACTION: Action, Kind.DIRECTION: FlowDirection}
"""Kinds whose tokens are one of a few words."""

REMEMBERED: Final = 2**16
"""Texts that a vocabulary may have when a batch begins; beyond it a new one is begun."""

UNKNOWN: Final = -2
"""In place of a number: not remembered."""

_SLOTS: Final = 2**15
_SHIFT: Final = np.uint64(64 - 15)


class Vocabulary:
    """Texts, each with a number. `ABSENT` is the number of None, and of a dash.

    Kept from batch to batch, since addresses repeat.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        """Texts by number."""
        self.short = ShortTexts()
        self._numbers: dict[str | None, int] = {None: ABSENT, DASH: ABSENT}
        self._is_ipv6 = np.zeros(0, bool)
        for choices in WORDS.values():
            self.numbers(list(choices))

    def __getitem__(self, text: str | None) -> int:
        """The number of a text; a new one if it has none yet."""
        return int(self.numbers([text])[0])

    def numbers(self, texts: Sequence[str | None]) -> Integers:
        """The numbers of some texts; those that have none yet get the next ones."""
        numbers = [*map(self._numbers.get, texts)]
        if None in numbers:
            new = [text for text in dict.fromkeys(texts) if text is not None and text not in self._numbers]
            self._numbers.update(zip(new, count(len(self.texts)), strict=False))
            self.texts += new
            numbers = [*map(self._numbers.get, texts)]
        return np.array(numbers, np.int64)

    @property
    def is_full(self) -> bool:
        """Whether the next batch should begin a new vocabulary."""
        return len(self.texts) > REMEMBERED

    @property
    def is_ipv6(self) -> NDArray[np.bool_]:
        """By number: whether the text is an IPv6 address, if it is an address."""
        new = self.texts[len(self._is_ipv6) :]
        if new:
            self._is_ipv6 = np.concatenate((self._is_ipv6, [":" in text for text in new]))
        return self._is_ipv6


class ShortTexts:
    """The numbers of texts of at most 16 characters by these characters, as two words.

    A cache as processors have them: each text has one slot, and the one that came last is remembered.
    """

    def __init__(self) -> None:
        self._first = np.zeros(_SLOTS, np.uint64)
        self._second = np.zeros(_SLOTS, np.uint64)
        self._numbers = np.full(_SLOTS, UNKNOWN, np.int32)

    def find(self, first: Words, second: Words) -> Integers:
        """The numbers of texts; `UNKNOWN` for those that are not remembered."""
        slots = _slots(first, second)
        found = self._first[slots] == first
        found &= self._second[slots] == second
        numbers = self._numbers[slots].astype(np.int64)
        numbers[~found] = UNKNOWN
        return numbers

    def keep(self, first: Words, second: Words, numbers: Integers) -> None:
        """Remember the numbers of texts."""
        slots, one = np.unique(_slots(first, second), return_index=True)  # of several for a slot, one
        self._first[slots], self._second[slots], self._numbers[slots] = first[one], second[one], numbers[one]


def _slots(first: Words, second: Words) -> Words:
    return ((first * MIX) ^ second) * MIX >> _SHIFT


_FIRST: Final = Vocabulary()
ACCEPT: Final = _FIRST[Action.ACCEPT]
REJECT: Final = _FIRST[Action.REJECT]
INGRESS: Final = _FIRST[FlowDirection.INGRESS]
EGRESS: Final = _FIRST[FlowDirection.EGRESS]
"""The numbers that these words have in every vocabulary."""
