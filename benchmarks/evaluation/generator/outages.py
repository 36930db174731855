"""Operational incidents: rules that became too strict, and lost records."""

from __future__ import annotations

from random import Random
from typing import Final

from benchmarks.evaluation.generator import addresses
from benchmarks.evaluation.generator.conversations import ANSWER_REFUSED, REFUSED, TCP
from benchmarks.evaluation.generator.hosts import Host, Stretch
from benchmarks.evaluation.generator.roles import EDGES, Edge
from benchmarks.evaluation.generator.stage import Deed, Far, Stage

SERVERS: Final = "database", "cache", "queue", "app"
TALKATIVE: Final = "app", "web", "node", "queue", "cache", "alb"
SPIKE: Final = 6_000
"""Records in a spike of rejected connections: three times the radiation of a day."""


def security_group_fault(stage: Stage, begin: int) -> Deed:
    """A server's security group rejects its regular clients."""
    return _shut(stage, begin, REFUSED)


def nacl_fault(stage: Stage, begin: int) -> Deed:
    """A network ACL accepts the requests and rejects the replies."""
    return _shut(stage, begin, ANSWER_REFUSED)


def reject_spike(stage: Stage, begin: int) -> Deed:
    """Hundreds of internet sources probe an address, far more than usual."""
    random = stage.random
    seconds = random.randrange(900, 2400)
    target = stage.cast(("legacy", "bastion", "alb"), begin, begin + seconds)
    sources = addresses.pool(random, 400)
    for _ in range(SPIKE):
        at, port = begin + random.randrange(seconds), random.choice((23, 2323, 22, 8291, 7547))
        stage.visit(random.choice(sources), target, port, at, REFUSED)
    return stage.deed(target, [target.address], begin + seconds)


def records_lost(stage: Stage, begin: int) -> Deed:
    """AWS skips the records of many successive windows."""
    host, end = _chosen(stage, begin, (1800, 7200))
    host.blind += (Stretch(begin, end),)
    return stage.deed(host, (), end)


def interface_silent(stage: Stage, begin: int) -> Deed:
    """An interface stops writing: no lines, not even NODATA."""
    host, end = _chosen(stage, begin, (4 * 3600, 7 * 3600))
    host.mute += (Stretch(begin, end),)
    return stage.deed(host, (), end)


def unreadable_lines(stage: Stage, begin: int) -> Deed:
    """An interface's stream contains lines that are not flow records."""
    host, end = _chosen(stage, begin, (1200, 5400))
    host.garbled += (Stretch(begin, end),)
    return stage.deed(host, (), end)


def _chosen(stage: Stage, begin: int, seconds: tuple[int, int]) -> tuple[Host, int]:
    end = begin + stage.random.randint(*seconds)
    return stage.cast(TALKATIVE, begin, end), end


def _shut(stage: Stage, begin: int, outcome: int) -> Deed:
    """All clients of a service retry repeatedly without success."""
    random = stage.random
    seconds = random.randrange(1800, 7200)
    server = stage.cast(SERVERS, begin, begin + seconds)
    edge = _main_edge(server, random)
    clients = stage.neighbors(server, edge.client)
    for client in random.sample(clients, min(len(clients), random.randrange(4, 12))):
        at = begin + random.randrange(60)
        while at < begin + seconds:
            tries = random.choice((3, 4, 6))
            stage.talk(
                *(client, Far.at(server), edge.port, at),
                seconds=3 * tries, outcome=outcome, asked=(tries, 60 * tries), answered=(tries, 60 * tries),
            )  # fmt: skip
            at += random.randrange(20, 240)
    return stage.deed(server, [server.address], begin + seconds)


def _main_edge(server: Host, random: Random) -> Edge:
    """A service of the host's role with daily clients of another role."""
    role = server.interface.role
    known = [
        edge
        for edge in EDGES
        if edge.server == role and edge.protocol == TCP and edge.client in {"web", "app", "worker", "node"}
    ]
    return random.choice(known)
