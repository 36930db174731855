"""Repeats: which of many hashes are the same, told without sorting them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_BITS: Final = 15
_SHIFT: Final = np.uint64(64 - _BITS)


def one_of_each(slots: NDArray[Any], count: int) -> NDArray[np.int64]:
    """For each of some slots, all below `count`, the row of one that is in the same slot."""
    rows = np.arange(len(slots))
    owners = np.empty(count, np.int64)
    owners[slots] = rows  # one row of each slot remains, whichever it is
    owner: NDArray[np.int64] = owners[slots]
    return owner


def places_of(hashes: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where one of each distinct hash is, and for each hash the number of this place.

    Hashes are well mixed in their upper bits.
    """
    if len(hashes) and (hashes == hashes[0]).all():
        return np.zeros(1, np.int64), np.zeros(len(hashes), np.int64)
    same = one_of_each(hashes >> _SHIFT, 1 << _BITS)
    (strangers,) = (hashes[same] != hashes).nonzero()
    if len(strangers):  # their slot is another's; few are, and these are sorted
        _, first, numbers = np.unique(hashes[strangers], return_index=True, return_inverse=True)
        same[strangers] = strangers[first][numbers]
    marks = np.zeros(len(hashes), bool)
    marks[same] = True
    return marks.nonzero()[0], (marks.cumsum() - 1)[same]
