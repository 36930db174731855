"""Groups: rows with equal values in some columns, and aggregates of each group."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.records.columnar.group_by import Groups, packed

SIZES = (4, 3)
ROWS = st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, 2), st.integers(0, 2**40)))


@given(ROWS, st.sampled_from([(4, 3), (2**40, 2**40)]))
def test_groups_are_the_rows_with_equal_values(
    rows: list[tuple[int, int, int]], sizes: tuple[int, int]
) -> None:
    """Also if the numbers exceed 64 bits."""
    columns = np.array(rows, np.int64).reshape(-1, 3)
    groups = Groups(packed([columns[:, 0], columns[:, 1]], sizes))
    expected: dict[tuple[int, int], list[int]] = defaultdict(list)
    for one, other, number in rows:
        expected[one, other].append(number)
    found = [rows[row][:2] for row in groups.rows]
    assert sorted(found) == sorted(expected)
    assert [found[number] for number in groups.numbers.tolist()] == [row[:2] for row in rows]
    assert groups.sizes.tolist() == [len(expected[key]) for key in found]
    assert groups.sums(columns[:, 2]).tolist() == [sum(expected[key]) for key in found]
    assert groups.any(columns[:, 2] > 2**39).tolist() == [max(expected[key]) > 2**39 for key in found]


@given(st.lists(st.integers(0, 3), max_size=200), st.permutations(range(4)))
def test_rows_of_a_group_keep_their_order_for_any_numbering_of_keys(
    kinds: list[int], numbers: list[int]
) -> None:
    """So the first row of a group is the same in every container, although text numbers differ."""
    groups = Groups(np.array([numbers[kind] for kind in kinds], np.int64), ordered=True)
    found = {kinds[row]: groups.members(number).tolist() for number, row in enumerate(groups.rows.tolist())}
    assert found == {kind: [row for row, each in enumerate(kinds) if each == kind] for kind in set(kinds)}


def test_a_sum_beyond_64_bits_is_exact() -> None:
    """Counts have up to 63 bits each."""
    groups = Groups(np.zeros(3, np.int64))
    assert groups.sums(np.full(3, 2**63 - 1)).tolist() == [3 * (2**63 - 1)]


def test_a_key_is_found_only_if_it_has_a_group() -> None:
    """Below, between and above the existing keys."""
    groups = Groups(np.array([5, 3, 5]))
    numbers, found = groups.of(np.array([1, 3, 4, 5, 9]))
    assert found.tolist() == [False, True, False, True, False]
    assert groups.keys[numbers[found]].tolist() == [3, 5]


@pytest.mark.parametrize("keys", [[], [1, 2]])
def test_no_rows_have_no_groups(keys: list[int]) -> None:
    """No key is found among them."""
    groups = Groups(np.zeros(0, np.int64))
    assert len(groups) == 0
    assert groups.of(np.array(keys, np.int64))[1].tolist() == [False] * len(keys)
    assert groups.sums(np.zeros(0, np.int64)).tolist() == []
