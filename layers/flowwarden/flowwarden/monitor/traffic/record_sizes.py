"""Sizes of records in a set of numbers: repeated deliveries of a record do not change the sum.

Each number has a hash of the record in its upper bits and the logarithm of its size in its lower bits. A
counter would grow with every repeated delivery. The sum is accurate to a few hundredths.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import log2
from typing import Final

_SIZE_BITS: Final = 9
_STEPS: Final = 8
"""Steps per doubling."""
ACCURACY: Final = 0.045
"""Of a size: half a step."""
_MASK: Final = (1 << _SIZE_BITS) - 1


def sized(identity: int, size: int) -> int:
    """A record with this hash and this size in bytes, at least 1; identical for the same record."""
    return identity >> _SIZE_BITS << _SIZE_BITS | min(round(_STEPS * log2(size)), _MASK)


def largest_first(numbers: Iterable[int]) -> list[int]:
    """The records, ordered by size."""
    return sorted(numbers, key=lambda each: (-(each & _MASK), each))


def total(numbers: Iterable[int]) -> float:
    """The total size of these records in bytes, approximately."""
    return sum(2 ** ((number & _MASK) / _STEPS) for number in numbers)
