"""The most frequent keys in bounded memory."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from flowwarden.replay.heaviest import Heaviest

COUNTS = st.lists(st.dictionaries(st.integers(0, 40), st.integers(1, 50), max_size=12), max_size=20)


@given(COUNTS, st.integers(2, 12))
def test_a_count_is_never_too_high_and_too_low_by_at_most_what_is_missed(
    batches: list[dict[int, int]], most: int
) -> None:
    """Also that of a key that is not held at all."""
    heaviest, exact = Heaviest[int](most), Counter[int]()
    for batch in batches:
        heaviest.add(batch)
        exact.update(batch)
    held = heaviest.top(100)
    assert len(held) <= most
    for key, count in exact.items():
        assert held.get(key, 0) <= count <= held.get(key, 0) + heaviest.missed


def test_counts_are_exact_as_long_as_all_keys_fit() -> None:
    """Then nothing is missed."""
    heaviest = Heaviest[str](3)
    heaviest.add({"a": 1, "b": 5})
    heaviest.add({"a": 1, "c": 3})
    assert heaviest.top(2) == {"b": 5, "c": 3}
    assert heaviest.missed == 0
