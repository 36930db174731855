"""The interfaces that logged the flows of a batch, numbered from 0, and the times of their traffic. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from itertools import batched
from typing import Final

import numpy as np

from flowwarden.monitor.traffic.hosts import known_id
from flowwarden.network.interface import NetworkInterface
from flowwarden.records.columnar.flow_table import FlowTable
from flowwarden.records.columnar.tokenizer import Integers

TOGETHER: Final = 2048
"""Maximum flows that are created at once, of about 1 KB each: every line of a batch may be of another
interface."""


class InterfaceIndex:
    """The interfaces of a batch. Most batches have one."""

    def __init__(self, flows: FlowTable) -> None:
        self._starts = flows["start"]
        self._flows = flows
        numbers = flows["interface_id"]
        if len(numbers) and np.count_nonzero(numbers == numbers[0]) < len(numbers):
            # Marks find the distinct numbers faster than sorting; -1 stands for no interface.
            marks = np.zeros(len(flows.texts) + 1, bool)
            marks[numbers + 1] = True
            found = marks.nonzero()[0] - 1
            self.of_row: Integers = (marks.cumsum() - 1)[numbers + 1]
        else:
            found = numbers[:1]
            self.of_row = np.zeros(len(numbers), np.int64)
        self.names: list[str | None] = [flows.text(number) for number in found.tolist()]
        """Their ids; None for flows whose log format does not contain the interface."""

    def __len__(self) -> int:
        return len(self.names)

    def vpcs(self, described: Mapping[str, NetworkInterface]) -> Integers:
        """A number for the VPC of each row, within which an address belongs to one host only.

        It is the VPC of the row's interface, according to EC2 or to a record. If exactly one VPC is known,
        interfaces with an unknown VPC belong to it; otherwise they form a VPC of their own.
        """
        if len(self) <= 1:
            return np.zeros(len(self.of_row), np.int64)
        found = [described.get(name) if name else None for name in self.names]
        known = [each.vpc_id if each else "" for each in found]
        if places := [place for place, vpc in enumerate(known) if not vpc and self.names[place]]:
            _, rows = np.unique(self.of_row, return_index=True)
            for some in batched(places, TOGETHER, strict=False):
                for place, flow in zip(some, self._flows.flows(rows[[*some]]), strict=True):
                    known[place] = known_id(flow.vpc_id) or ""
        names = sorted(set(known) - {""})
        numbers = {vpc: number for number, vpc in enumerate(names)}
        rest = 0 if len(names) == 1 else len(names)
        return np.array([numbers.get(vpc, rest) for vpc in known], np.int64)[self.of_row]

    @cached_property
    def moments(self) -> Integers:
        """The median of each interface's start times (Unix seconds); -1 if no record has one.

        Because of the median, a single record with a wrong time has no effect.
        """
        moments = np.full(len(self), -1)
        if len(self) == 1:
            starts = np.sort(self._starts)
            starts = starts[starts.searchsorted(0) :]
            if len(starts):
                moments[0] = (starts[(len(starts) - 1) // 2] + starts[len(starts) // 2]) // 2
            return moments
        known = (self._starts >= 0).nonzero()[0]
        if not len(known):
            return moments
        starts, of_row = self._starts[known], self.of_row[known]
        starts = starts[np.lexsort((starts, of_row))]
        counts = np.bincount(of_row, minlength=len(self))
        ends = counts.cumsum()
        (some,) = counts.nonzero()
        begins, counts = (ends - counts)[some], counts[some]
        moments[some] = (starts[begins + (counts - 1) // 2] + starts[begins + counts // 2]) // 2
        return moments
