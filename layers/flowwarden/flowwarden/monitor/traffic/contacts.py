"""Contacts: what the hosts at the interfaces of a batch ask others for, and what comes of it.

All flows of a batch between one client and one service of one server at one interface are one contact. Any
whose initiator is likely may teach what is usual; only those whose initiator is sure are a reason for a
finding. A contact is `inbound` at the server's interface and not at the client's; each of the two logs all of
it. All interfaces are worked out in the same columns; a contact is known by the number of its group.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from flowwarden.monitor.baseline.peers import class_of
from flowwarden.monitor.traffic.edges import Edges, edges_of
from flowwarden.monitor.traffic.interface_index import InterfaceIndex
from flowwarden.monitor.traffic.selection import PAGING_CONFIDENCE
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import INTERNET, LOCAL, OWN, DirectedFlow, Directions
from flowwarden.network.services import EPHEMERAL, TCP, UNPRIVILEGED
from flowwarden.network.traffic import RST
from flowwarden.records.columnar.group_by import Groups, Keys, packed
from flowwarden.records.columnar.string_pool import ACCEPT, INGRESS, REJECT
from flowwarden.records.columnar.tokenizer import ABSENT, Integers, Mask
from flowwarden.state.sets import fingerprint

LEARNING_CONFIDENCE: Final = 0.6
"""Enough to learn from: what is wrongly taken for usual is a request for its answer."""
MOST_CONTACTS: Final = 2048
"""New contacts of an interface that a batch looks at one by one: by far enough for any threshold."""
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
    """The contacts of a batch; few of them are ever made one by one."""

    def __init__(
        self, directions: Directions, interfaces: InterfaceIndex, ignored: Collection[int] = ()
    ) -> None:
        """Take the flows of all interfaces, but for some of them, by their indexes."""
        self._directions = directions
        self._flows = directions.traffic.flows
        usable = _usable(directions)
        if ignored:
            usable &= ~np.isin(interfaces.of_row, [*ignored])
        (self._rows,) = usable.nonzero()
        self._interfaces = interfaces
        # A finding shows the first flow of a contact: the same one in every container.
        self._groups = Groups(self._keys(), ordered=True)
        self._first = self._groups.rows

    def __len__(self) -> int:
        return len(self._groups)

    @cached_property
    def interface(self) -> Integers:
        """For each contact the index of its interface."""
        return self._interfaces.of_row[self._lead]

    @cached_property
    def _lead(self) -> Integers:
        """A row of each contact."""
        lead: Integers = self._rows[self._first]
        return lead

    def _of(self, column: NDArray[Any]) -> NDArray[Any]:
        """The values of a column for the rows that count."""
        return column[self._rows]

    def _keys(self) -> Keys:
        texts = len(self._flows.texts)
        columns = [self._directions.client, self._directions.server, self._directions.service_port]
        client, server, port = map(self._of, columns)
        if len(self._interfaces) > 1:
            # Numbered anew, so that all fits into a number of 64 bits.
            here = packed([self._of(self._interfaces.of_row), client], [len(self._interfaces), texts])
            client = np.unique(here, return_inverse=True)[1]
        sizes = [max(texts, len(self._rows)), texts, 2**16, 2**8]
        return packed([client.astype(np.int64), server, port, self._of(self._flows["protocol"])], sizes)

    @cached_property
    def answered(self) -> Mask:
        """Which contacts were answered; a reset alone is no answer."""
        answers = ~self._forward & (self._of(self._flows["action"]) == ACCEPT) & ~self._is_reset
        return self._groups.any(answers)

    @cached_property
    def refused(self) -> Mask:
        """Which contacts were rejected by a rule or reset by the host, and not answered."""
        rejected = self._forward & (self._of(self._flows["action"]) == REJECT)
        rejected &= ~self._of(self._directions.traffic.leftovers)
        refused: Mask = ~self.answered & self._groups.any(rejected | (~self._forward & self._is_reset))
        return refused

    @cached_property
    def _unanswered(self) -> Mask:
        is_tcp = self._flows["protocol"][self._lead] == TCP
        came_through = self._groups.any(self._forward & (self._of(self._flows["action"]) == ACCEPT))
        unanswered: Mask = ~self.answered & ~self.refused & is_tcp & came_through
        return unanswered

    @cached_property
    def _forward(self) -> Mask:
        return self._of(self._directions.from_source)

    @cached_property
    def _is_reset(self) -> Mask:
        reset: Mask = self._of(self._flows["tcp_flags"]) == RST
        return reset

    @cached_property
    def edges(self) -> Edges:
        """The contacts that ended in some way, by what baselines tell apart."""
        (ended,) = (self.answered | self.refused | self._unanswered).nonzero()
        rows = self._lead[ended]
        return edges_of(self._directions, self._interfaces, rows, self.inbound(rows), ended)

    @cached_property
    def refused_internet(self) -> Integers:
        """The contacts of internet hosts that were refused at the host's own interface."""
        (groups,) = self.refused.nonzero()
        rows = self._lead[groups]
        mine = self.inbound(rows) & (self._directions.client_class[rows] == INTERNET)
        # What a server still answers to a client's ports is no attempt; without flags it looks like one.
        mine &= self._directions.service_port[rows] < EPHEMERAL
        attempts: Integers = groups[mine]
        return attempts

    def clients(self, contacts: Integers) -> Integers:
        """The numbers of the texts of these contacts' clients."""
        return self._directions.client[self._lead[contacts]]

    def texts(self, numbers: Iterable[int]) -> list[str]:
        """Texts by their numbers."""
        return [self._flows.texts[number] for number in numbers]

    def places(self, contacts: Integers) -> list[int]:
        """Fingerprints of the servers and services of these contacts."""
        rows = self._lead[contacts]
        columns = self._directions.server, self._flows["protocol"], self._directions.service_port
        servers, *services = (column[rows].tolist() for column in columns)
        texts = self._flows.texts
        return [fingerprint(texts[server], *each) for server, *each in zip(servers, *services, strict=True)]

    def telling(self, contacts: Integers, ports: int) -> Integers:
        """Those of these contacts that mean something even if all of them are new.

        They failed, or are with a server that the client asks for so many privileged ports or more. Above
        1,023 passive FTP and RPC may ask for as many.
        """
        return contacts[~self.answered[contacts] | (self._privileged[contacts] >= ports)]

    @cached_property
    def is_sure(self) -> Mask:
        """Of which contacts the initiator is sure."""
        return self._groups.any(self._of(self._directions.confidence) >= PAGING_CONFIDENCE)

    @cached_property
    def is_visit(self) -> Mask:
        """Which contacts were answered and may be judged if more is known of the client.

        Their initiator is sure; or ports alone tell, for want of flags, and the service's is no client's.
        """
        visit: Mask = self.answered & (self.is_sure | self._by_ports)
        return visit

    @cached_property
    def _by_ports(self) -> Mask:
        by_ports: Mask = ~self._groups.any(self._of(self._flows["tcp_flags"]) != ABSENT)
        by_ports &= self._flows["protocol"][self._lead] == TCP
        by_ports &= self._directions.service_port[self._lead] < EPHEMERAL
        return by_ports

    @cached_property
    def _privileged(self) -> Integers:
        """How many privileged ports the client asks the server for; 0 for a contact with another port."""
        rows, interfaces, texts = self._lead, self._interfaces, len(self._flows.texts)
        ends = [interfaces.of_row[rows], self._directions.client[rows], self._directions.server[rows]]
        pairs = Groups(packed(ends, [len(interfaces), texts, texts]))
        privileged = (self._directions.service_port[rows] < UNPRIVILEGED).astype(np.int64)
        asked: Integers = privileged * pairs.sums(privileged)[pairs.numbers]
        return asked

    def one_by_one(self, contacts: Integers, peer: str) -> list[Contact]:
        """These contacts, all of one edge."""
        return [self._contact(group, peer) for group in contacts.tolist()]

    def _contact(self, group: int, peer: str) -> Contact:
        text, flows, directions = self._flows.text, self._flows, self._directions
        members = self._rows[self._groups.members(group)]
        row = members[0]
        return Contact(
            client=str(text(directions.client[row])),
            server=str(text(directions.server[row])),
            protocol=int(flows["protocol"][row]),
            port=int(directions.service_port[row]),
            peer=peer,
            outcome=self._outcome(group),
            inbound=bool(self.inbound(members[:1])[0]),
            first=int(flows["start"][members].min()),
            rows=members,
            client_ports=frozenset(directions.client_port[members].tolist()),
        )

    def flows(self, contacts: Sequence[Contact]) -> list[DirectedFlow]:
        """A flow of each of these contacts, at most `MOST_FLOWS`."""
        return self._directions.flows(np.array([each.rows[0] for each in contacts[:MOST_FLOWS]], np.int64))

    def flows_of(self, contacts: Integers) -> list[DirectedFlow]:
        """A flow of each of these contacts, by their numbers."""
        return self._directions.flows(self._lead[contacts])

    def _outcome(self, group: int) -> ContactOutcome:
        if self.answered[group]:
            return ContactOutcome.ANSWERED
        return ContactOutcome.REFUSED if self.refused[group] else ContactOutcome.UNANSWERED

    def inbound(self, rows: Integers) -> Mask:
        """Whether the interface that logged the flows in these rows is the server's."""
        inbound: Mask = (self._directions.side[rows] == INGRESS) == self._directions.from_source[rows]
        return inbound


def _usable(directions: Directions) -> Mask:
    """The flows that tell of contacts: of a host of ours with a host, by ports."""
    usable: Mask = (directions.confidence >= LEARNING_CONFIDENCE) & (directions.service_port > 0)
    usable &= (directions.client_class != LOCAL) & (directions.server_class != LOCAL)
    usable &= directions.side != ABSENT
    inbound = (directions.side == INGRESS) == directions.from_source
    usable &= np.where(inbound, directions.server_class, directions.client_class) == OWN
    return usable
