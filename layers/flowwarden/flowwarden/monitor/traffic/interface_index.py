"""The interfaces that logged the flows of a batch, numbered from 0, and when their traffic was. Pure."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from flowwarden.records.columnar.flow_table import FlowTable
from flowwarden.records.columnar.tokenizer import Integers


class InterfaceIndex:
    """The interfaces of a batch. Most batches have one."""

    def __init__(self, flows: FlowTable) -> None:
        self._starts = flows["start"]
        numbers = flows["interface_id"]
        if len(numbers) and np.count_nonzero(numbers == numbers[0]) < len(numbers):
            # Marks tell which numbers there are faster than sorting does; -1 stands for no interface.
            marks = np.zeros(len(flows.texts) + 1, bool)
            marks[numbers + 1] = True
            found = marks.nonzero()[0] - 1
            self.of_row: Integers = (marks.cumsum() - 1)[numbers + 1]
        else:
            found = numbers[:1]
            self.of_row = np.zeros(len(numbers), np.int64)
        self.names: list[str | None] = [flows.text(number) for number in found.tolist()]
        """Their ids; None for flows of which the log format does not tell the interface."""

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def moments(self) -> Integers:
        """The median of each interface's starts (Unix seconds); -1 where no record tells one.

        With a median, a single record with a wrong time decides nothing.
        """
        moments = np.full(len(self), -1)
        if len(self) == 1:
            starts = np.sort(self._starts)
            starts = starts[starts.searchsorted(0) :]
            if len(starts):
                moments[0] = (starts[(len(starts) - 1) // 2] + starts[len(starts) // 2]) // 2
            return moments
        told = (self._starts >= 0).nonzero()[0]
        if not len(told):
            return moments
        starts, of_row = self._starts[told], self.of_row[told]
        starts = starts[np.lexsort((starts, of_row))]
        counts = np.bincount(of_row, minlength=len(self))
        ends = counts.cumsum()
        (some,) = counts.nonzero()
        begins, counts = (ends - counts)[some], counts[some]
        moments[some] = (starts[begins + (counts - 1) // 2] + starts[begins + counts // 2]) // 2
        return moments
