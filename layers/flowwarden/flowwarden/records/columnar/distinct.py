"""Distinct numbers: finds equal ones without sorting."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_SPAN: Final = 16
"""How many times the length of an array its values may span, so that an array of marks is small."""
_BITS: Final = 15
_SHIFT: Final = np.uint64(64 - _BITS)


def different(numbers: NDArray[np.signedinteger[Any]]) -> NDArray[np.int64]:
    """The different integers, ascending. Those that lie close together are found without sorting."""
    numbers = numbers.astype(np.int64, copy=False)
    if not len(numbers):
        return numbers
    least = numbers.min()
    span = int(numbers.max()) - int(least) + 1
    if span > _SPAN * len(numbers):
        return np.unique(numbers)
    marks = np.zeros(span, bool)
    marks[numbers - least] = True
    found: NDArray[np.int64] = marks.nonzero()[0] + least
    return found


def one_of_each(slots: NDArray[Any], count: int) -> NDArray[np.int64]:
    """For each row, the last row with the same slot; slots are below `count`."""
    rows = np.arange(len(slots))
    owners = np.empty(count, np.int64)
    owners[slots] = rows  # of several rows with a slot, the last one remains
    owner: NDArray[np.int64] = owners[slots]
    return owner


def places_of(hashes: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The last position of each distinct hash, ascending, and for each hash the index of its position.

    So the order of the positions does not depend on the hashes, which differ in each process. The upper bits
    of the hashes must be well mixed.
    """
    if len(hashes) and (hashes == hashes[0]).all():
        return np.full(1, len(hashes) - 1), np.zeros(len(hashes), np.int64)
    same = one_of_each(hashes >> _SHIFT, 1 << _BITS)
    (collisions,) = (hashes[same] != hashes).nonzero()
    if len(collisions):  # a different hash has their slot; these are few, so they are sorted
        collisions = collisions[::-1]
        _, last, numbers = np.unique(hashes[collisions], return_index=True, return_inverse=True)
        same[collisions] = collisions[last][numbers]
    marks = np.zeros(len(hashes), bool)
    marks[same] = True
    return marks.nonzero()[0], (marks.cumsum() - 1)[same]
