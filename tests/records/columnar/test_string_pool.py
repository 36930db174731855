"""Texts as numbers, with cached answers about them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from flowwarden.records.columnar.string_pool import MOST_QUESTIONS, StringPool
from flowwarden.records.columnar.tokenizer import ABSENT


def test_each_text_is_evaluated_once_and_only_on_demand() -> None:
    """Even if texts are added later, or other texts are not supported by the function."""
    vocabulary = StringPool()
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


def test_the_number_of_cached_questions_is_limited() -> None:
    """Each VPC has its own, and a container can serve hundreds; a repeated question has the same answer."""
    vocabulary = StringPool()
    numbers = vocabulary.numbers([str(number) for number in range(1000)])

    def ask(least: int) -> Sequence[bool]:
        answers = vocabulary.answers(questions[least])
        return [bool(each) for each in answers.of(numbers)]

    questions = [partial(_are_at_least, each) for each in range(3 * MOST_QUESTIONS)]
    for _ in range(2):
        for least in range(len(questions)):
            assert ask(least) == [number >= least for number in range(1000)]
    assert len(vocabulary.__dict__["_answers"]) == MOST_QUESTIONS


def _are_at_least(least: int, texts: Sequence[str]) -> list[bool]:
    return [int(text) >= least for text in texts]
