"""Unusual directions: new outbound and inbound connections."""

from __future__ import annotations

from typing import Final

from benchmarks.evaluation.generator import addresses
from benchmarks.evaluation.generator.conversations import REFUSED
from benchmarks.evaluation.generator.fleet import never_used
from benchmarks.evaluation.generator.roles import BY_NAME
from benchmarks.evaluation.generator.stage import Deed, Far, Stage

LISTENERS: Final = "database", "cache", "queue"
"""Roles that never initiate connections to the internet."""


def listener_goes_out(stage: Stage, begin: int) -> Deed:
    """A host that never initiated connections connects to the internet, several times."""
    random = stage.random
    seconds = random.randrange(300, 3600)
    source = stage.cast(LISTENERS, begin, begin + seconds)
    target = addresses.stranger(random)
    for number in range(random.randrange(3, 12)):
        at = begin + (random.randrange(seconds) if number else 0)
        stage.talk(source, Far(target), 443, at, seconds=20, via=stage.gateway(source))
    return stage.deed(source, [target], begin + seconds)


def public_into_private(stage: Stage, begin: int) -> Deed:
    """An internet host connects to a host in a private subnet, and gets replies."""
    random = stage.random
    seconds = random.randrange(60, 1800)
    target = stage.cast(("app", "web", "worker", "database"), begin, begin + seconds)
    source, port = addresses.stranger(random), stage.port(target, (22, 8080, 5432, 8443))
    for number in range(random.randrange(1, 20)):
        stage.visit(source, target, port, begin + (random.randrange(seconds) if number else 0))
    return stage.deed(target, [target.address], begin + seconds, source)


def exposed_administration(stage: Stage, begin: int) -> Deed:
    """A rule was opened: internet hosts connect to an administration or database port, and get replies."""
    random = stage.random
    seconds = random.randrange(300, 1800)
    target = stage.cast(("legacy",), begin, begin + seconds)
    source, port = addresses.stranger(random), stage.port(target, (22, 3389, 445, 5432, 6379))
    for number in range(random.randrange(1, 8)):
        stage.visit(source, target, port, begin + (random.randrange(seconds) if number else 0))
    return stage.deed(target, [target.address], begin + seconds, source)


def beacon(stage: Stage, begin: int) -> Deed:
    """A host connects to the same internet host for hours, on a port that its role never used."""
    random = stage.random
    seconds = random.randrange(3, 5) * 3600
    source = stage.cast(("app", "worker", "node"), begin, begin + seconds)
    target, port, at = addresses.stranger(random), stage.port(source, (4444, 8444, 1337, 9001)), begin
    while at < begin + seconds:
        stage.talk(source, Far(target), port, at, seconds=5, via=stage.gateway(source))
        at += random.randrange(240, 600)
    return stage.deed(source, [target], begin + seconds)


def database_initiates(stage: Stage, begin: int) -> Deed:
    """A database connects to internal hosts that are not its replicas."""
    random = stage.random
    seconds = random.randrange(120, 1800)
    source = stage.cast(("database",), begin, begin + seconds)
    targets = random.sample(stage.neighbors(source, "app", "web", "worker", "node"), 3)
    for number, target in enumerate(targets):
        for _ in range(random.randrange(1, 6)):
            at = begin + (random.randrange(seconds) if number else 0)
            stage.talk(source, Far.at(target), random.choice((22, 8080, 8443)), at, seconds=10)
    return stage.deed(source, [target.address for target in targets], begin + seconds)


def scan_hit(stage: Stage, begin: int) -> Deed:
    """An internet host is rejected at many ports, and accepted at one that was never used before."""
    random = stage.random
    seconds = random.randrange(300, 1500)
    target = stage.cast(("legacy", "bastion"), begin, begin + seconds)
    source, hit = addresses.stranger(random), stage.port(target, (2222, 8000, 9000, 5000, 8888))
    closed = set(range(1, 1024)) - {22, BY_NAME[target.interface.role].open_port}
    for port in random.sample(sorted(closed), random.randrange(15, 60)):
        stage.visit(source, target, port, begin + random.randrange(seconds // 2), REFUSED)
    for _ in range(random.randrange(2, 8)):
        stage.visit(source, target, hit, begin + random.randrange(seconds // 2, seconds))
    return stage.deed(target, [target.address], begin + seconds, source)


def exfiltration(stage: Stage, begin: int) -> Deed:
    """Send gigabytes to a new destination."""
    random = stage.random
    seconds = random.randrange(900, 3600)
    source = stage.cast(("app", "worker", "node"), begin, begin + seconds)
    target, size = addresses.stranger(random), random.randrange(4, 40) * 10**9
    parts = random.randrange(4, 12)
    for number in range(parts):
        at = begin + number * seconds // parts
        asked = size // parts // 1400, size // parts
        answered = asked[0] // 20, asked[0] * 3
        stage.talk(
            *(source, Far(target), 443, at),
            seconds=60, asked=asked, answered=answered, via=stage.gateway(source),
        )  # fmt: skip
    return stage.deed(source, [target], begin + seconds)


def egress_rejects(stage: Stage, begin: int) -> Deed:
    """A server's own rules reject its connections to the same destination for hours."""
    random = stage.random
    seconds = random.randrange(4, 7) * 3600
    source = stage.cast(("app", "web", "database", "cache"), begin, begin + seconds)
    target = addresses.stranger(random) if random.random() < 0.5 else never_used(source, random)
    at, port = begin, stage.port(source, (25, 4444, 8080, 6667))
    while at < begin + seconds:
        stage.barred(source, target, port, at)
        at += random.randrange(60, 300)
    return stage.deed(source, [target], begin + seconds)
