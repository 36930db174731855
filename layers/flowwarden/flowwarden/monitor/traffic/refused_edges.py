"""Refused edges: what the hosts of a batch are refused, by the interface of the client. Pure.

A rejection is logged at the interface whose rules reject it: the client's or the server's. In both cases the
client is refused. So the connection is compared with the usual behavior of the client's role, and is learned
as refused for that role.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final

import numpy as np

from flowwarden.monitor.baseline.baseline import Edge
from flowwarden.monitor.baseline.peers import class_of
from flowwarden.monitor.baseline.profile import RoleProfile
from flowwarden.monitor.traffic.edges import Edges, edges_of
from flowwarden.monitor.traffic.interface_index import InterfaceIndex
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import Directions
from flowwarden.network.interface import NetworkInterface
from flowwarden.network.services import ADMIN_PORTS, DATABASE_PORTS, TCP
from flowwarden.records.columnar.group_by import Groups, packed
from flowwarden.records.columnar.string_pool import INGRESS
from flowwarden.records.columnar.tokenizer import ABSENT, Integers, Mask

MOST_SERVICES: Final = 8
"""If at least so many services refuse a host in a batch, nothing is learned from it: it may be probing."""

_GRAVE_PORTS: Final = ADMIN_PORTS | DATABASE_PORTS

type Choose = Callable[[RoleProfile, Sequence[Edge]], Collection[Edge]]
"""A function that returns some of the edges, by what is usual for a role."""
type Locate = Callable[[str, str | None], NetworkInterface | None]
"""A function that returns the known interface with an address, given also the interface that logged the
record (None if unknown)."""


class Clients:
    """The interfaces of the clients of some flows, numbered from 0. Either end may have logged the flows."""

    def __init__(self, directions: Directions, index: InterfaceIndex, rows: Integers, locate: Locate) -> None:
        """Take flows that internal hosts initiated, by their rows."""
        self.of_row: Integers = np.full(len(directions.traffic.flows), ABSENT)
        """The number of the client's interface; `ABSENT` if it is unknown."""
        self.interfaces: list[str] = []
        """Their ids."""
        self._numbers: dict[str, int] = {}
        if not len(rows):
            return
        inbound = directions.side[rows] == INGRESS
        own = rows[~inbound]
        places, of_own = np.unique(index.of_row[own], return_inverse=True)
        names = [index.names[place] for place in places.tolist()]
        numbers = np.array([ABSENT if name is None else self._number(name) for name in names], np.int64)
        self.of_row[own] = numbers[of_own]
        self._find(directions, index, rows[inbound], locate)

    def __len__(self) -> int:
        return len(self.interfaces)

    def _number(self, name: str) -> int:
        number = self._numbers.setdefault(name, len(self.interfaces))
        if number == len(self.interfaces):
            self.interfaces.append(name)
        return number

    def _find(self, directions: Directions, index: InterfaceIndex, rows: Integers, locate: Locate) -> None:
        """Number the clients whose flows the servers logged, as far as their interfaces are known."""
        texts, size = directions.traffic.flows.texts, max(1, len(index))
        ends = Groups(packed([index.of_row[rows], directions.client[rows]], [size, len(texts)]))
        for number, row in enumerate(rows[ends.rows].tolist()):
            known = locate(texts[directions.client[row]], index.names[index.of_row[row]])
            if known is not None:
                self.of_row[rows[ends.members(number)]] = self._number(known.interface_id)


