"""The interfaces of an archive: from a file, or learned from the lines themselves.

The lines show an interface's addresses, subnet and instance, but neither its tags nor its security groups.
They do not show whether it still exists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from flowwarden.network.interface import NetworkInterface
from flowwarden.records.columnar.flow_table import FlowTable
from flowwarden.records.columnar.group_by import Groups
from flowwarden.records.columnar.reader import ColumnarReader
from flowwarden.records.columnar.tokenizer import ABSENT, Integers
from flowwarden.records.model import FlowDirection
from flowwarden.records.strict_layout import ENDPOINTS
from flowwarden.replay.timed import Layouts

MOST_ADDRESSES: Final = 64
"""An interface with more addresses forwards the traffic of others, so that none is known to be its own."""
LEAST_SHARE: Final = 0.5
"""Without the direction: of the records that no other own address explains, the share in which an address
must occur to be an own one."""


class LearnedInterfaces:
    """Implements `monitor.ports.InterfaceDirectory`."""

    def __init__(self, described: Mapping[str, NetworkInterface]) -> None:
        """Take the interfaces that are described; the others are learned when they are asked for."""
        self._described = described
        self._learned: dict[str, NetworkInterface] = {}
        self._readers: dict[Layouts, ColumnarReader] = {}
        self._current: tuple[Layouts, Sequence[str]] = (), ()
        self._is_read = True

    @property
    def learned(self) -> int:
        """The number of interfaces that were learned from the lines."""
        return len(self._learned)

    def begin(self, layouts: Layouts, lines: Sequence[str]) -> None:
        """Begin with the lines of a batch, from which interfaces that are asked for can be learned."""
        self._current, self._is_read = (layouts, lines), False

    def describe(self, interface_ids: Sequence[str]) -> Mapping[str, NetworkInterface]:
        """See the port."""
        if not self._is_read and any(not self._is_known(each) for each in interface_ids):
            self._learn()
        return {each: found for each in interface_ids if (found := self._found(each)) is not None}

    def _found(self, interface_id: str) -> NetworkInterface | None:
        return self._described.get(interface_id) or self._learned.get(interface_id)

    def _is_known(self, interface_id: str) -> bool:
        return self._found(interface_id) is not None

    def _learn(self) -> None:
        layouts, lines = self._current
        self._is_read = True
        reader = self._readers.setdefault(layouts, _reader(layouts))
        new = interfaces_of(reader.read(lines).flows, self._is_known)
        self._learned |= {each.interface_id: each for each in new}


def _reader(layouts: Layouts) -> ColumnarReader:
    readable = [each for each in layouts if set(ENDPOINTS) <= set(each.names)]
    return ColumnarReader(readable, [each for each in layouts if each not in readable])


def interfaces_of(
    flows: FlowTable, is_known: Callable[[str], bool] = lambda _: False
) -> Iterator[NetworkInterface]:
    """The interfaces that logged these flows and are not known, as far as the flows show them."""
    column = flows["interface_id"]
    found = np.unique(column[column != ABSENT]).tolist()
    new = [number for number in found if not is_known(flows.text(number) or "")]
    rows = np.flatnonzero(np.isin(column, new))
    groups = Groups(column[rows], ordered=True)
    for group in range(len(groups)):
        if described := _Interface(flows, rows[groups.members(group)]).described():
            yield described


class _Interface(Struct, frozen=True):
    """The flows of one interface."""

    flows: FlowTable
    rows: Integers

    def described(self) -> NetworkInterface | None:
        """The interface; None if its addresses are not certain."""
        own = self._own()
        if not own:
            return None
        (flow,) = self.flows.flows(self.rows[:1])
        return NetworkInterface(
            interface_id=self._text("interface_id"),
            vpc_id=flow.vpc_id or "",
            subnet_id=self._text("subnet_id"),
            addresses=tuple(self.flows.text(each) or "" for each in own)
            if len(own) <= MOST_ADDRESSES
            else (),
            instance_id=self._text("instance_id"),
            # Nothing shows whether it still exists, so it is never reported as silent.
            active=False,
        )

    def _text(self, attribute: str) -> str:
        """The value that some flow has; '' if none has one."""
        values = self.flows[attribute][self.rows]
        known = values[values != ABSENT]
        return (self.flows.text(int(known[0])) or "") if len(known) else ""

    def _own(self) -> list[int]:
        """The text numbers of its own addresses, most frequent first."""
        source, target = (self.flows[name][self.rows] for name in ENDPOINTS)
        direction = self.flows["flow_direction"][self.rows]
        if (direction != ABSENT).all():
            names = {each: self.flows.text(each) for each in np.unique(direction).tolist()}
            egress = [number for number, name in names.items() if name == FlowDirection.EGRESS]
            return _by_count(np.where(np.isin(direction, egress), source, target))
        return list(_covering(source, target))


def _by_count(addresses: Integers) -> list[int]:
    values, counts = np.unique(addresses, return_counts=True)
    return [int(each) for each in values[np.argsort(-counts, kind="stable")].tolist()]


def _covering(source: Integers, target: Integers) -> Iterator[int]:
    """The addresses, of which one is at an end of nearly every record: nothing if two are as frequent."""
    rest = np.ones(len(source), bool)
    while rest.any():
        values, counts = np.unique(np.concatenate([source[rest], target[rest]]), return_counts=True)
        best = int(counts.max())
        leaders = values[counts == best]
        if len(leaders) > 1 or best < LEAST_SHARE * int(rest.sum()):
            return
        rest &= (source != leaders[0]) & (target != leaders[0])
        yield int(leaders[0])
