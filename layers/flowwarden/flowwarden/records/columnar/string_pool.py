"""Texts as numbers: a column of a table holds the number of each text, which is cheap to compare."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count, repeat
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from flowwarden.records.columnar.distinct import one_of_each
from flowwarden.records.columnar.tokenizer import ABSENT, MIX, Integers, Mask, Words
from flowwarden.records.fields import Kind
from flowwarden.records.model import Action, FlowDirection
from flowwarden.records.values import ABSENT as DASH

WORDS: Final[dict[Kind, type[Action | FlowDirection]]] = {Kind.ACTION: Action, Kind.DIRECTION: FlowDirection}
"""Kinds whose tokens are one of a few words."""

REMEMBERED: Final = 2**16
"""Texts that a vocabulary may have when a batch begins; beyond it a new one is begun."""

UNKNOWN: Final = -2
"""In place of a number: not remembered."""

type Question = Callable[[Sequence[str]], Sequence[int] | Integers | Mask]
"""Asked about texts; an answer from -1 upwards for each."""

MOST_QUESTIONS: Final = 16
"""Whose answers are kept, the last ones asked. Each VPC has two or three of its own, and an answer for each
text takes eight bytes."""

_SLOTS: Final = 2**15
_SHIFT: Final = np.uint64(64 - 15)


class StringPool:
    """Texts, each with a number. `ABSENT` is the number of None, and of a dash.

    Kept from batch to batch, since addresses repeat.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        """Texts by number."""
        self.short = ShortTexts()
        self._numbers: dict[str | None, int] = {None: ABSENT, DASH: ABSENT}
        self._answers: dict[Question, Answers] = {}
        for choices in WORDS.values():
            self.numbers(list(choices))

    def __getitem__(self, text: str | None) -> int:
        """The number of a text; a new one if it has none yet."""
        number = self._numbers.get(text)
        return int(self.numbers([text])[0]) if number is None else number

    def numbers(self, texts: Sequence[str | None]) -> Integers:
        """The numbers of some texts; those that have none yet get the next ones."""
        known = map(self._numbers.get, texts, repeat(UNKNOWN))
        numbers = np.fromiter(known, np.int64, len(texts))
        (unknown,) = (numbers == UNKNOWN).nonzero()
        if len(unknown):
            lacking = [texts[place] for place in unknown.tolist()]
            new = cast("dict[str, None]", dict.fromkeys(lacking))  # None has a number
            self._numbers.update(zip(new, count(len(self.texts)), strict=False))
            self.texts += new
            numbers[unknown] = [*map(self._numbers.__getitem__, lacking)]
        return numbers

    @property
    def is_full(self) -> bool:
        """Whether the next batch should begin a new vocabulary."""
        return len(self.texts) > REMEMBERED

    def answers(self, question: Question) -> Answers:
        """What a question is answered about texts; kept, so the question has to be the same each time."""
        answers = self._answers.pop(question, None)
        if answers is None:
            answers = Answers(self.texts, question)
        self._answers[question] = answers  # the last one now
        if len(self._answers) > MOST_QUESTIONS:
            del self._answers[next(iter(self._answers))]
        return answers


class Answers:
    """What a question is answered about texts, by their numbers. Each text is asked about once."""

    def __init__(self, texts: Sequence[str], question: Question) -> None:
        """Take texts by number, which may become more, and what is asked about them."""
        self._texts = texts
        self._question = question
        self._known: Integers = np.full(1, ABSENT)

    def of(self, numbers: Integers) -> Integers:
        """The answers about the texts that have these numbers; `ABSENT` about that of `ABSENT`."""
        if len(self._known) <= len(self._texts):
            self._grow()
        found: Integers = self._known[numbers]
        unknown = found == UNKNOWN
        if np.count_nonzero(unknown):
            self._ask(numbers[unknown])
            found = self._known[numbers]
        return found

    def _ask(self, numbers: Integers) -> None:
        """Ask about the texts of these numbers, each once: marks tell that faster than sorting does."""
        lowest = int(numbers.min())
        marks = np.zeros(int(numbers.max()) - lowest + 1, bool)
        marks[numbers - lowest] = True
        new = marks.nonzero()[0] + lowest
        self._known[new] = self._question([self._texts[number] for number in new.tolist()])

    def _grow(self) -> None:
        known = np.full(2 * len(self._texts) + 1, UNKNOWN)
        known[: len(self._known) - 1] = self._known[:-1]
        known[-1] = ABSENT  # where Python looks for the number -1
        self._known = known


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
        found = self._first.take(slots) == first
        found &= self._second.take(slots) == second
        numbers = self._numbers.take(slots).astype(np.int64)
        numbers[~found] = UNKNOWN
        return numbers

    def keep(self, first: Words, second: Words, numbers: Integers) -> None:
        """Remember the numbers of texts."""
        slots = _slots(first, second)
        one = one_of_each(slots, _SLOTS)  # of several for a slot, one
        self._first[slots], self._second[slots], self._numbers[slots] = first[one], second[one], numbers[one]


def _slots(first: Words, second: Words) -> NDArray[np.int64]:
    slots = first * MIX
    slots ^= second
    slots *= MIX
    slots >>= _SHIFT
    return slots.view(np.int64)


_FIRST: Final = StringPool()
ACCEPT: Final = _FIRST[Action.ACCEPT]
REJECT: Final = _FIRST[Action.REJECT]
INGRESS: Final = _FIRST[FlowDirection.INGRESS]
EGRESS: Final = _FIRST[FlowDirection.EGRESS]
"""The numbers that these words have in every vocabulary."""
