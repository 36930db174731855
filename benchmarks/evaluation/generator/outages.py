"""Operational incidents: rules that became too strict, and lost records."""

from __future__ import annotations

from random import Random
from typing import Final

from benchmarks.evaluation.generator import addresses
from benchmarks.evaluation.generator.conversations import ANSWER_REFUSED, REFUSED, TCP
from benchmarks.evaluation.generator.hosts import Host, Period
from benchmarks.evaluation.generator.roles import EDGES, Edge
from benchmarks.evaluation.generator.scheduler import LabelPart, RemoteEnd, Scheduler

SERVERS: Final = "database", "cache", "queue", "app"
BUSY_ROLES: Final = "app", "web", "node", "queue", "cache", "alb"
SPIKE: Final = 6_000
"""Records in a spike of rejected connections: three times the radiation of a day."""


def security_group_fault(scheduler: Scheduler, begin: int) -> LabelPart:
    """A server's security group rejects its regular clients."""
    return _block(scheduler, begin, REFUSED)


def nacl_fault(scheduler: Scheduler, begin: int) -> LabelPart:
    """A network ACL accepts the requests and rejects the replies."""
    return _block(scheduler, begin, ANSWER_REFUSED)


def reject_spike(scheduler: Scheduler, begin: int) -> LabelPart:
    """Hundreds of internet sources probe an address, far more than usual."""
    random = scheduler.random
    seconds = random.randrange(900, 2400)
    target = scheduler.reserve(("legacy", "bastion", "alb"), begin, begin + seconds)
    sources = addresses.pool(random, 400)
    for _ in range(SPIKE):
        at, port = begin + random.randrange(seconds), random.choice((23, 2323, 22, 8291, 7547))
        scheduler.connect_from_internet(random.choice(sources), target, port, at, REFUSED)
    return scheduler.label(target, [target.address], begin + seconds)


def records_lost(scheduler: Scheduler, begin: int) -> LabelPart:
    """AWS skips the records of many successive windows."""
    host, end = _chosen(scheduler, begin, (1800, 7200))
    host.blind += (Period(begin, end),)
    return scheduler.label(host, (), end)


def interface_silent(scheduler: Scheduler, begin: int) -> LabelPart:
    """An interface stops writing: no lines, not even NODATA."""
    host, end = _chosen(scheduler, begin, (4 * 3600, 7 * 3600))
    host.mute += (Period(begin, end),)
    return scheduler.label(host, (), end)


def unreadable_lines(scheduler: Scheduler, begin: int) -> LabelPart:
    """An interface's stream contains lines that are not flow records."""
    host, end = _chosen(scheduler, begin, (1200, 5400))
    host.garbled += (Period(begin, end),)
    return scheduler.label(host, (), end)


def _chosen(scheduler: Scheduler, begin: int, seconds: tuple[int, int]) -> tuple[Host, int]:
    end = begin + scheduler.random.randint(*seconds)
    return scheduler.reserve(BUSY_ROLES, begin, end), end


def _block(scheduler: Scheduler, begin: int, outcome: int) -> LabelPart:
    """All clients of a service retry repeatedly without success."""
    random = scheduler.random
    seconds = random.randrange(1800, 7200)
    server = scheduler.reserve(SERVERS, begin, begin + seconds)
    edge = _main_edge(server, random)
    clients = scheduler.neighbors(server, edge.client)
    for client in random.sample(clients, min(len(clients), random.randrange(4, 12))):
        at = begin + random.randrange(60)
        while at < begin + seconds:
            tries = random.choice((3, 4, 6))
            scheduler.connect(
                *(client, RemoteEnd.at(server), edge.port, at),
                seconds=3 * tries, outcome=outcome, asked=(tries, 60 * tries), answered=(tries, 60 * tries),
            )  # fmt: skip
            at += random.randrange(20, 240)
    return scheduler.label(server, [server.address], begin + seconds)


def _main_edge(server: Host, random: Random) -> Edge:
    """A service of the host's role with daily clients of another role."""
    role = server.interface.role
    known = [
        edge
        for edge in EDGES
        if edge.server == role and edge.protocol == TCP and edge.client in {"web", "app", "worker", "node"}
    ]
    return random.choice(known)
