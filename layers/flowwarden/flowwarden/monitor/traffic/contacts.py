"""Contacts: what the host at an interface asks others for, and what comes of it.

All flows of a batch between one client and one service of one server are one contact. Any whose initiator is
likely may teach what is usual; only those whose initiator is sure may be held against anybody. A contact is
`inbound` at the server's interface and not at the client's; each of the two logs all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from flowwarden.monitor.baseline.baseline import Edge
from flowwarden.monitor.baseline.peers import DYNAMIC, class_of, peer_of
from flowwarden.monitor.traffic.selection import PAGING_CONFIDENCE
from flowwarden.network.addresses import CLASSES, PeerClass
from flowwarden.network.direction import INTERNET, LOCAL, OWN, DirectedFlow, Directions
from flowwarden.network.services import EPHEMERAL, TCP, UNPRIVILEGED
from flowwarden.network.traffic import RST
from flowwarden.records.columnar.group_by import Groups, packed
from flowwarden.records.columnar.string_pool import ACCEPT, EGRESS, INGRESS, REJECT
from flowwarden.records.columnar.tokenizer import ABSENT, Integers, Mask
from flowwarden.state.sets import fingerprint

LEARNING_CONFIDENCE: Final = 0.6
"""Enough to learn from: what is wrongly taken for usual is a request for its answer."""
MOST_CONTACTS: Final = 2048
"""New contacts of an interface that a batch looks at one by one: by far enough for any threshold."""
MOST_PLACES: Final = 100
"""Of those that refused an internet host, by far enough: no threshold is higher."""
MOST_FLOWS: Final = 256
"""Contacts behind a finding of which a flow is looked at."""


class ContactOutcome(StrEnum):
    """What came of a contact, as far as the batch tells."""

    ANSWERED = "answered"
    REFUSED = "refused"
    """Rejected by a rule, or reset by the host."""
    UNANSWERED = "unanswered"
    """TCP that came through and got no answer. Of other protocols silence says nothing."""


class Contact(Struct, frozen=True, kw_only=True):
    """A client, a service, and what came of it."""

    client: str
    server: str
    protocol: int
    port: int
    peer: str
    """What the server is, as baselines tell servers apart; see `peer_of`."""
    outcome: ContactOutcome
    inbound: bool
    """Whether the interface that logged it is the server's."""
    first: int
    """Unix seconds of the first packet; -1 where the log does not tell."""
    rows: Integers
    """Of the batch."""
    client_ports: frozenset[int] = frozenset()
    """One for each connection."""

    @property
    def failed(self) -> bool:
        """Whether the client did not get what it asked for."""
        return self.outcome is not ContactOutcome.ANSWERED

    @property
    def inside(self) -> bool:
        """Whether the server is one of ours."""
        return class_of(self.peer) is PeerClass.OWN


