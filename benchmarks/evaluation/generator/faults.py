"""Ordinary faults, which are not incidents: outages, stale addresses, rejected releases, replaced instances.

They also occur during learning.
"""

from __future__ import annotations

from random import Random
from typing import Final

from benchmarks.evaluation.generator.conversations import (
    FIRST_CLIENT_PORT,
    LAST_CLIENT_PORT,
    REFUSED,
    RESET,
    SILENT,
    TCP,
    Conversation,
)
from benchmarks.evaluation.generator.distributions import poisson
from benchmarks.evaluation.generator.event_queue import EventQueue
from benchmarks.evaluation.generator.fleet import Fleet, never_used, vpc_of
from benchmarks.evaluation.generator.hosts import ENDLESS, Fault, Host
from benchmarks.evaluation.generator.model import DAY
from benchmarks.evaluation.generator.roles import ANYONE, EDGES, ROLES

OUTAGES, STALE, BLOCKED, DEPLOYED = 6.0, 10.0, 3.0, 4.0
"""Number of each kind of fault per day and 1,000 interfaces."""
REPLACED: Final = 0.02
"""The daily share of instances in Auto Scaling groups that are replaced."""

_SERVERS: Final = "database", "cache", "queue", "app", "web", "node"
_CLIENTS: Final = "web", "app", "worker", "node"
_RELEASE_PORTS: Final = 11_211, 9200, 27_017, 6380, 8500, 4222
"""Ports of services on which a release newly depends."""
_SCALED: Final = tuple(role.name for role in ROLES if role.scaled)


class Faults:
    """Plans the faults of a day."""

    def __init__(self, random: Random, fleet: Fleet, events: EventQueue, stress: float) -> None:
        self._random = random
        self._fleet = fleet
        self._events = events
        self._stress = stress
        self._deployments: list[tuple[int, int, str]] = []
        """The times when all instances of a VPC and role are replaced at once."""

    def plan(self, begin: int) -> None:
        """Plan the day that begins at this time (Unix seconds)."""
        random = self._random
        thousands = len(self._fleet.hosts) / 1000 * self._stress
        for _ in range(poisson(random, OUTAGES * thousands)):
            self._outage(begin + random.randrange(DAY))
        for _ in range(poisson(random, STALE * thousands)):
            self._stale(begin + random.randrange(DAY))
        for _ in range(poisson(random, BLOCKED * thousands)):
            self._blocked_release(begin + random.randrange(DAY))
        for _ in range(poisson(random, DEPLOYED * thousands)):
            deployed = random.choice(self._fleet.vpcs), random.choice(_SCALED)
            self._deployments.append((begin + random.randrange(DAY), *deployed))

    def replace(self, begin: int, seconds: int) -> None:
        """Replace the instances planned for this time slot."""
        random = self._random
        scaled = self._fleet.with_role(*_SCALED)
        for _ in range(poisson(random, len(scaled) * REPLACED * self._stress * seconds / DAY)):
            self._replace(random.choice(scaled), begin, seconds)
        due = [each for each in self._deployments if each[0] < begin + seconds]
        self._deployments = [each for each in self._deployments if each[0] >= begin + seconds]
        for _, vpc, role in due:
            for host in list(self._fleet.members[vpc, role]):
                self._replace(host, begin, seconds)

    def _replace(self, host: Host, begin: int, seconds: int) -> None:
        """Replace an instance, unless it takes part in an ongoing incident."""
        if host.busy_until < begin and host.ends == ENDLESS:
            self._fleet.replace(host, begin, max(3600, seconds))
            self._reconnect(host, begin)

    def _outage(self, begin: int) -> None:
        host = self._random.choice(self._fleet.with_role(*_SERVERS))
        if host.busy_until < begin:
            end = begin + self._random.randrange(300, 3600)
            host.fault = Fault(begin, end, self._random.choice((SILENT, RESET)), 0)

    def _stale(self, begin: int) -> None:
        """A client that keeps connecting to an address that is no longer used."""
        random = self._random
        client = random.choice(self._fleet.with_role(*_CLIENTS))
        server = random.choice(self._fleet.members[vpc_of(client.interface), "app"])
        address, port = never_used(server, random), random.choice((8443, 5432, 6379, 9092))
        end, at = begin + random.randrange(3600, 21_600), begin
        while at < end:
            self._connect(client, None, address, port, at, SILENT)
            at += random.randrange(30, 400)

    def _blocked_release(self, begin: int) -> None:
        """A release connects to a service whose security group does not allow it yet."""
        random = self._random
        vpc = random.choice(self._fleet.vpcs)
        clients = self._fleet.members[vpc, random.choice(("web", "app", "worker"))]
        servers = random.sample(self._fleet.members[vpc, random.choice(("cache", "queue", "app"))], 2)
        port = random.choice(_RELEASE_PORTS)
        end = begin + random.randrange(900, 5400)
        for client in random.sample(clients, random.randrange(1, 5)):
            at = begin + random.randrange(300)
            while at < end:
                server = random.choice(servers)
                if server is not client:
                    self._connect(client, server, server.address, port, at, REFUSED)
                at += random.randrange(20, 180)

    def _reconnect(self, host: Host, begin: int) -> None:
        """Clients of a removed host connect to it until they learn the address of the new one."""
        random, role = self._random, host.interface.role
        vpc = vpc_of(host.interface)
        edges = [edge for edge in EDGES if edge.server in {role, ANYONE} and edge.protocol == TCP]
        known = [edge for edge in edges if (vpc, edge.client) in self._fleet.members]
        for edge in known:
            for client in self._fleet.members[vpc, edge.client][: edge.fan or 4]:
                at = begin + random.randrange(60)
                for _ in range(random.randrange(1, 6)):
                    if client is not host:
                        self._connect(client, None, host.address, edge.port, at, SILENT)
                    at += random.randrange(5, 90)

    def _connect(
        self, client: Host, server: Host | None, address: str, port: int, at: int, outcome: int
    ) -> None:
        random = self._random
        syns = random.choice((1, 3, 4, 6))
        source_port = random.randrange(FIRST_CLIENT_PORT, LAST_CLIENT_PORT)
        self._events.put(
            Conversation(
                *(client, client.address, source_port, server, address, port, TCP, at),
                *(syns * 4, (syns, 60 * syns), (0, 0), outcome),
            )
        )
