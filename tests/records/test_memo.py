"""The bounded memory of tokens."""

from __future__ import annotations

import pytest

from flowwarden.records.memo import LIMIT, LONGEST, Memo


def test_a_token_is_converted_on_first_sight_only() -> None:
    """That is what it is for."""
    seen: list[str] = []
    memo: Memo[None] = Memo(seen.append)
    for token in ("a", "b", "a", "a"):
        memo[token]
    assert seen == ["a", "b"]


def test_a_token_that_is_refused_is_refused_each_time() -> None:
    """Nothing of it is remembered."""
    memo = Memo(int)
    for _ in range(2):
        with pytest.raises(ValueError, match="invalid literal"):
            memo["x"]
    assert not memo


def test_it_holds_no_more_than_its_limit_and_answers_right_beyond_it() -> None:
    """A scan shows ever new addresses; a warm function lives for hours."""
    memo = Memo(int)
    assert [memo[str(n)] for n in range(2 * LIMIT + 10)] == list(range(2 * LIMIT + 10))
    assert len(memo) <= LIMIT
    assert memo["1"] == 1


def test_long_tokens_are_not_remembered() -> None:
    """They would fill the memory without being many."""
    memo = Memo(len)
    assert [memo["x" * n] for n in (LONGEST, LONGEST + 1)] == [LONGEST, LONGEST + 1]
    assert list(memo) == ["x" * LONGEST]
