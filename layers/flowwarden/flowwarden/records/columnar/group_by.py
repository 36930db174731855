"""Groups: rows with equal values in some columns, found by sorting one number that combines the values."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from flowwarden.records.columnar.tokenizer import Integers, Mask

type Keys = NDArray[Any]
"""A number per row: 64-bit integers, or Python integers if 64 bits are too few."""

_LARGEST: Final = 2**63 - 1
_ONE: Final = np.zeros(1, np.int64)
_ONE.setflags(write=False)  # it is part of many groups


def packed(columns: Sequence[Integers], sizes: Sequence[int]) -> Keys:
    """One number per row that combines its values in all columns.

    Args:
        columns: values, at least -1; so the numbers may be negative.
        sizes: for each column, an exclusive upper bound of its values.
    """
    if not len(columns[0]):
        return columns[0].astype(np.int64)
    room = 1
    for size in sizes:
        room *= size + 1
    keys: Keys = columns[0].astype(np.int64 if room <= _LARGEST else object)
    for column, size in zip(columns[1:], sizes[1:], strict=True):
        keys *= size + 1
        keys += column
    return keys


class Groups:
    """Rows grouped by equal keys."""

    def __init__(self, keys: Keys, *, ordered: bool = False) -> None:
        """Group rows by their keys.

        Args:
            keys: a number per row.
            ordered: whether the rows of a group keep their order, so that `rows` and `members` do not depend
                on how texts are numbered. This is slower.
        """
        if len(keys) <= 1:  # as most selections of a batch; sorting them takes as long as sorting a few rows
            self._order = self._starts = _ONE[: len(keys)]
            self.keys = keys
            return
        self._order = keys.argsort(kind="stable" if ordered else None)
        in_order = keys[self._order]
        changes = np.empty(len(keys), bool)
        changes[:1] = True
        np.not_equal(in_order[1:], in_order[:-1], out=changes[1:])
        (self._starts,) = changes.nonzero()
        self.keys = in_order[self._starts]
        """The key of each group, ascending."""

    def __len__(self) -> int:
        return len(self._starts)

    @property
    def rows(self) -> Integers:
        """One row of each group."""
        return self._order[self._starts]

    @cached_property
    def sizes(self) -> Integers:
        """The number of rows in each group."""
        sizes = np.empty_like(self._starts)
        sizes[:-1] = self._starts[1:]
        sizes[-1:] = len(self._order)
        sizes -= self._starts
        return sizes

    @cached_property
    def numbers(self) -> Integers:
        """For each row, the number of its group."""
        numbers = np.empty_like(self._order)
        numbers[self._order] = np.arange(len(self)).repeat(self.sizes)
        return numbers

    def members(self, group: int) -> Integers:
        """The rows of a group."""
        end = self._starts[group + 1] if group + 1 < len(self._starts) else None
        return self._order[self._starts[group] : end]

    def sums(self, values: Integers) -> NDArray[Any]:
        """The sum of each group's non-negative values; as Python integers if 64 bits may be too few."""
        largest = int(values.max(initial=0))
        if largest * len(values) > _LARGEST:
            values = values.astype(object)
        return self._reduced(np.add, values)

    def ored(self, values: Integers) -> Integers:
        """The bitwise OR of each group's values."""
        return self._reduced(np.bitwise_or, values)

    def any(self, values: Mask) -> Mask:
        """Whether any of each group's values is true."""
        return self._reduced(np.logical_or, values)

    def of(self, keys: Keys) -> tuple[Integers, Mask]:
        """For each key, the number of its group, and whether there is one."""
        if not len(self):
            return np.zeros(len(keys), np.int64), np.zeros(len(keys), bool)
        numbers = np.minimum(np.searchsorted(self.keys, keys), len(self) - 1)
        return numbers, np.asarray(self.keys[numbers] == keys, bool)

    def _reduced(self, how: np.ufunc, values: NDArray[Any]) -> NDArray[Any]:
        if not len(self):
            return values[:0]
        return how.reduceat(values[self._order], self._starts)
