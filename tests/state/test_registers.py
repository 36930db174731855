"""Registers: an estimate of distinct values, whatever their order and repetition."""

from __future__ import annotations

import numpy as np
import pytest

from flowwarden.state.registers import REGISTERS, encoded, estimate, ranks


def values(count: int, first: int = 0) -> np.ndarray:
    """So many distinct values."""
    return np.arange(first, first + count, dtype=np.uint64)


@pytest.mark.parametrize("count", [1, 5, 50, 160, 1000, 20_000, 300_000])
@pytest.mark.parametrize("first", [0, 10**9, 2**60])
def test_an_estimate_is_close(count: int, first: int) -> None:
    """Within three standard deviations of 13 %."""
    found = estimate(encoded(ranks(values(count, first))))
    assert abs(found - count) <= max(1, 0.4 * count)


def test_parts_in_any_order_and_repeated_give_the_same_estimate() -> None:
    """The registers of batches merge as sets."""
    whole = estimate(encoded(ranks(values(3000))))
    parts = [encoded(ranks(values(100, first))) for first in range(0, 3000, 100)]
    assert estimate(frozenset().union(*parts[::-1], *parts)) == whole


def test_the_number_of_registers_is_bounded() -> None:
    """Whatever a batch contains; nothing is nothing."""
    assert len(ranks(values(100_000))) == REGISTERS
    assert ranks(values(0)) == {}
    assert estimate(()) == 0


def test_numbers_that_are_never_stored_do_no_harm() -> None:
    """Of a damaged item: registers that do not exist are ignored, and any rank is a number."""
    assert estimate({REGISTERS << 6 | 5}) == 0
    assert estimate({0, 63, 2**11 - 1}) >= 1
