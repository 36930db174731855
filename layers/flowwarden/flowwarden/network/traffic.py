"""Traffic: the flows of a batch, and properties of each flow that depend on other flows.

For example: whether the reverse flow was accepted, its flags, which endpoint listens, and the interface's own
address. Each property is an array with one element per flow, computed on demand.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from itertools import compress
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from flowwarden.network import sweeps
from flowwarden.network.addresses import CLASSES, AddressClassifier, PeerClass, vpc_prefixes
from flowwarden.network.services import EPHEMERAL, TCP, WELL_KNOWN, ServicePorts
from flowwarden.records.columnar.distinct import one_of_each
from flowwarden.records.columnar.flow_table import FlowTable
from flowwarden.records.columnar.group_by import Groups, Keys, packed
from flowwarden.records.columnar.string_pool import ACCEPT, REJECT
from flowwarden.records.columnar.tokenizer import ABSENT, Integers, Mask

SYN, RST, SYN_ACK = 2, 4, 18
"""`tcp-flags` bits; bit 16 (ACK) is only logged as part of a SYN-ACK."""

_PORTS: Final = 2**16
_PROTOCOLS: Final = 2**8
_OWN: Final = CLASSES.index(PeerClass.OWN)


class Traffic:
    """The flows of a batch, analyzed together."""

    def __init__(self, flows: FlowTable, services: ServicePorts = WELL_KNOWN) -> None:
        self.flows = flows
        self.services = services
        self._texts = len(flows.texts)

    @cached_property
    def ends(self) -> Integers:
        """Sources and destinations, as the interface sees them: one row each."""
        return np.array([self.flows["srcaddr"], self.flows["dstaddr"]])

    @cached_property
    def is_tcp(self) -> Mask:
        """Whether each flow is TCP."""
        is_tcp: Mask = self.flows["protocol"] == TCP
        return is_tcp

    @cached_property
    def tcp_flags(self) -> Integers:
        """The flags of each flow; 0 if they are absent or it is not TCP."""
        return np.where(self.is_tcp, np.maximum(self.flows["tcp_flags"], 0), 0)

    @cached_property
    def _requests(self) -> Groups:
        """The flows grouped by source, destination, destination port and protocol."""
        return Groups(self._keys)

    @cached_property
    def _keys(self) -> Keys:
        """The group key of each flow."""
        return self._request_keys(self.ends[0], self.ends[1], self.flows["dstport"])

    @cached_property
    def _accepted(self) -> Mask:
        """Whether each group contains an accepted flow."""
        return self._requests.any(self.flows["action"] == ACCEPT)

    @cached_property
    def _reverse(self) -> tuple[Integers, Mask]:
        """For each flow, the group of its reverse flows, and whether there is one."""
        source, destination = self.ends
        return self._requests.of(self._request_keys(destination, source, self.flows["srcport"]))

    def _request_keys(self, source: Integers, destination: Integers, port: Integers) -> Keys:
        columns = [source, destination, port, self.flows["protocol"]]
        return packed(columns, [self._texts, self._texts, _PORTS, _PROTOCOLS])

    @cached_property
    def reverse_accepted(self) -> Mask:
        """Whether each flow has an accepted reverse flow."""
        groups, found = self._reverse
        reverse: Mask = found & _taken(self._accepted, groups, np.False_)
        return reverse

    @property
    def reverse_tuple_accepted(self) -> Mask:
        """Whether each REJECT has an exact reverse 5-tuple that was accepted at the interface.

        `reverse_accepted` is cheaper, and ignores the client's port.
        """
        return self._accepted_tuples[1]

    @cached_property
    def expired_rejects(self) -> Mask:
        """REJECTs of packets on a connection whose tracking entry has expired: TCP without a SYN.

        Without flags, they are recognized by a 5-tuple that was accepted at the interface in this batch, or
        by a record of the packet in another format, which has flags.
        """
        flags = self.flows["tcp_flags"]
        expired_rejects = self._rejects_without_syn
        if self.sweeps is not None:
            expired_rejects &= ~self.sweeps
        if not np.count_nonzero(flags == ABSENT):
            return expired_rejects
        also = self._accepted_tuples[0] | self._same_tuple_as(expired_rejects)
        return np.where(flags == ABSENT, self.is_tcp & also, expired_rejects)

    @property
    def _rejects_without_syn(self) -> Mask:
        without: Mask = self.is_tcp & (self.flows["action"] == REJECT) & (self.flows["tcp_flags"] & SYN == 0)
        return without

    @cached_property
    def sweeps(self) -> Mask | None:
        """TCP that is a probe although neither flags nor ports show it; its source opened it.

        Packets without a SYN (FIN and NULL scans) that one host rejects on many privileged ports: those of an
        expired connection go to the ports of a client. And, without flags, packets from one server port to
        one server port of many hosts, of which none replies. None if there are none.
        """
        found = sweeps.ports_of_one_host(self.flows, self.ends, self._rejects_without_syn)
        (rows,) = (self.is_tcp & (self.flows["tcp_flags"] == ABSENT)).nonzero()
        ports = self.flows["srcport"][rows], self.flows["dstport"][rows]
        rows = rows[(ports[0] >= 0) & (ports[0] < EPHEMERAL) & (ports[1] >= 0) & (ports[1] < EPHEMERAL)]
        if len(rows) >= sweeps.HOSTS:
            rows = rows[~self.reverse_accepted[rows]]
        found |= sweeps.hosts_of_one_port(self.flows, self.ends, rows)
        return found if found.any() else None

    def _same_tuple_as(self, expired: Mask) -> Mask:
        """The REJECTs with the 5-tuple and interface of one of these flows."""
        same = np.zeros(len(self.flows), bool)
        if not np.count_nonzero(expired):
            return same
        (rows,) = (self.flows["action"] == REJECT).nonzero()
        known = set(self._tuples(expired.nonzero()[0]))
        same[rows] = [each in known for each in self._tuples(rows)]
        return same

    @cached_property
    def _accepted_tuples(self) -> tuple[Mask, Mask]:
        """Whether each REJECT's exact 5-tuple was accepted at the interface, and whether its reverse was."""
        same, reverse = np.zeros(len(self.flows), bool), np.zeros(len(self.flows), bool)
        (rows,) = (self.flows["action"] == REJECT).nonzero()
        rows = rows[self._has_accepted_near(rows)]
        if not len(rows):
            return same, reverse
        known = set(self._tuples(self._accepted_between(rows)))
        for row, each in zip(rows.tolist(), self._tuples(rows), strict=True):
            interface, here, there, out, to, protocol = each
            same[row] = each in known
            reverse[row] = (interface, there, here, to, out, protocol) in known
        return same, reverse

    def _has_accepted_near(self, rows: Integers) -> Mask:
        """Which of these flows have an accepted flow in the same or the reverse direction: few have."""
        groups, _ = self._requests.of(self._keys[rows])
        near: Mask = self._accepted[groups] | self.reverse_accepted[rows]
        return near

    def _accepted_between(self, rows: Integers) -> Integers:
        """The rows of accepted flows between the ends of the flows in `rows`, in either direction."""
        source, destination = self.ends
        named = np.zeros(self._texts, bool)
        named[source[rows]] = named[destination[rows]] = True
        (accepted,) = ((self.flows["action"] == ACCEPT) & named[source] & named[destination]).nonzero()
        ends = [np.minimum(source, destination), np.maximum(source, destination)]
        sizes = [self._texts, self._texts]
        pairs, wanted = (packed([end[some] for end in ends], sizes) for some in (accepted, rows))
        between: Integers = accepted[_are_in(pairs, np.sort(wanted))]
        return between

    def _tuples(self, rows: Integers) -> list[tuple[int, ...]]:
        names = "interface_id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol"
        return list(zip(*(self.flows[name][rows].tolist() for name in names), strict=True))

    @property
    def has_reverse(self) -> Mask:
        """Whether each flow has a reverse flow."""
        return self._reverse[1]

    @cached_property
    def reverse_flags(self) -> Integers:
        """The ORed flags of the reverse flows, accepted or rejected; 0 if there are none."""
        groups, found = self._reverse
        return np.where(found, _taken(self._requests.ored(self.tcp_flags), groups, 0), 0)

    def asked_again(self, some: Mask) -> Mask:
        """Which of these flows have another one with the same request from a different source port."""
        asked = np.zeros(len(some), bool)
        (rows,) = some.nonzero()
        if len(rows) <= 1:
            return asked
        groups = Groups(self._keys[rows])
        ports = self.flows["srcport"][rows]
        again = groups.any(ports != ports[groups.rows][groups.numbers])
        asked[rows] = again[groups.numbers]
        return asked

    @cached_property
    def listens(self) -> tuple[Mask, Mask]:
        """Whether the source of each flow is an endpoint that sent a SYN-ACK, and whether its destination is.

        Only a SYN-ACK proves a listener: a SYN or a REJECT only shows an attempt to connect.
        """
        answers = self.tcp_flags & SYN_ACK == SYN_ACK
        if not np.count_nonzero(answers):
            return answers, answers
        sizes = [self._texts, _PORTS]
        source, destination = (
            packed([self.flows[f"{end}addr"], self.flows[f"{end}port"]], sizes) for end in ("src", "dst")
        )
        listeners = np.sort(source[answers])
        return self.is_tcp & _are_in(source, listeners), self.is_tcp & _are_in(destination, listeners)

    @cached_property
    def prefixes(self) -> Integers:
        """The prefixes of both ends, see `vpc_prefixes`: one row each."""
        return self.flows.answers(vpc_prefixes).of(self.ends)

    def own_addresses(self, classifier: AddressClassifier, known: Mapping[str, Collection[str]]) -> Integers:
        """For each flow, the text number of its interface's own address; `ABSENT` if it is unknown.

        It is the address that all flows of the interface and address family share. If they share both
        addresses, it is the one that EC2 describes for the interface, or else the only internal one.

        Args:
            classifier: assigns peer classes to addresses.
            known: interface id → addresses, as described by EC2.
        """
        is_ipv6 = self.prefixes[1] != ABSENT
        # Rows with the same number share interface and address family; one row represents them.
        alike = (self.flows["interface_id"] + 1) * 2 + is_ipv6
        lead = one_of_each(alike, 2 * self._texts + 2)
        (leads,) = (lead == np.arange(len(lead))).nonzero()
        candidates = self.ends[:, leads]
        first, second = (self._in_all(end, lead)[leads] for end in self.ends)
        second &= candidates[0] != candidates[1]
        ours = self.flows.answers(classifier.numbers).of(candidates) == _OWN
        first_ours, second_ours = first & ours[0], second & ours[1]
        own = np.where(first_ours, candidates[0], candidates[1])
        own[first_ours == second_ours] = ABSENT
        (doubtful,) = ((first & second) | ((first | second) & (own == ABSENT))).nonzero()
        interfaces = self.flows["interface_id"][leads[doubtful]]
        unclear = doubtful, interfaces, own[doubtful], *candidates[:, doubtful]
        columns = [column.tolist() for column in (*unclear, first[doubtful], second[doubtful])]
        for group, interface, ours_of, *ends, is_first, is_second in zip(*columns, strict=True):
            described = known.get(self.flows.text(interface) or "", ())
            own[group] = self._own_of([*compress(ends, (is_first, is_second))], described, ours_of)
        of_leads = np.empty_like(self.ends[0])
        of_leads[leads] = own
        of_flows: Integers = of_leads[lead]
        return of_flows

    def _in_all(self, addresses: Integers, lead: Integers) -> Mask:
        """For each leading row, whether its address is an end of all rows that it represents."""
        source, destination = self.ends
        of_lead = addresses[lead]
        in_all = np.ones(len(lead), bool)
        in_all[lead[(source != of_lead) & (destination != of_lead)]] = False
        return in_all

    def _own_of(self, numbers: Sequence[int], described: Collection[str], ours: int) -> int:
        """The own address of an interface whose flows share one or two addresses.

        AWS logs the private IPv4 address, so a public one that all flows share is a peer's. An interface's
        IPv6 address is public, so a shared one can be its own.

        Args:
            numbers: the text numbers of the shared addresses.
            described: the interface's addresses, as described by EC2.
            ours: the number of the only internal one, or `ABSENT`.
        """
        texts = self.flows.texts
        known = [number for number in numbers if texts[number] in described]
        if len(known) == 1:
            return known[0]
        is_ipv6 = len(numbers) == 1 and ":" in texts[numbers[0]]
        return numbers[0] if is_ipv6 else ours


def _are_in(keys: Keys, ordered: Keys) -> Mask:
    """Which keys are in `ordered`, which is sorted and not empty."""
    return np.asarray(ordered[np.minimum(ordered.searchsorted(keys), len(ordered) - 1)] == keys, bool)


def _taken(values: NDArray[Any], numbers: Integers, default: Any) -> NDArray[Any]:  # noqa: ANN401 - any scalar
    return values[numbers] if len(values) else np.full(len(numbers), default)
