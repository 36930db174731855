"""Evidence: sets that only grow, so that order and repetition change nothing."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.state.sets import BUCKETS, adds_nothing, bucket, distinct, fingerprint, merged

SETS = st.dictionaries(
    st.sampled_from(["failed", "answered"]), st.frozensets(st.integers(0, BUCKETS - 1)), max_size=2
)


@given(st.lists(SETS, max_size=8), st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_merge_to_the_same(
    additions: list[dict[str, frozenset[int]]], random: Random
) -> None:
    """Whoever adds what when, and however often."""

    def whole(parts: list[dict[str, frozenset[int]]]) -> dict[str, frozenset[int]]:
        together: dict[str, frozenset[int]] = {}
        for each in parts:
            together = merged(together, each)
        return together

    shuffled = additions * 2
    random.shuffle(shuffled)
    assert whole(shuffled) == whole(additions)
    assert all(adds_nothing(each, whole(additions)) for each in additions)


@pytest.mark.parametrize("places", [1, 3, 12, 20, 60, 250])
def test_buckets_tell_how_many_places_were_tried(places: int) -> None:
    """Within four standard deviations of linear counting."""
    full = {bucket(f"10.0.{place // 250}.{place % 250}", 6, 443) for place in range(places)}
    assert abs(distinct(full) - places) <= max(1.5, 0.2 * places)


def test_full_buckets_are_more_than_can_be_told_and_none_are_none() -> None:
    """No division by nothing."""
    assert distinct(frozenset(range(BUCKETS))) > 1000
    assert distinct(frozenset()) == 0


def test_hashes_are_the_same_in_every_process() -> None:
    """Containers compare what they wrote; Python's own hash is another in each."""
    assert bucket("10.0.0.1", 6, 22) == 152
    assert fingerprint("out", 6, 443, "internet") == 150_209_916_404_924
    assert 0 <= fingerprint("x") < 2**48
