"""Evidence: sets that only grow, so order and repetition do not matter."""

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
def test_any_order_and_repetition_merge_to_the_same_sets(
    additions: list[dict[str, frozenset[int]]], random: Random
) -> None:
    """Additions can be delayed or repeated by any invocation."""

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
def test_buckets_estimate_the_number_of_distinct_values(places: int) -> None:
    """Within four standard deviations of linear counting."""
    full = {bucket(f"10.0.{place // 250}.{place % 250}", 6, 443) for place in range(places)}
    assert abs(distinct(full) - places) <= max(1.5, 0.2 * places)


def test_full_buckets_have_a_finite_estimate_and_empty_ones_are_zero() -> None:
    """There is no division by zero."""
    assert distinct(frozenset(range(BUCKETS))) > 1000
    assert distinct(frozenset()) == 0


def test_hashes_are_the_same_in_every_process() -> None:
    """Containers compare stored hashes; Python's own hash differs between processes."""
    assert bucket("10.0.0.1", 6, 22) == 152
    assert fingerprint("out", 6, 443, "internet") == 150_209_916_404_924
    assert 0 <= fingerprint("x") < 2**48
