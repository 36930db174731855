"""Rejections: rejected connections of internal hosts, assigned to the detectors that report them.

At most one detector reports a rejected connection: as a probing host, as a service that blocks many hosts, as
a service that the client's own rules deny, or otherwise as a single blocked host. All are found in columns: a
batch can contain more than 100,000 REJECTs, and individual flows are created only for those that are
reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from flowwarden.monitor.traffic.refusal import Refusal
from flowwarden.monitor.traffic.refused_edges import RefusedEdges
from flowwarden.monitor.traffic.row_groups import RowGroups
from flowwarden.monitor.traffic.selection import PAGING_CONFIDENCE, is_outside
from flowwarden.network.direction import LOCAL, OWN, Directions
from flowwarden.network.host_set import host_set
from flowwarden.policy.policy import Policy
from flowwarden.records.columnar.group_by import Groups, packed
from flowwarden.records.columnar.string_pool import EGRESS, INGRESS, REJECT
from flowwarden.records.columnar.tokenizer import ABSENT, Integers, Mask


def refused_own(directions: Directions, rows: Integers) -> Integers:
    """The rows among these of rejected connections that internal hosts initiated, east-west or outbound.

    Only flows in the direction of the connection count: a rejected reply is not an attempt, and neither is a
    packet of an expired connection.
    """
    # The confidence is 0 if the initiator is unknown.
    chosen = directions.from_source[rows] & (directions.confidence[rows] >= PAGING_CONFIDENCE)
    chosen &= directions.traffic.flows["action"][rows] == REJECT
    chosen &= (directions.client_class[rows] == OWN) & (directions.server_class[rows] != LOCAL)
    chosen &= ~directions.traffic.expired_rejects[rows]
    own: Integers = rows[chosen]
    return own


class Rejections:
    """The rejected connections of internal hosts in a batch; each property is computed once.

    Groups of rows are ordered by their first rows.
    """

    def __init__(
        self,
        directions: Directions,
        rows: Integers,
        policy: Policy,
        edges: RefusedEdges,
    ) -> None:
        """Take the rejected connections.

        Args:
            directions: of the batch.
            rows: of the rejected connections.
            policy: the user's policy.
            edges: the same connections, compared with what is usual.
        """
        self._directions = directions
        self._policy = policy
        self._rows = rows
        self._edges = edges

    def __len__(self) -> int:
        return len(self._rows)

    @cached_property
    def _new(self) -> Mask:
        """For each row, whether it is not usually refused."""
        new: Mask = ~self._edges.usual
        return new

    @cached_property
    def _worked(self) -> Mask:
        """For each row, whether the connection usually works."""
        return self._edges.worked

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
        least = self._policy.thresholds.probing_destinations
        if len(self._rows) < least:  # as in most batches
            return np.zeros(len(self._by_client), bool)
        probes: Mask = self._pairs >= least
        return probes

    @cached_property
    def _pairs(self) -> Integers:
        """For each group of `_by_client`, the pairs of host and port that count as probed."""
        server = self._directions.server
        pairs = Groups(self._keys(self._by_client.numbers, len(self._rows), server, ~self._denied))
        # A rule that was tightened rejects many usual connections of a host: that is no evidence of probing.
        new = pairs.rows[(self._new & ~self._worked)[pairs.rows]]
        kinds = self._by_client.numbers[new] * 2 + self._denied[new]
        asked, denied = np.bincount(kinds, minlength=2 * len(self._by_client)).reshape(-1, 2).T
        # Denials alone do not make a prober: they count at most as much as other rejections.
        counted: Integers = asked + np.minimum(denied, asked)
        return counted

    @cached_property
    def _denied(self) -> Mask:
        """For each row, whether the client's own rules rejected it on the way to the internet.

        Such a record shows that a rule denies the service; the address carries no information. An address of
        the internet has no interface in the VPC, so an unknown side must be the client's.
        """
        outside = is_outside(self._column(self._directions.server_class))
        denied: Mask = outside & (self._column(self._directions.side) != INGRESS)
        return denied

    @cached_property
    def _tightened(self) -> Mask:
        """For each row, whether it is one of many usual connections that the client's own rules reject."""
        least = self._policy.thresholds.probing_destinations
        if len(self._rows) < least:
            return np.zeros(len(self._rows), bool)
        here = self._worked & (self._column(self._directions.side) == EGRESS) & ~self._denied
        (chosen,) = here.nonzero()
        if len(chosen) < least:
            return np.zeros(len(self._rows), bool)
        clients = self._by_client.numbers
        pairs = Groups(self._keys(clients, len(self._rows), self._directions.server)[chosen])
        counts = np.bincount(clients[chosen][pairs.rows], minlength=len(self._by_client))
        tightened: Mask = here & (counts >= least)[clients]
        return tightened

    @cached_property
    def denied(self) -> Integers:
        """The rows of the attempts that are explained by the client's own outbound rules.

        These are all attempts on the way to the internet, and usual connections to internal hosts if many of
        them fail. Excludes stray packets, and hosts that probe, which `host-probing` reports.
        """
        own = (self._denied | self._tightened) & self._counts & ~self._probes[self._by_client.numbers]
        rows: Integers = self._rows[own]
        return rows

    @cached_property
    def _attempts(self) -> Groups:
        """Attempts of a host at one service, on any replica: client, class of the server, protocol, port."""
        classes = self._directions.server_class
        return Groups(self._keys(self._by_client.numbers, len(self._rows), classes), ordered=True)

    @cached_property
    def _counts(self) -> Mask:
        """For each row, whether its attempts are more than stray packets."""
        enough: Mask = np.asarray(self._packets >= self._policy.thresholds.blocked_packets, bool)
        return enough[self._attempts.numbers]

    @cached_property
    def _packets(self) -> Integers:
        """For each group of `_attempts`, its packets."""
        packets = self._column(self._directions.traffic.flows["packets"])
        # A record stands for at least one packet, even if the log format omits the count.
        sums: Integers = self._attempts.sums(np.where(packets == ABSENT, 1, packets))
        return sums

    @cached_property
    def blocking_services(self) -> RowGroups:
        """The rejected flows of each internal service that rejects many internal hosts.

        Probers and exempt hosts do not count as clients: a host that tries many services is no evidence about
        one of them.
        """
        chosen, services = self._blocking
        groups, many = services
        return RowGroups(self._rows[chosen], groups, many.nonzero()[0])

    @cached_property
    def _blocking(self) -> tuple[Integers, tuple[Groups, Mask]]:
        """Positions of the flows of ordinary clients, by service, and which services reject many of them."""
        least, chosen = self._policy.thresholds.service_blocked_clients, self._ordinary
        if len(chosen) < least:
            return chosen[:0], (Groups(chosen[:0]), chosen[:0] > 0)
        services, counts = self._shut_out
        return chosen, (services, counts >= least)

    @cached_property
    def _ordinary(self) -> Integers:
        """Positions of the flows of ordinary clients to internal services."""
        asked = (
            self._counts & self._new & ~self._tightened & (self._column(self._directions.server_class) == OWN)
        )
        asked &= ~self._probes[self._by_client.numbers] & ~self.exempt(self._rows)
        return np.flatnonzero(asked)

    @cached_property
    def _shut_out(self) -> tuple[Groups, Integers]:
        """`_ordinary` by service, and the number of clients that each rejects."""
        chosen = self._ordinary
        services = Groups(self._places(chosen), ordered=True)
        texts = len(self._directions.traffic.flows.texts)
        clients = self._column(self._directions.client)[chosen]
        different = Groups(packed([services.numbers, clients], [max(1, len(services)), texts]))
        counts = np.bincount(services.numbers[different.rows], minlength=len(services))
        return services, counts

    @cached_property
    def blocked(self) -> RowGroups:
        """The rejected attempts that no blocked service explains, by host and service.

        Excludes hosts that probe, which `host-probing` reports.
        """
        rest = self._counts & self._new & ~self._explained & ~self._denied & ~self._tightened
        rest &= ~self._probes[self._by_client.numbers]
        (chosen,) = rest.nonzero()
        numbers = self._attempts.numbers[chosen]
        groups = Groups(numbers, ordered=True)
        return RowGroups(self._rows[chosen], groups, np.arange(len(groups)))

    @cached_property
    def _explained(self) -> Mask:
        """For each row, whether a service that blocks many hosts, its client among them, explains it."""
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

    def refusal(self, row: int) -> Refusal | None:
        """What the flow in a row counts for; None if it is no rejected connection of an internal host."""
        (found,) = (self._rows == row).nonzero()
        if not len(found):
            return None
        at = int(found[0])
        client, (ordinary,) = self._by_client.numbers[at], (self._ordinary == at).nonzero()
        services, clients = self._shut_out
        return Refusal(
            pairs=int(self._pairs[client]),
            packets=int(self._packets[self._attempts.numbers[at]]),
            clients=int(clients[services.numbers[ordinary[0]]]) if len(ordinary) else 0,
            usual=not self._new[at],
            probes=bool(self._probes[client]),
            outbound=bool(self._denied[at] | self._tightened[at]),
            service=bool(self._explained[at]),
        )

    def worked(self, rows: Integers, *, if_unknown: bool = False) -> Mask:
        """Which of these rows are connections that usually work.

        Args:
            rows: of rejected connections of internal hosts.
            if_unknown: whether a connection counts if neither end is known, so that nothing can be compared.
        """
        if not len(rows):
            return np.zeros(0, bool)
        worked = np.zeros(len(self._directions.traffic.flows), bool)
        worked[self._rows] = self._worked
        if if_unknown:
            worked[self._rows] |= ~self._edges.compared
        of_rows: Mask = worked[rows]
        return of_rows

    def exempt(self, rows: Integers) -> Mask:
        """Which of these rows have an exempt client."""
        exempt = host_set(self._policy.exempt)
        clients = self._directions.client[rows]
        held: Mask = self._directions.traffic.flows.answers(exempt.holding).of(clients) > 0
        return held

    def _column(self, column: Integers) -> Integers:
        values: Integers = column[self._rows]
        return values

    def _keys(
        self, numbers: Integers, size: int, of: Integers, where: Mask | np.bool_ = np.True_
    ) -> Integers:
        """Keys of a number, a column (only in some rows), the protocol and the port."""
        directions, texts = self._directions, len(self._directions.traffic.flows.texts)
        column = np.where(where, self._column(of), ABSENT)
        columns = [numbers, column, self._column(directions.traffic.flows["protocol"])]
        columns.append(self._column(directions.service_port))
        return packed(columns, [max(size, 1), texts, 2**8, 2**16])

    def _places(self, positions: Integers) -> Integers:
        """Keys of the server, the protocol and the port of the flows at these positions."""
        directions, rows = self._directions, self._rows[positions]
        columns = [directions.server, directions.traffic.flows["protocol"], directions.service_port]
        sizes: Sequence[int] = [len(directions.traffic.flows.texts), 2**8, 2**16]
        return packed([column[rows] for column in columns], sizes)
