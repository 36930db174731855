"""Sums of records in a bounded set: right on average, whatever the order, repetition and partition."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from statistics import mean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.monitor.traffic.record_sizes import Volume, bounded, place_number, records_of, sized
from flowwarden.state.schema import MOST_RECORDS, STORED_RECORDS, UPLOADS
from flowwarden.state.sets import Addition, Sets, merged
from tests.examples import examples

(NAME,) = UPLOADS.sets
GIGABYTE = 10**9


def numbers(count: int, size: int, seed: int = 1, hour: int = 7, place: int = 5) -> list[int]:
    """This number of records of a size."""
    random = Random(seed)  # noqa: S311 -- draws records, not secrets
    return [sized(random.getrandbits(48), place, hour, size) for _ in range(count)]


def stored(parts: list[list[int]]) -> Sets:
    """What an item contains after these additions."""
    known: Sets = {NAME: frozenset()}
    for part in parts:
        added = bounded(Addition("key", {NAME: frozenset(part)}, 0), known)
        known = merged(known, added.sets)
    return known


def test_a_number_contains_hour_place_and_size() -> None:
    """In 48 bits."""
    number = sized(2**48 - 1, place_number(2**40 + 77), 23, 10**9)
    record = records_of(np.array([number]))
    assert (record.hour.tolist(), record.place.tolist()) == ([23], [77])
    assert record.size == pytest.approx(10**9, rel=0.045)
    assert number.bit_length() <= UPLOADS.bits == 48


@pytest.mark.matrix(3)
@pytest.mark.parametrize("size", [4_000_000, 16_000_000, 10**12])
@pytest.mark.parametrize("count", [100, 2000, 20_000])
def test_the_sum_of_many_records_is_right_on_average(count: int, size: int) -> None:
    """Of the whole, and of a part; a bounded set stands for them."""
    sums, parts = [], []
    for seed in range(8):
        volume = Volume([*numbers(count, size, seed), *numbers(count // 4, size, seed + 100, hour=8)])
        sums.append(volume.total())
        parts.append(volume.total(lambda each: each.hour == 8))
    assert mean(sums) == pytest.approx(size * count * 1.25, rel=0.09)
    assert mean(parts) == pytest.approx(size * count / 4, rel=0.2)


MANY = [*numbers(1000, 4_000_000), *numbers(400, 50_000_000, 2)]


@examples(0.5)
@given(st.randoms(use_true_random=False), st.lists(st.integers(0, 1500), max_size=5))
def test_which_records_count_is_independent_of_batches(random: Random, cuts: list[int]) -> None:
    """Repeated, shuffled, in parts: the same sum as of all records at once."""
    every = [*MANY]
    ends = [0, *sorted(cut for cut in cuts if cut < len(every)), len(every)]
    Random(cuts[0] if cuts else 0).shuffle(every)  # noqa: S311 -- the same for the same example
    parts = [every[a:b] for a, b in pairwise(ends)] * 2
    random.shuffle(parts)
    together = stored(parts)
    assert Volume(together[NAME]).total() == pytest.approx(Volume(every).total())
    assert len(together[NAME]) < STORED_RECORDS


def test_an_item_is_bounded() -> None:
    """Of growing records each displaces another; no more than a limit is stored."""
    growing = [[sized(1, 0, 0, 4_000_000 * 2**each)] for each in range(40)]
    assert len(stored(growing * 2)[NAME]) <= 40
    many = [numbers(MOST_RECORDS, 10**7 * 2**each, each) for each in range(20)]
    assert len(stored(many)[NAME]) <= STORED_RECORDS + MOST_RECORDS
    few = stored([numbers(30_000, GIGABYTE)])[NAME]
    assert len(few) == MOST_RECORDS + 1
