"""Distinct hashes: equal hashes are found, even if different hashes share slots."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from flowwarden.records.columnar.distinct import different, one_of_each, places_of

HASHES = st.lists(
    st.integers(0, 2**64 - 1) | st.sampled_from([0, 1, 2, 2**64 - 1]), max_size=60
)  # small values share a slot


@given(HASHES)
def test_each_hash_maps_to_the_position_of_an_equal_hash(hashes: list[int]) -> None:
    """The positions have different hashes."""
    values = np.array(hashes, np.uint64)
    places, numbers = places_of(values)
    assert (values[places][numbers] == values).all()
    assert len(set(values[places].tolist())) == len(places) == len(set(hashes))


@example([7, 7])
@given(HASHES)
def test_the_positions_depend_on_equality_alone(hashes: list[int]) -> None:
    """They are the last ones, in order, whatever slots the hashes have: each process hashes differently."""
    places, _ = places_of(np.array(hashes, np.uint64))
    assert places.tolist() == sorted({each: place for place, each in enumerate(hashes)}.values())


@given(st.lists(st.integers(-1, 40) | st.sampled_from([-(2**62), 2**62]), max_size=40))
def test_each_different_number_is_found_once(numbers: list[int]) -> None:
    """In ascending order, whether they are close together or not."""
    assert different(np.array(numbers, np.int64)).tolist() == sorted(set(numbers))


@given(st.lists(st.integers(0, 7), max_size=40))
def test_one_row_is_chosen_for_each_slot(slots: list[int]) -> None:
    """It is the same for all rows of the slot."""
    chosen = one_of_each(np.array(slots, np.int64), 8)
    assert [slots[row] for row in chosen.tolist()] == slots
    assert len(set(chosen.tolist())) == len(set(slots))
