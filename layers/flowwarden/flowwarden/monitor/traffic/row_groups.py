"""Row groups: the rows of a batch behind each possible finding, so that the largest can be chosen first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from flowwarden.records.columnar.group_by import Groups
from flowwarden.records.columnar.tokenizer import Integers, Mask

MOST_FINDINGS: Final = 512
"""Maximum findings of a detector that a batch creates individually, the largest first. The others are only
counted: a batch can contain 100,000, and people read the first ones."""


class RowGroups:
    """Some groups of rows, in the order of their first rows."""

    def __init__(self, rows: Integers, groups: Groups, numbers: Integers, *, in_order: bool = False) -> None:
        """Take the groups to use.

        Args:
            rows: of the batch.
            groups: of the positions of these rows, in order.
            numbers: of the groups to use.
            in_order: whether the numbers are in the order of the groups' first rows.
        """
        self._rows = rows
        self._groups = groups
        self._numbers: Integers = (
            numbers if in_order else numbers[groups.rows[numbers].argsort(kind="stable")]
        )

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[Integers]:
        for number in self._numbers.tolist():
            yield self._rows[self._groups.members(number)]

    @property
    def leads(self) -> Integers:
        """The first row of each group."""
        leads: Integers = self._rows[self._groups.rows[self._numbers]]
        return leads

    def those(self, chosen: Mask) -> RowGroups:
        """The groups that are set in the mask, which has an element per group."""
        return self._some(self._numbers[chosen])

    def _some(self, numbers: Integers) -> RowGroups:
        return RowGroups(self._rows, self._groups, numbers, in_order=True)

    def any(self, of_row: Mask) -> Mask:
        """Which groups have any row that is set in the mask; the mask has an element for each row taken."""
        any_of: Mask = self._groups.any(of_row)[self._numbers]
        return any_of

    def split(self, most: int) -> tuple[RowGroups, RowGroups]:
        """The groups with most rows, of equal ones the first; and the others."""
        if len(self) <= most:
            return self, self._some(self._numbers[:0])
        order = (-self._groups.sizes[self._numbers]).argsort(kind="stable")
        chosen = np.zeros(len(self), bool)
        chosen[order[:most]] = True
        return self.those(chosen), self.those(~chosen)
