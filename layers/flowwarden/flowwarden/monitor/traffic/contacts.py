"""Contacts: connections between hosts and services in a batch, and their outcome.

All flows of a batch between one client and one service of one server at one interface are one contact.
Contacts with a likely initiator can be learned as usual; only contacts with a certain initiator can cause a
finding. The client's interface and the server's log the same connections; the contact is `inbound` at the
server's. All interfaces are processed in the same columns; a contact is identified by the number of its
group.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from itertools import repeat
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from flowwarden.monitor.baseline.profile import Standing
from flowwarden.monitor.findings import Tally
from flowwarden.monitor.traffic.contact import Contact, ContactOutcome
from flowwarden.monitor.traffic.edges import Edges, edges_of
from flowwarden.monitor.traffic.inspected import inspected
from flowwarden.monitor.traffic.interface_index import InterfaceIndex
from flowwarden.monitor.traffic.selection import (
    PAGING_CONFIDENCE,
    are_replies,
    is_outside,
    of_contacts,
    without_repeats,
)
from flowwarden.monitor.traffic.tally import tally_of
from flowwarden.network.direction import DirectedFlow, Directions
from flowwarden.network.services import EPHEMERAL, TCP, UNPRIVILEGED
from flowwarden.network.traffic import RST, SYN
from flowwarden.records.columnar.group_by import Groups, Keys, packed
from flowwarden.records.columnar.string_pool import ACCEPT, INGRESS, REJECT
from flowwarden.records.columnar.tokenizer import ABSENT, Integers, Mask
from flowwarden.state.sets import fingerprint

MOST_CONTACTS: Final = 2048
"""Maximum new contacts of an interface that a batch inspects individually: far more than any threshold."""
MOST_FLOWS: Final = 256
"""Maximum contacts behind a finding for which a flow is created."""


class Contacts:
    """The contacts of a batch, in columns; only a few become `Contact` objects."""

    def __init__(
        self, directions: Directions, interfaces: InterfaceIndex, ignored: Collection[int] = ()
    ) -> None:
        """Take the flows of all interfaces except the ignored ones, given by index."""
        self._directions = directions
        self._flows = directions.traffic.flows
        usable = of_contacts(directions)
        if ignored:
            usable &= ~np.isin(interfaces.of_row, [*ignored])
        (self._rows,) = usable.nonzero()
        self._interfaces = interfaces
        # Ordered, because a finding shows the first flow of a contact, which must be the same in every
        # container.
        self._groups = Groups(self._keys(), ordered=True)
        self._first = self._groups.rows

    def __len__(self) -> int:
        return len(self._groups)

    @cached_property
    def interface(self) -> Integers:
        """The interface index of each contact."""
        return self._interfaces.of_row[self._lead]

    @cached_property
    def _lead(self) -> Integers:
        """A row of each contact."""
        lead: Integers = self._rows[self._first]
        return lead

    def _of(self, column: NDArray[Any]) -> NDArray[Any]:
        """The values of a column for the usable rows."""
        return column[self._rows]

    def _keys(self) -> Keys:
        texts = len(self._flows.texts)
        columns = [self._directions.client, self._directions.server, self._directions.service_port]
        client, server, port = map(self._of, columns)
        if len(self._interfaces) > 1:
            # Interface and client become one number, so that the key fits into 64 bits.
            here = packed([self._of(self._interfaces.of_row), client], [len(self._interfaces), texts])
            client = np.unique(here, return_inverse=True)[1]
        sizes = [max(texts, len(self._rows)), texts, 2**16, 2**8]
        return packed([client.astype(np.int64), server, port, self._of(self._flows["protocol"])], sizes)

    @cached_property
    def answered(self) -> Mask:
        """Which contacts were answered; a reset alone is not an answer."""
        return self._groups.any(self._of(are_replies(self._directions)))

    @cached_property
    def refused(self) -> Mask:
        """Which attempts were rejected by a rule or reset by the host, and not answered."""
        rejected = self._rejected & ~self._of(self._directions.traffic.expired_rejects)
        refused = self._groups.any(rejected | (~self._forward & (self._flags == RST)))
        refused &= self._attempted & ~self.answered
        return refused

    @cached_property
    def denied(self) -> Mask:
        """Which refused contacts the client's own rules rejected on the way to the internet."""
        rows = self._lead
        denied: Mask = self.refused & ~self.inbound(rows) & is_outside(self._directions.server_class[rows])
        denied &= self._groups.any(self._rejected)
        return denied

    @cached_property
    def _unanswered(self) -> Mask:
        came_through = self._groups.any(self._forward & (self._actions == ACCEPT))
        unanswered: Mask = self._attempted & ~self.answered & ~self.refused & came_through
        unanswered &= self._flows["protocol"][self._lead] == TCP
        return unanswered

    @cached_property
    def _attempted(self) -> Mask:
        """Which contacts contain an attempt to connect.

        Where the log contains flags, only a SYN or a part of a sweep is an attempt: after an idle timeout at
        a NAT gateway or a security group, an established connection can send a single FIN, ACK or RST. If a
        record was delivered in two formats, the one with flags decides.
        """
        shown = (self._of(self._flows["protocol"]) == TCP) & (self._flags != ABSENT)
        opened = shown & self._forward & (self._flags & SYN == SYN)
        if (sweeps := self._directions.traffic.sweeps) is not None:
            opened |= shown & self._forward & self._of(sweeps)
        attempted: Mask = self._groups.any(opened) | ~self._groups.any(shown)
        return attempted

    @cached_property
    def _forward(self) -> Mask:
        return self._of(self._directions.from_source)

    @cached_property
    def _actions(self) -> Integers:
        return self._of(self._flows["action"])

    @cached_property
    def _rejected(self) -> Mask:
        """The rows of rejected flows in the direction of the connection."""
        rejected: Mask = self._forward & (self._actions == REJECT)
        return rejected

    @cached_property
    def _flags(self) -> Integers:
        return self._of(self._flows["tcp_flags"])

    @cached_property
    def edges(self) -> Edges:
        """The contacts with a known outcome, by edge."""
        (ended,) = (self.answered | self.refused | self._unanswered).nonzero()
        rows = self._lead[ended]
        return edges_of(self._directions, self._interfaces, rows, self.inbound(rows), ended)

    def count(self, rows: Mask | None = None) -> Integers:
        """The number of records of each contact, or of those in a mask with an element for each row."""
        sizes: Integers = self._groups.sizes
        return sizes if rows is None else self._groups.sums(self._of(rows).astype(np.int64))

    def by_interface(self, contacts: Integers) -> dict[int, Integers]:
        """These contacts by interface index."""
        if len(self._interfaces) <= 1:
            return {0: contacts} if len(contacts) else {}
        groups = Groups(self.interface[contacts])
        return {at: contacts[groups.members(number)] for number, at in enumerate(groups.keys.tolist())}

    def clients(self, contacts: Integers) -> Integers:
        """The text numbers of these contacts' clients."""
        return self._directions.client[self._lead[contacts]]

    def lead_rows(self, contacts: Integers) -> Integers:
        """A row of each of these contacts."""
        lead: Integers = self._lead[contacts]
        return lead

    def rows_of(self, contacts: Sequence[int]) -> Integers:
        """All rows of these contacts."""
        rows: Integers = self._rows[np.concatenate([self._groups.members(each) for each in contacts])]
        rows.sort()
        return rows

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

    def are_significant(self, ports: int) -> Mask:
        """Which contacts are significant even while nearly all contacts are new.

        They failed, or the client contacts the server on at least `ports` privileged ports. Above 1,023,
        passive FTP and RPC can use so many ports.
        """
        significant: Mask = ~self.answered | (self._privileged >= ports)
        return significant

    def one_of_each_denied(self, contacts: Integers) -> Integers:
        """These contacts, all of one edge, with only one denied contact of each client.

        Denied contacts count by service, whatever the server.
        """
        denied = contacts[self.denied[contacts]]
        if len(denied) <= 1:
            return contacts
        first = denied[np.unique(self.clients(denied), return_index=True)[1]]
        return contacts[~self.denied[contacts] | np.isin(contacts, first)]

    @cached_property
    def is_sure(self) -> Mask:
        """For which contacts the initiator is certain."""
        return self._groups.any(self._of(self._directions.confidence) >= PAGING_CONFIDENCE)

    @cached_property
    def is_connection(self) -> Mask:
        """Which contacts were answered and have a certain initiator, or a TCP service port below `EPHEMERAL`.

        The latter is a guess, which counts only together with other knowledge about the client.
        """
        connection: Mask = self.answered & (self.is_sure | self._by_ports)
        return connection

    @cached_property
    def _by_ports(self) -> Mask:
        by_ports: Mask = self._directions.service_port[self._lead] < EPHEMERAL
        by_ports &= self._flows["protocol"][self._lead] == TCP
        return by_ports

    @cached_property
    def lasts(self) -> Mask:
        """Which answered TCP contacts began before the batch: some records have flags, none the opening."""
        lasts: Mask = self.answered & ~self.is_sure & (self._flows["protocol"][self._lead] == TCP)
        lasts &= self._groups.any(self._flags != ABSENT)
        return lasts

    @cached_property
    def _privileged(self) -> Integers:
        """The number of privileged ports on which the client contacts the server; 0 for other contacts."""
        rows, interfaces, texts = self._lead, self._interfaces, len(self._flows.texts)
        ends = [interfaces.of_row[rows], self._directions.client[rows], self._directions.server[rows]]
        pairs = Groups(packed(ends, [len(interfaces), texts, texts]))
        privileged = (self._directions.service_port[rows] < UNPRIVILEGED).astype(np.int64)
        asked: Integers = privileged * pairs.sums(privileged)[pairs.numbers]
        return asked

    def one_by_one(
        self,
        contacts: Iterable[int],
        peers: Iterable[str],
        standings: Iterable[Standing] = repeat(Standing.NEW),
    ) -> list[Contact]:
        """These contacts as individual objects, with the peer and the standing of each."""
        numbers = [*contacts]
        rows = [self._rows[self._groups.members(each)] for each in numbers]
        outcomes = self._outcomes(numbers)
        return inspected(self._directions, rows, zip(peers, outcomes, standings, strict=False))

    def flows(self, contacts: Sequence[Contact]) -> list[DirectedFlow]:
        """A flow of each of these contacts, at most `MOST_FLOWS`."""
        return self._directions.flows(np.array([each.rows[0] for each in contacts[:MOST_FLOWS]], np.int64))

    def tally(self, contacts: Sequence[Contact]) -> Tally:
        """The sums over all records of these contacts, without duplicates; there is at least one contact."""
        rows = np.sort(np.concatenate([each.rows for each in contacts]))
        return tally_of(self._directions, without_repeats(self._flows, rows))

    def flows_of(self, contacts: Integers) -> list[DirectedFlow]:
        """A flow of each of these contacts, by their numbers."""
        return self._directions.flows(self._lead[contacts])

    def _outcomes(self, contacts: Sequence[int]) -> list[ContactOutcome]:
        marks = (mask[contacts].tolist() for mask in (self.answered, self.denied, self.refused))
        return [*map(_outcome, *marks)] if contacts else []

    def inbound(self, rows: Integers) -> Mask:
        """Whether the interface that logged the flows in these rows is the server's."""
        inbound: Mask = (self._directions.side[rows] == INGRESS) == self._directions.from_source[rows]
        return inbound


def _outcome(answered: bool, denied: bool, refused: bool) -> ContactOutcome:  # noqa: FBT001 -- for map
    if answered:
        return ContactOutcome.ANSWERED
    if denied:
        return ContactOutcome.DENIED
    return ContactOutcome.REFUSED if refused else ContactOutcome.UNANSWERED
