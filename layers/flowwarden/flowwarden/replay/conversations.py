"""Who talks to whom: connections by role, class of peers and direction. Pure, and bounded in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

import numpy as np
from msgspec import Struct

from flowwarden.monitor.baseline.peers import DYNAMIC
from flowwarden.monitor.view import BatchView
from flowwarden.network.addresses import CLASSES
from flowwarden.network.roles import is_middlebox
from flowwarden.network.services import describe_service
from flowwarden.records.columnar.flow_table import FlowTable
from flowwarden.records.columnar.group_by import Groups, packed
from flowwarden.records.columnar.string_pool import ACCEPT, INGRESS, REJECT
from flowwarden.records.columnar.tokenizer import ABSENT, Integers
from flowwarden.replay.heaviest import Heaviest
from flowwarden.replay.observed import Conversation

MOST_ROLES: Final = 2_000
"""Roles that are counted apart."""
OTHER_ROLES: Final = "other roles"
SHOWN: Final = 300
"""Conversations of the result."""
SERVICES: Final = 3
"""Services of a conversation."""
_PORTS: Final = 2**16
_PROTOCOLS: Final = 2**8
_DIRECTIONS: Final = "out", "in"

type _Key = tuple[str, str, str]
"""Role, direction and class of peers."""
type _Service = tuple[_Key, int, int]
"""With protocol and port."""


class _Sums(Struct):
    accepted: int = 0
    rejected: int = 0
    bytes: int = 0

    @property
    def records(self) -> int:
        return self.accepted + self.rejected

    def add(self, accepted: int, rejected: int, size: int) -> None:
        self.accepted += accepted
        self.rejected += rejected
        self.bytes += size


class Conversations:
    """Counts the records of connections from the view of the interfaces that logged them."""

    def __init__(self) -> None:
        self._sums: defaultdict[_Key, _Sums] = defaultdict(_Sums)
        self._roles: set[str] = set()
        """Those that are counted apart."""
        self._services = Heaviest[_Service]()

    def see(self, view: BatchView) -> None:
        """Add a batch."""
        directions, flows = view.directions, view.records.flows
        (rows,) = (directions.side != ABSENT).nonzero()
        if not len(rows):
            return
        names, numbers = self._roles_of(view)
        inbound = ((directions.side == INGRESS) == directions.from_source)[rows]
        far = np.where(inbound, directions.client_class[rows], directions.server_class[rows])
        columns = [
            numbers[view.index.of_row[rows]], inbound.astype(np.int64), far, flows["protocol"][rows],
            np.minimum(directions.service_port[rows], DYNAMIC),
        ]  # fmt: skip
        groups = Groups(packed(columns, [len(names), 2, len(CLASSES), _PROTOCOLS, _PORTS]))
        values = [column[groups.rows].tolist() for column in columns]
        sums = [each.tolist() for each in _sums(flows, rows, groups)]
        services: defaultdict[_Service, int] = defaultdict(int)
        for role, direction, peer, protocol, port, accepted, rejected, size in zip(
            *values, *sums, strict=True
        ):
            key = names[role], _DIRECTIONS[direction], CLASSES[peer].value
            self._sums[key].add(accepted, rejected, size)
            services[key, protocol, port] += accepted + rejected
        self._services.add(services)

    def _roles_of(self, view: BatchView) -> tuple[list[str], Integers]:
        """The names under which the roles of a batch are counted, and the place of each interface's name."""
        names = [*_names(view)]
        counted = {name: self._counted(name) for name in dict.fromkeys(names)}
        distinct = {name: number for number, name in enumerate(dict.fromkeys(counted.values()))}
        numbers = {name: distinct[each] for name, each in counted.items()}
        return [*distinct], np.fromiter(map(numbers.__getitem__, names), np.int64, len(names))

    def _counted(self, role: str) -> str:
        if role not in self._roles and len(self._roles) < MOST_ROLES:
            self._roles.add(role)
        return role if role in self._roles else OTHER_ROLES

    def rows(self) -> list[Conversation]:
        """The conversations with the most records."""
        ordered = sorted(self._sums.items(), key=lambda each: (-each[1].records, each[0]))
        services = self._top_services()
        return [
            Conversation(
                role=key[0], direction=key[1], peer=key[2], accepted=sums.accepted, rejected=sums.rejected,
                bytes=sums.bytes, services=services.get(key, []),
            )
            for key, sums in ordered[:SHOWN]
        ]  # fmt: skip

    def _top_services(self) -> dict[_Key, list[str]]:
        found: defaultdict[_Key, list[str]] = defaultdict(list)
        for key, name in self._named_services():
            if len(found[key]) < SERVICES:
                found[key].append(name)
        return found

    def _named_services(self) -> Iterator[tuple[_Key, str]]:
        for key, protocol, port in self._services.top(MOST_ROLES * SERVICES):
            if protocol != ABSENT:
                name = describe_service(protocol, None if port == ABSENT else port)
                yield key, f"{name} and above" if port == DYNAMIC else name


def _names(view: BatchView) -> Iterator[str]:
    """The role of each interface's host; what forwards the traffic of others is named by its kind."""
    described = view.described
    for place, name in enumerate(view.index.names):
        interface = described.get(name or "")
        if interface is not None and is_middlebox(interface):
            yield f"gateway:{interface.kind}"
        else:
            yield view.role_at(place)


def _sums(flows: FlowTable, rows: Integers, groups: Groups) -> tuple[Integers, Integers, Integers]:
    """Accepted and rejected records, and bytes, of each group of the rows."""
    action = flows["action"][rows]
    accepted = groups.sums((action == ACCEPT).astype(np.int64))
    rejected = groups.sums((action == REJECT).astype(np.int64))
    return accepted, rejected, groups.sums(np.maximum(flows["bytes"][rows], 0))