class Contacts:
    """The contacts of a batch; few of them are ever looked at one by one."""

    def __init__(self, directions: Directions, rows: Integers) -> None:
        """Take the flows in these rows, which one interface logged."""
        self._directions = directions
        self._flows = directions.traffic.flows
        self._rows = rows[_usable(directions)[rows]]
        self._groups = Groups(self._keys())
        self._first = self._groups.rows
        self._answered, self._refused, self._unanswered = self._outcomes()

    def __len__(self) -> int:
        return len(self._groups)

    def _of(self, column: NDArray[Any]) -> NDArray[Any]:
        """The values of a column for the rows that count."""
        return column[self._rows]

    def _keys(self) -> Integers:
        texts = len(self._flows.texts)
        columns = [self._directions.client, self._directions.server, self._directions.service_port]
        columns = [self._of(column) for column in (*columns, self._flows["protocol"])]
        return packed(columns, [texts, texts, 2**16, 2**8])

    def _outcomes(self) -> tuple[Mask, Mask, Mask]:
        forward = self._of(self._directions.from_source)
        action, flags = self._of(self._flows["action"]), self._of(self._flows["tcp_flags"])
        reset = flags == RST
        of_any = self._groups.any
        answered = of_any(~forward & (action == ACCEPT) & ~reset)
        leftover = self._of(self._directions.traffic.leftovers)
        refused = ~answered & of_any((forward & (action == REJECT) & ~leftover) | (~forward & reset))
        is_tcp = self._of(self._flows["protocol"])[self._first] == TCP
        came_through = of_any(forward & (action == ACCEPT))
        return answered, refused, ~answered & ~refused & is_tcp & came_through

    def edges(self, known: Callable[[Edge], bool] = lambda _: False) -> dict[Edge, Integers]:
        """The groups of each edge: of contacts that ended in some way, by what baselines tell apart.

        Those that are known are left out.
        """
        edges, alike, told = self._by_edge
        return {edge: told[alike.members(number)] for number, edge in enumerate(edges) if not known(edge)}

    def answered_edges(self) -> set[Edge]:
        """Those of the edges of which any contact was answered."""
        edges, alike, told = self._by_edge
        return {edges[number] for number in alike.any(self._answered[told]).nonzero()[0].tolist()}

    @cached_property
    def _by_edge(self) -> tuple[list[Edge], Groups, Integers]:
        """The edges, the contacts of each, and the groups that these contacts are."""
        (told,) = (self._answered | self._refused | self._unanswered).nonzero()
        rows = self._rows[self._first[told]]
        directions, inbound = self._directions, self._inbound(rows)
        names, far = self._peers(
            np.where(inbound, directions.client[rows], directions.server[rows]),
            np.where(inbound, directions.client_class[rows], directions.server_class[rows]),
        )
        columns: list[NDArray[Any]] = [inbound, self._flows["protocol"][rows]]
        columns += [np.minimum(directions.service_port[rows], DYNAMIC), far]
        alike = Groups(packed(columns, [2, 2**8, 2**16, len(names)]))
        values = (column[alike.rows].tolist() for column in columns)
        edges: list[Edge] = [
            ("in" if way else "out", protocol, port, names[peer])
            for way, protocol, port, peer in zip(*values, strict=True)
        ]
        return edges, alike, told

    def _peers(self, ends: Integers, classes: Integers) -> tuple[list[str], Integers]:
        """What the far ends are, each name once, and the number of each end's."""
        names = {each.value: number for number, each in enumerate(CLASSES)}
        (own,) = (classes == OWN).nonzero()
        numbers, texts = sorted(set(ends[own].tolist())), self._flows.texts
        of_number = [names.setdefault(peer_of(texts[number], OWN), len(names)) for number in numbers]
        far = classes.copy()
        far[own] = np.array(of_number, np.int64)[np.searchsorted(numbers, ends[own])]
        return [*names], far

    def refused_visitors(self, least: int, most: int) -> dict[str, frozenset[int]]:
        """Fingerprints of the places that refused internet hosts, for those that so many refused or more.

        At most so many hosts, those with most places first, and `MOST_PLACES` of each.
        """
        (groups,) = self._refused.nonzero()
        if len(groups) < least:  # as in most batches
            return {}
        rows = self._attempts(groups)
        clients, counts = np.unique(self._directions.client[rows], return_counts=True)
        found = zip(clients.tolist(), counts.tolist(), strict=True)
        texts = self._flows.texts
        many = sorted((-count, texts[client], client) for client, count in found if count >= least)[:most]
        own = {name: rows[self._directions.client[rows] == client] for _, name, client in many}
        return {name: self._places(rows[:MOST_PLACES]) for name, rows in own.items()}

    def refusals(self, visitor: str) -> list[DirectedFlow]:
        """A flow of each contact of an internet host that was refused here, at most `MOST_PLACES`."""
        rows = self._attempts(self._refused.nonzero()[0])
        texts, clients = self._flows.texts, self._directions.client[rows].tolist()
        return self._directions.flows(rows[[texts[each] == visitor for each in clients]][:MOST_PLACES])

    def _attempts(self, groups: Integers) -> Integers:
        """A row of each of these contacts that an internet host tried here."""
        rows = self._rows[self._first[groups]]
        rows = rows[self._inbound(rows) & (self._directions.client_class[rows] == INTERNET)]
        # What a server still answers to a client's ports is no attempt; without flags it looks like one.
        attempts: Integers = rows[self._directions.service_port[rows] < EPHEMERAL]
        return attempts

    def _places(self, rows: Integers) -> frozenset[int]:
        columns = self._directions.server, self._flows["protocol"], self._directions.service_port
        servers, *services = (column[rows].tolist() for column in columns)
        texts = self._flows.texts
        return frozenset(
            fingerprint(texts[server], *each) for server, *each in zip(servers, *services, strict=True)
        )

    def telling(self, groups: Integers, ports: int) -> Integers:
        """Those of these contacts that mean something even if all of them are new.

        They failed, or are with a server that the client asks for so many privileged ports or more. Above
        1,023 passive FTP and RPC may ask for as many.
        """
        return groups[~self._answered[groups] | self._vertical(ports)[groups]]

    def sure(self, groups: Integers) -> Integers:
        """Those of these contacts whose initiator is sure."""
        return groups[self._sure[groups]]

    def answered_visits(self, groups: Integers) -> tuple[Integers, list[str]]:
        """Those that were answered and may be judged if more is known of the client; and their clients.

        Their initiator is sure; or ports alone tell, for want of flags, and the service's is no client's.
        """
        groups = groups[(self._answered & (self._sure | self._untold))[groups]]
        clients = self._directions.client[self._rows[self._first[groups]]].tolist()
        return groups, [self._flows.texts[client] for client in clients]

    @cached_property
    def _untold(self) -> Mask:
        rows = self._rows[self._first]
        untold: Mask = ~self._groups.any(self._of(self._flows["tcp_flags"]) != ABSENT)
        untold &= (self._flows["protocol"][rows] == TCP) & (self._directions.service_port[rows] < EPHEMERAL)
        return untold

    @cached_property
    def _sure(self) -> Mask:
        return self._groups.any(self._of(self._directions.confidence) >= PAGING_CONFIDENCE)

    def _vertical(self, ports: int) -> Mask:
        """Contacts of a client with a server that it asks for many privileged ports."""
        rows = self._rows[self._first]
        ends = [self._directions.client[rows], self._directions.server[rows]]
        keys = packed(ends, [len(self._flows.texts)] * 2)
        pairs = Groups(keys)
        privileged = self._directions.service_port[rows] < UNPRIVILEGED
        many = pairs.sums(privileged.astype(np.int64)) >= ports
        vertical: Mask = privileged & many[pairs.of(keys)[0]]
        return vertical

    def one_by_one(self, groups: Integers, peer: str) -> list[Contact]:
        """These contacts, all of one edge."""
        text, flows, directions = self._flows.text, self._flows, self._directions
        found = []
        for group in groups.tolist():
            members = self._rows[self._groups.members(group)]
            row = members[0]
            starts = flows["start"][members]
            found.append(
                Contact(
                    client=str(text(directions.client[row])),
                    server=str(text(directions.server[row])),
                    protocol=int(flows["protocol"][row]),
                    port=int(directions.service_port[row]),
                    peer=peer,
                    outcome=self._outcome(group),
                    inbound=bool(self._inbound(members[:1])[0]),
                    first=int(starts.min()),
                    rows=members,
                    client_ports=frozenset(directions.client_port[members].tolist()),
                )
            )
        return found

    def flows(self, contacts: Sequence[Contact]) -> list[DirectedFlow]:
        """A flow of each of these contacts, at most `MOST_FLOWS`."""
        return self._directions.flows(np.array([each.rows[0] for each in contacts[:MOST_FLOWS]], np.int64))

    def _outcome(self, group: int) -> ContactOutcome:
        if self._answered[group]:
            return ContactOutcome.ANSWERED
        return ContactOutcome.REFUSED if self._refused[group] else ContactOutcome.UNANSWERED

    def _inbound(self, rows: Integers) -> Mask:
        inbound: Mask = (self._directions.side[rows] == INGRESS) == self._directions.from_source[rows]
        return inbound


def _usable(directions: Directions) -> Mask:
    """The flows that tell of contacts: of a host of ours with a host, by ports."""
    usable: Mask = (directions.confidence >= LEARNING_CONFIDENCE) & (directions.service_port > 0)
    usable &= (directions.client_class != LOCAL) & (directions.server_class != LOCAL)
    side, from_source = directions.side, directions.from_source
    outbound = ((side == EGRESS) & from_source) | ((side == INGRESS) & ~from_source)
    inbound = ((side == INGRESS) & from_source) | ((side == EGRESS) & ~from_source)
    usable &= (outbound & (directions.client_class == OWN)) | (inbound & (directions.server_class == OWN))
    return usable
