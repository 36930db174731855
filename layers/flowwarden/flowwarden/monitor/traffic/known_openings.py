"""Connections that began before a batch, to ports that the role is known to connect to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from flowwarden.monitor.baseline.baseline import Edge
from flowwarden.monitor.baseline.profile import RoleProfile
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.traffic.interface_index import InterfaceIndex
from flowwarden.monitor.traffic.new_egress import MOST_READ, recent
from flowwarden.network.addresses import CLASSES
from flowwarden.network.direction import Directions
from flowwarden.network.services import TCP
from flowwarden.records.columnar.group_by import Groups, Keys, packed
from flowwarden.records.columnar.tokenizer import Integers, Mask
from flowwarden.state.schema import NEW_EGRESS
from flowwarden.state.sets import DAY


class KnownOpenings:
    """The ports of outside servers to which the hosts of a batch are known to open TCP connections.

    Known from the batch, from the role's baseline, or from what `new-egress-port` stored within a day.
    """

    def __init__(
        self,
        directions: Directions,
        index: InterfaceIndex,
        profiles: Mapping[int, RoleProfile],
        state: StateView,
        now: int,
    ) -> None:
        """Take the batch, the usual behavior by interface index, the state, and the time (Unix seconds)."""
        self._directions = directions
        self._index = index
        self._profiles = profiles
        self._state = state
        self._now = now

    def holds(self, rows: Integers, wanted: Integers, opened: Integers) -> Mask:
        """For which of these rows, of outbound connections, the interface is known to connect to the port.

        Args:
            rows: of records that do not show the opening.
            wanted: some of them: only their interfaces and ports are looked up.
            opened: rows of records that show it.
        """
        groups = Groups(self._keys(wanted))
        known = np.isin(groups.keys, self._keys(opened))
        known |= np.array([self._is_usual(row) for row in wanted[groups.rows].tolist()], bool)
        rest = wanted[groups.rows[~known]]
        known[~known] = self._opened_before(rest.tolist())
        holds: Mask = np.isin(self._keys(rows), groups.keys[known])
        return holds

    def _keys(self, rows: Integers) -> Keys:
        """Keys of the interface, the port and the class of the far end."""
        directions = self._directions
        columns = self._index.of_row[rows], directions.service_port[rows], directions.server_class[rows]
        return packed(columns, [max(1, len(self._index)), 2**16, 2**8])

    def _is_usual(self, row: int) -> bool:
        profile = self._profiles.get(int(self._index.of_row[row]))
        port, outside = int(self._directions.service_port[row]), int(self._directions.server_class[row])
        return profile is not None and profile.knows(Edge("out", TCP, port, CLASSES[outside].value))

    def _opened_before(self, rows: Iterable[int]) -> list[bool]:
        """Whether the role of each row opened its port to the internet within a day."""
        keys = [self._new_egress(row) for row in rows]
        unknown = sorted({key for key in keys if key and not recent(self._state.known(key), self._now)})
        read = self._state.read(unknown[: MOST_READ * self._state.breadth]) if unknown else {}
        return [bool(recent(read.get(key) or self._state.known(key), self._now)) for key in keys]

    def _new_egress(self, row: int) -> str:
        """The key of the item with the times at which the role used the port; '' for an unknown interface."""
        profile = self._profiles.get(int(self._index.of_row[row]))
        port = int(self._directions.service_port[row])
        return NEW_EGRESS.key_of(self._now // DAY, profile.role, port) if profile else ""
