"""Rejections: rejected connections of internal hosts, assigned to the detectors that report them.

Exactly one detector reports a rejected connection: as a probing host, as a service that blocks many hosts, or
otherwise as a single blocked host. All are found in columns: a batch can contain more than a hundred thousand
REJECTs, and individual flows are created only for what is reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from flowwarden.monitor.traffic.row_groups import RowGroups
from flowwarden.monitor.traffic.selection import PAGING_CONFIDENCE
from flowwarden.network.direction import LOCAL, OWN, Directions
from flowwarden.network.host_set import host_set
from flowwarden.policy.policy import Policy
from flowwarden.records.columnar.group_by import Groups, packed
from flowwarden.records.columnar.string_pool import REJECT
from flowwarden.records.columnar.tokenizer import ABSENT, Integers, Mask


def refused_own(directions: Directions, rows: Integers) -> Integers:
    """The rows among these of rejected connections that internal hosts initiated, east-west or outbound.

    A rejected reply is not an attempt: only flows in the direction of the connection count. Neither is a
    packet of an expired connection.
    """
    # An unknown initiator has no confidence.
    chosen = directions.from_source[rows] & (directions.confidence[rows] >= PAGING_CONFIDENCE)
    chosen &= directions.traffic.flows["action"][rows] == REJECT
    chosen &= (directions.client_class[rows] == OWN) & (directions.server_class[rows] != LOCAL)
    chosen &= ~directions.traffic.expired_rejects[rows]
    own: Integers = rows[chosen]
    return own


class Rejections:
    """The rejected connections of internal hosts in a batch; each property is computed once.

    Groups of rows are in the order of their first rows.
    """

    def __init__(self, directions: Directions, rejected: Integers, policy: Policy) -> None:
        """Take the rows of the REJECTs, without duplicate records."""
        self._directions = directions
        self._policy = policy
        self._rows = refused_own(directions, rejected)

    @cached_property
    def probers(self) -> RowGroups:
        """The rejected flows of each internal host that was rejected at many pairs of host and port."""
        groups, many = self._by_client, self._probes
        return RowGroups(self._rows, groups, many.nonzero()[0])

    @cached_property
    def _by_client(self) -> Groups:
        return Groups(self._column(self._directions.client), ordered=True)

    @cached_property
    def _probes(self) -> Mask:
        """For each group of `_by_client`, whether the host was rejected at many pairs."""
        pairs = Groups(self._keys(self._by_client.numbers, len(self._rows), self._directions.server))
        counts = np.bincount(self._by_client.numbers[pairs.rows], minlength=len(self._by_client))
        probes: Mask = counts >= self._policy.thresholds.probing_destinations
        return probes

    @cached_property
    def _attempts(self) -> Groups:
        """Attempts of a host at one service, on any replica: client, class of the server, protocol, port."""
        return Groups(
            self._keys(self._by_client.numbers, len(self._rows), self._directions.server_class), ordered=True
        )

    @cached_property
    def _counts(self) -> Mask:
        """For each row, whether its attempts are more than stray packets."""
        packets = self._column(self._directions.traffic.flows["packets"])
        # A record stands for at least one packet, even if the log format omits the count.
        sums = self._attempts.sums(np.where(packets == ABSENT, 1, packets))
        enough: Mask = np.asarray(sums >= self._policy.thresholds.blocked_packets, bool)
        return enough[self._attempts.numbers]

    @cached_property
    def blocking_services(self) -> RowGroups:
        """The rejected flows of each internal service that rejects many internal hosts.

        Probers and exempt hosts do not count as clients: a host that tries everything says nothing about a
        service.
        """
        chosen, services = self._blocking
        groups, many = services
        return RowGroups(self._rows[chosen], groups, many.nonzero()[0])

    @cached_property
    def _blocking(self) -> tuple[Integers, tuple[Groups, Mask]]:
        """Positions of the flows of ordinary clients, by service, and which services reject many of them."""
        asked = self._counts & (self._column(self._directions.server_class) == OWN)
        asked &= ~self._probes[self._by_client.numbers] & ~self.exempt(self._rows)
        (chosen,) = asked.nonzero()
        services = Groups(self._places(chosen), ordered=True)
        texts = len(self._directions.traffic.flows.texts)
        clients = self._column(self._directions.client)[chosen]
        different = Groups(packed([services.numbers, clients], [max(1, len(services)), texts]))
        counts = np.bincount(services.numbers[different.rows], minlength=len(services))
        return chosen, (services, counts >= self._policy.thresholds.service_blocked_clients)

    @cached_property
    def blocked(self) -> RowGroups:
        """The rejected attempts that no blocked service explains, by host and service.

        Excludes hosts that probe: `host-probing` reports them.
        """
        rest = self._counts & ~self._explained & ~self._probes[self._by_client.numbers]
        (chosen,) = rest.nonzero()
        numbers = self._attempts.numbers[chosen]
        groups = Groups(numbers, ordered=True)
        return RowGroups(self._rows[chosen], groups, np.arange(len(groups)))

    @cached_property
    def _explained(self) -> Mask:
        """For each row, whether a blocked service explains it: its client is among those of the service."""
        chosen, (services, many) = self._blocking
        explained = np.zeros(len(self._rows), bool)
        if not many.any():
            return explained
        clients, texts = self._column(self._directions.client), len(self._directions.traffic.flows.texts)
        numbers, known = services.of(self._places(np.arange(len(self._rows))))
        pairs = packed([np.where(known, numbers, ABSENT), clients], [len(services), texts])
        reported = Groups(pairs[chosen[many[services.numbers]]])
        explained[known] = reported.of(pairs[known])[1]
        return explained

    def exempt(self, rows: Integers) -> Mask:
        """Which of these rows have an exempt client."""
        exempt = host_set(self._policy.exempt)
        clients = self._directions.client[rows]
        held: Mask = self._directions.traffic.flows.answers(exempt.holding).of(clients) > 0
        return held

    def _column(self, column: Integers) -> Integers:
        values: Integers = column[self._rows]
        return values

    def _keys(self, numbers: Integers, size: int, of: Integers) -> Integers:
        """Keys of a number, a column, the protocol and the port."""
        directions, texts = self._directions, len(self._directions.traffic.flows.texts)
        columns = [numbers, self._column(of), self._column(directions.traffic.flows["protocol"])]
        columns.append(self._column(directions.service_port))
        return packed(columns, [max(size, 1), texts, 2**8, 2**16])

    def _places(self, positions: Integers) -> Integers:
        """Keys of the server, the protocol and the port of the flows at these positions."""
        directions, rows = self._directions, self._rows[positions]
        columns = [directions.server, directions.traffic.flows["protocol"], directions.service_port]
        sizes: Sequence[int] = [len(directions.traffic.flows.texts), 2**8, 2**16]
        return packed([column[rows] for column in columns], sizes)
