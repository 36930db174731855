"""Texts as numbers: a column of a table contains the number of each text, which is cheap to compare."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
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

REMEMBERED: Final = 2**14
"""Maximum texts of a pool that is kept for the next batch, some megabytes; beyond it, a new one begins."""

UNKNOWN: Final = -2
"""In place of a number: not in the pool."""

type Question = Callable[[Sequence[str]], Sequence[int] | Integers | Mask]
"""A function of texts; returns a number of at least -1 for each."""

MOST_QUESTIONS: Final = 16
"""Maximum questions with cached answers, the most recent ones. Each VPC has two or three, and the answers
take eight bytes per text."""

_ADDRESS_BITS: Final = 15
_ID_BITS: Final = 13
"""The slots of the caches of addresses and of ids, as powers of two: at most 700 and 230 KB."""


class StringPool:
    """Texts, each with a number. `ABSENT` is the number of None, and of a dash.

    It is kept across batches, because addresses repeat.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        """Texts by number."""
        self.short = ShortTexts(2, _ADDRESS_BITS)
        """Addresses."""
        self._numbers: dict[str | None, int] = {None: ABSENT, DASH: ABSENT}
        self._answers: dict[Question, Answers] = {}
        for choices in WORDS.values():
            self.numbers(list(choices))

    @cached_property
    def ids(self) -> ShortTexts:
        """Ids of AWS. Most batches are about one interface, and do not need it."""
        return ShortTexts(3, _ID_BITS)

    def __getitem__(self, text: str | None) -> int:
        """The number of a text; adds the text if it is new."""
        number = self._numbers.get(text)
        return int(self.numbers([text])[0]) if number is None else number

    def numbers(self, texts: Sequence[str | None]) -> Integers:
        """The numbers of texts; adds new texts."""
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
        """Whether the next batch must use a new pool."""
        return len(self.texts) > REMEMBERED

    def answers(self, question: Question) -> Answers:
        """The answers to a question, cached by the question; so pass the same function object each time."""
        answers = self._answers.pop(question, None)
        if answers is None:
            answers = Answers(self.texts, question)
        self._answers[question] = answers  # now the most recent
        if len(self._answers) > MOST_QUESTIONS:
            del self._answers[next(iter(self._answers))]
        return answers


class Answers:
    """The answers to a question, by text number. Each text is evaluated once."""

    def __init__(self, texts: Sequence[str], question: Question) -> None:
        """Take the texts by number, which can grow, and the question."""
        self._texts = texts
        self._question = question
        self._known: Integers = np.full(1, ABSENT)

    def of(self, numbers: Integers) -> Integers:
        """The answers for the texts with these numbers; `ABSENT` for `ABSENT`."""
        if len(self._known) <= len(self._texts):
            self._grow()
        found: Integers = self._known[numbers]
        unknown = found == UNKNOWN
        if np.count_nonzero(unknown):
            self._ask(numbers[unknown])
            found = self._known[numbers]
        return found

    def _ask(self, numbers: Integers) -> None:
        """Evaluate the texts with these numbers, each once; a mask finds duplicates faster than sorting."""
        marks = np.zeros(len(self._texts), bool)
        marks[numbers] = True
        (new,) = marks.nonzero()
        self._known[new] = self._question([self._texts[number] for number in new.tolist()])

    def _grow(self) -> None:
        known = np.full(2 * len(self._texts) + 1, UNKNOWN)
        known[: len(self._known) - 1] = self._known[:-1]
        known[-1] = ABSENT  # the element at index -1
        self._known = known


class ShortTexts:
    """The numbers of short texts, by their characters as words of eight.

    A direct-mapped cache: each text has one slot, which contains its most recent text.
    """

    def __init__(self, size: int, bits: int) -> None:
        """Begin an empty cache of texts of at most so many words, with 2 to the power of `bits` slots."""
        self.size = size
        self._shift = np.uint64(64 - bits)
        self._words = [np.zeros(1 << bits, np.uint64) for _ in range(size)]
        self._numbers = np.full(1 << bits, UNKNOWN, np.int32)

    def find(self, words: Sequence[Words]) -> Integers:
        """The numbers of texts; `UNKNOWN` for those that are not cached."""
        slots = self._slots(words)
        found = self._words[0].take(slots) == words[0]
        for kept, some in zip(self._words[1:], words[1:], strict=True):
            found &= kept.take(slots) == some
        numbers = self._numbers.take(slots).astype(np.int64)
        numbers[~found] = UNKNOWN
        return numbers

    def keep(self, words: Sequence[Words], numbers: Integers) -> None:
        """Cache the numbers of texts."""
        slots = self._slots(words)
        one = one_of_each(slots, len(self._numbers))  # one of several texts for a slot
        for kept, some in zip(self._words, words, strict=True):
            kept[slots] = some[one]
        self._numbers[slots] = numbers[one]

    def _slots(self, words: Sequence[Words]) -> NDArray[np.int64]:
        slots = words[0] * MIX
        for some in words[1:]:
            slots ^= some
            slots *= MIX
        slots >>= self._shift
        return slots.view(np.int64)


_FIRST: Final = StringPool()
ACCEPT: Final = _FIRST[Action.ACCEPT]
REJECT: Final = _FIRST[Action.REJECT]
INGRESS: Final = _FIRST[FlowDirection.INGRESS]
EGRESS: Final = _FIRST[FlowDirection.EGRESS]
"""The numbers of these words in every pool."""
