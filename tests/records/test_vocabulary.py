"""Texts as numbers, and what is known of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from flowwarden.records.tokens import ABSENT
from flowwarden.records.vocabulary import Vocabulary


def test_each_text_is_asked_about_once_and_only_if_it_is_looked_up() -> None:
    """Also when there are more texts than before, and texts that the question does not suit."""
    vocabulary = Vocabulary()
    asked: list[str] = []

    def digits(texts: Sequence[str]) -> Sequence[int]:
        asked.extend(texts)
        return [int(text) for text in texts]

    answers = vocabulary.answers(digits)
    numbers = vocabulary.numbers(["7", None, "no number", "7", "12"])
    assert answers.of(numbers[[0, 1, 3]]).tolist() == [7, ABSENT, 7]
    more = vocabulary.numbers([str(number) for number in range(100)])
    assert answers.of(more).tolist() == [*range(100)]
    assert answers.of(np.array([[*numbers[:2]], [*numbers[3:]]])).tolist() == [[7, ABSENT], [7, 12]]
    assert sorted(asked) == sorted(map(str, range(100)))
    assert vocabulary.answers(digits) is answers
