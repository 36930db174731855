"""Helpers for incidents: select hosts, and schedule their conversations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Final

from msgspec import Struct

from benchmarks.evaluation.generator.conversations import (
    EGRESS_REJECTED,
    FIRST_CLIENT_PORT,
    LAST_CLIENT_PORT,
    OK,
    RESET,
    TCP,
    Conversation,
)
from benchmarks.evaluation.generator.event_queue import EventQueue
from benchmarks.evaluation.generator.fleet import Fleet, vpc_of
from benchmarks.evaluation.generator.hosts import Host
from benchmarks.evaluation.generator.model import Network

REST: Final = 6 * 3600
"""Seconds after an incident in which its host has no other incident."""
MOST_TARGETS: Final = 300


class LabelPart(Struct, frozen=True):
    """The part of a label that the incident's function provides."""

    source: str
    interface_id: str
    targets: tuple[str, ...]
    end: int


class RemoteEnd(Struct, frozen=True):
    """The far end of a conversation: a host, or an unused address."""

    address: str
    host: Host | None = None

    @classmethod
    def at(cls, host: Host) -> RemoteEnd:
        """A host with its primary address."""
        return cls(host.address, host)


class Scheduler:
    """The hosts of the network, and functions that schedule the traffic of incidents."""

    def __init__(self, random: Random, fleet: Fleet, events: EventQueue, network: Network) -> None:
        self.random = random
        self.fleet = fleet
        self.network = network
        self.kind = ""
        """The kind of the incident that is being scheduled."""
        self._events = events
        self._reserved = Counter[tuple[str, ...]]()
        """Incidents by kind and role, and by kind, role and VPC."""
        self._used = Counter[tuple[str, int]]()
        """Incidents by role and port."""

    def reserve(self, roles: Sequence[str], begin: int, end: int) -> Host:
        """Reserve a host of one of these roles without another incident.

        Incidents of a kind affect as many roles, VPCs and hosts as possible: a second one at the same role
        would often be a repeat of the first, and what a role does on two days counts as usual.
        """
        hosts = self.fleet.with_role(*roles)
        free = [host for host in hosts if host.busy_until < begin and host.ends > end]
        ranks = {host.interface.interface_id: self._rank(host) for host in free or hosts}
        least = min(ranks.values())
        host = self.random.choice(
            [host for host in free or hosts if ranks[host.interface.interface_id] == least]
        )
        self._reserved.update(self._places(host))
        host.incidents += 1
        host.busy_until = end + REST
        host.fault = None
        return host

    def port(self, host: Host, ports: Sequence[int]) -> int:
        """One of these ports that the fewest incidents of hosts of this role used."""
        role = host.interface.role
        fewest = min(self._used[role, each] for each in ports)
        port = self.random.choice([each for each in ports if self._used[role, each] == fewest])
        self._used[role, port] += 1
        return port

    def _rank(self, host: Host) -> tuple[int, ...]:
        """The number of incidents of the kind in the role and in its VPC, and of any kind at the host."""
        return *(self._reserved[each] for each in self._places(host)), host.incidents

    def _places(self, host: Host) -> list[tuple[str, ...]]:
        interface = host.interface
        return [(self.kind, interface.role), (self.kind, interface.role, interface.vpc_id)]

    def neighbors(self, host: Host, *roles: str) -> list[Host]:
        """The other hosts of its VPC, or only those of some roles."""
        vpc = vpc_of(host.interface)
        near = (
            [each for role in roles for each in self.fleet.members[vpc, role]]
            if roles
            else self.fleet.instances(vpc)
        )
        return [each for each in near if each is not host]

    def gateway(self, host: Host) -> Host | None:
        """The host's NAT gateway to the internet; None if it needs none."""
        if host.interface.public_subnet:
            return None
        return self.random.choice(self.fleet.members[vpc_of(host.interface), "nat"])

    def probe(self, client: Host, server: RemoteEnd, port: int, at: int, outcome: int) -> None:
        """One attempt: one or a few SYNs, and the outcome."""
        tries = self.random.choice((1, 1, 2)) if outcome not in {OK, RESET} else 1
        answered = (2, 120) if outcome == OK else (1, 40)
        self.connect(client, server, port, at, outcome=outcome, asked=(tries, 44 * tries), answered=answered)

    def connect(
        self,
        client: Host,
        server: RemoteEnd,
        port: int,
        at: int,
        *,
        seconds: int = 0,
        outcome: int = OK,
        asked: tuple[int, int] = (10, 1500),
        answered: tuple[int, int] = (10, 4000),
        via: Host | None = None,
    ) -> None:
        """A conversation initiated by an internal host."""
        source_port = self.client_port()
        self._events.put(
            Conversation(
                *(client, client.address, source_port, server.host, server.address, port, TCP, at),
                *(seconds, asked, answered, outcome, via),
            )
        )

    def egress_rejected(self, client: Host, address: str, port: int, at: int) -> None:
        """An attempt that the client's own rules reject, with its SYN retransmissions."""
        tries = self.random.choice((1, 3, 4, 6))
        self.connect(
            *(client, RemoteEnd(address), port, at),
            seconds=3 * tries,
            outcome=EGRESS_REJECTED,
            asked=(tries, 60 * tries),
        )

    def packet(
        self,
        client: Host,
        server: RemoteEnd,
        port: int,
        at: int,
        protocol: int,
        outcome: int,
        *,
        flags: int | None = None,
        from_port: int | None = None,
    ) -> None:
        """A single packet of an internal host, with these TCP flags and from this port if given."""
        source_port = self.client_port() if from_port is None else from_port
        self._events.put(
            Conversation(
                *(client, client.address, source_port, server.host, server.address, port, protocol, at),
                *(0, (1, 44), (1, 44), outcome, None, flags),
            )
        )

    def connect_from_internet(
        self,
        source: str,
        server: Host,
        port: int,
        at: int,
        outcome: int = OK,
        *,
        seconds: int = 20,
        sizes: tuple[tuple[int, int], tuple[int, int]] = ((9, 1400), (8, 5200)),
    ) -> None:
        """A conversation initiated by an internet host."""
        asked, answered = sizes if outcome == OK else ((1, 44), (1, 40))
        self._events.put(
            Conversation(
                *(None, source, self.client_port(), server, server.address, port, TCP, at),
                *(seconds if outcome == OK else 0, asked, answered, outcome),
            )
        )

    def client_port(self) -> int:
        """An ephemeral port."""
        return self.random.randrange(FIRST_CLIENT_PORT, LAST_CLIENT_PORT)

    def label(self, host: Host, targets: Sequence[str], end: int, source: str = "") -> LabelPart:
        """The parts of the label: of an internal host, or of an external source against the host."""
        known = tuple(dict.fromkeys(targets))[:MOST_TARGETS]
        return LabelPart(source or host.address, host.interface.interface_id, known, end)
