"""Changes of many hosts at once: each is one incident, whatever the number of affected hosts."""

from __future__ import annotations

from typing import Final

from benchmarks.evaluation.generator import addresses
from benchmarks.evaluation.generator.conversations import EGRESS_REJECTED, OK, REFUSED, SILENT, TCP
from benchmarks.evaluation.generator.fleet import vpc_of
from benchmarks.evaluation.generator.hosts import Host
from benchmarks.evaluation.generator.roles import EDGES, OUTSIDE, Edge
from benchmarks.evaluation.generator.scheduler import REST, LabelPart, RemoteEnd, Scheduler

LONGEST: Final = 5400
HOSTS: Final = 8
"""The number of hosts that a change affects, if there are so many."""
CLIENTS: Final = 12
GOSSIP: Final = 7946
STANDBY: Final = "10.{}.250.{}"
"""The addresses of another site, by VPC and number."""


def tightened_group(scheduler: Scheduler, begin: int) -> LabelPart:
    """The security group of all servers of a role no longer admits their clients."""
    seconds = scheduler.random.randrange(1800, LONGEST)
    servers = _fleet(scheduler, ("database", "cache", "queue"), begin, begin + seconds)
    role, clients = servers[0].interface.role, list[Host]()
    for edge in (each for each in EDGES if each.server == role and _is_service(each)):
        some = scheduler.neighbors(servers[0], edge.client)
        for client in scheduler.random.sample(some, min(len(some), CLIENTS)):
            clients.append(client)
            for server in scheduler.random.sample(servers, min(len(servers), edge.fan)):
                _retry(scheduler, client, RemoteEnd.at(server), edge.port, begin, begin + seconds, REFUSED)
    return _label(scheduler, servers, clients, begin + seconds)


def tightened_egress(scheduler: Scheduler, begin: int) -> LabelPart:
    """The outbound rules of the hosts of a role no longer allow what they use."""
    seconds = scheduler.random.randrange(1800, LONGEST)
    hosts = _fleet(scheduler, ("app", "worker"), begin, begin + seconds)
    role = hosts[0].interface.role
    for edge in (each for each in EDGES if each.client == role and each.protocol == TCP):
        servers = [] if edge.server in OUTSIDE else scheduler.neighbors(hosts[0], edge.server)
        for host in hosts:
            for _ in range(edge.fan if servers else 1):
                remote = (
                    RemoteEnd.at(scheduler.random.choice(servers))
                    if servers
                    else RemoteEnd(_vendor(scheduler))
                )
                if remote.address != host.address:
                    _retry(scheduler, host, remote, edge.port, begin, begin + seconds, EGRESS_REJECTED)
    return _label(scheduler, hosts, [], begin + seconds)


def debug_logging(scheduler: Scheduler, begin: int) -> LabelPart:
    """The hosts of a role send their debug logs to a collector on the internet."""
    random, seconds = scheduler.random, scheduler.random.randrange(1800, LONGEST)
    hosts = _fleet(scheduler, ("app", "worker", "node"), begin, begin + seconds)
    network = addresses.internet_address(random).rpartition(".")[0]
    for host in hosts:
        size, at = random.randrange(2, 6) * 10**9, begin + random.randrange(300)
        parts = seconds // 300
        for number in range(parts):
            asked = size // parts // 1400, size // parts
            scheduler.connect(
                *(host, RemoteEnd(f"{network}.{random.randrange(10, 14)}"), 443, at + number * 290),
                seconds=60, asked=asked, answered=(asked[0] // 20, asked[0] * 3), via=scheduler.gateway(host),
            )  # fmt: skip
    return _label(scheduler, hosts, [], begin + seconds)


def gossip_rollout(scheduler: Scheduler, begin: int) -> LabelPart:
    """New software on the hosts of a role tries to connect to members that do not listen yet."""
    random, seconds = scheduler.random, scheduler.random.randrange(1200, 3000)
    hosts = _fleet(scheduler, ("web", "app", "worker"), begin, begin + seconds)
    peers = scheduler.neighbors(hosts[0], "web", "app", "worker", "node")
    for host in hosts:
        others = [each for each in peers if each is not host]
        for peer in random.sample(others, min(len(others), 40)):
            at = begin + random.randrange(seconds)
            scheduler.probe(host, RemoteEnd.at(peer), GOSSIP, at, random.choice((REFUSED, SILENT)))
    return _label(scheduler, hosts, [], begin + seconds)


def recovery_test(scheduler: Scheduler, begin: int) -> LabelPart:
    """The databases copy their data to another site, which they never contacted."""
    random, seconds = scheduler.random, scheduler.random.randrange(1800, LONGEST)
    hosts = _fleet(scheduler, ("database",), begin, begin + seconds)
    sites = [STANDBY.format(vpc_of(hosts[0].interface) % 200, number) for number in (11, 12, 13)]
    for host in hosts:
        for _ in range(random.randrange(6, 20)):
            at = begin + random.randrange(seconds)
            scheduler.connect(host, RemoteEnd(random.choice(sites)), 8443, at, seconds=30, outcome=OK)
    return _label(scheduler, hosts, [], begin + seconds)


def _fleet(scheduler: Scheduler, roles: tuple[str, ...], begin: int, end: int) -> list[Host]:
    """Reserve hosts of one of the roles in one VPC."""
    first = scheduler.reserve(roles, begin, end)
    others = [each for each in scheduler.neighbors(first, first.interface.role) if each.busy_until < begin]
    fleet = [first, *others[: HOSTS - 1]]
    for host in fleet:
        host.busy_until = end + REST
    return fleet


def _is_service(edge: Edge) -> bool:
    return edge.protocol == TCP and edge.client in {"web", "app", "worker", "node", "edge", "legacy"}


def _vendor(scheduler: Scheduler) -> str:
    return scheduler.random.choice(addresses.VENDORS)


def _retry(
    scheduler: Scheduler, client: Host, remote: RemoteEnd, port: int, begin: int, end: int, outcome: int
) -> None:
    """Let a client retry for as long as the change lasts."""
    random = scheduler.random
    at = begin + random.randrange(120)
    while at < end:
        tries = random.choice((3, 4, 6))
        scheduler.connect(
            client, remote, port, at, seconds=3 * tries, outcome=outcome, asked=(tries, 60 * tries)
        )
        at += random.randrange(120, 600)


def _label(scheduler: Scheduler, hosts: list[Host], others: list[Host], end: int) -> LabelPart:
    """The first host is the source; pages about any of them are about the incident."""
    return scheduler.label(hosts[0], [each.address for each in (*hosts, *others)], end)