class RefusedEdges:
    """The rejected connections of internal hosts, by the client's interface and edge."""

    def __init__(
        self,
        directions: Directions,
        rows: Integers,
        clients: Clients,
        index: InterfaceIndex,
        profile_of: Callable[[str], RoleProfile],
    ) -> None:
        """Take the rows of these connections, without stray packets of others."""
        self._directions = directions
        self._rows = rows
        self._clients = clients
        self._index = index
        self._profile_of = profile_of
        self._is_known: Mask = clients.of_row[rows] != ABSENT

    @cached_property
    def profiles(self) -> Mapping[int, RoleProfile]:
        """The usual behavior of the clients, by the number of their interface."""
        return {number: self._profile_of(name) for number, name in enumerate(self._clients.interfaces)}

    @cached_property
    def _edges(self) -> Edges:
        """The positions of the rows of known clients, by the client's interface and edge."""
        (known,) = self._is_known.nonzero()
        outbound = np.zeros(len(known), bool)
        return edges_of(self._directions, self._clients, self._rows[known], outbound, known)

    @cached_property
    def usual(self) -> Mask:
        """Which of the rows are usually refused to the role of their client."""
        return self._marked(self._edges, self.profiles, RoleProfile.usually_refused)

    @cached_property
    def worked(self) -> Mask:
        """Which of the rows are connections that usually work for the role of their client.

        If only the server is known: whether the client's network usually connects to it.
        """
        (unknown,) = (~self._is_known).nonzero()
        by_client = self._marked(self._edges, self.profiles, RoleProfile.usual_among)
        if not len(unknown):
            return by_client
        inbound = np.ones(len(unknown), bool)
        edges = edges_of(self._directions, self._index, self._rows[unknown], inbound, unknown)
        return by_client | self._marked(edges, self._servers, RoleProfile.usual_among)

    @cached_property
    def _servers(self) -> Mapping[int, RoleProfile]:
        """The usual behavior at the interfaces that logged rows of unknown clients, by interface index."""
        places = set(self._index.of_row[self._rows[~self._is_known]].tolist())
        names = {place: name for place in places if (name := self._index.names[place]) is not None}
        return {place: self._profile_of(name) for place, name in names.items()}

    @cached_property
    def compared(self) -> Mask:
        """Which of the rows can be compared: EC2 describes the client, or the server that logged the row."""
        clients = [number for number, each in self.profiles.items() if each.interface]
        servers = [place for place, each in self._servers.items() if each.interface]
        inbound = ~self._is_known & (self._directions.side[self._rows] == INGRESS)
        by_server = inbound & np.isin(self._index.of_row[self._rows], servers)
        compared: Mask = by_server | np.isin(self._clients.of_row[self._rows], clients)
        return compared

    def _marked(self, edges: Edges, profiles: Mapping[int, RoleProfile], chosen: Choose) -> Mask:
        """The rows of the edges that are chosen by the profile of the interface."""
        marked = np.zeros(len(self._rows), bool)
        for number, profile in profiles.items():
            here = edges.at(number)
            keys = edges.keys[here]
            those = chosen(profile, keys)
            if not those:
                continue
            for at, edge in enumerate(keys):
                if edge in those:
                    marked[edges.of(here.start + at)] = True
        return marked

    def taught(self) -> Iterator[tuple[RoleProfile, Edge, Sequence[str]]]:
        """The edges that roles can learn as refused, with the addresses of their clients."""
        few, texts = self._rows_of_few, self._directions.traffic.flows.texts
        for number, profile in self.profiles.items():
            here = self._edges.at(number)
            for at, edge in enumerate(self._edges.keys[here]):
                members = self._edges.of(here.start + at)
                if len(members := members[few[members]]):
                    clients = sorted({*self._directions.client[self._rows[members]].tolist()})
                    yield profile, edge, [texts[each] for each in clients]

    @cached_property
    def _rows_of_few(self) -> Mask:
        """Which rows are of clients that fewer than `MOST_SERVICES` services refuse."""
        directions, rows = self._directions, self._rows
        ends = [self._clients.of_row[rows], directions.client[rows]]
        texts = len(directions.traffic.flows.texts)
        clients = Groups(packed(ends, [max(1, len(self._clients)), texts]))
        columns = [clients.numbers, directions.traffic.flows["protocol"][rows], directions.service_port[rows]]
        services = Groups(packed(columns, [max(1, len(clients)), 2**8, 2**16]))
        counts = np.bincount(clients.numbers[services.rows], minlength=len(clients))
        few: Mask = (counts < MOST_SERVICES)[clients.numbers]
        return few


def is_grave(edge: Edge) -> bool:
    """Whether an edge is one that an intruder tries first. If refused, it is learned only after a report."""
    return edge.port in _GRAVE_PORTS and edge.protocol == TCP and class_of(edge.peer) is PeerClass.OWN
