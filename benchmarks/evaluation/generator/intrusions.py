"""Unusual directions: new outbound and inbound connections."""

from __future__ import annotations

from typing import Final

from benchmarks.evaluation.generator import addresses
from benchmarks.evaluation.generator.conversations import REFUSED
from benchmarks.evaluation.generator.fleet import never_used
from benchmarks.evaluation.generator.roles import BY_NAME
from benchmarks.evaluation.generator.scheduler import LabelPart, RemoteEnd, Scheduler

LISTENERS: Final = "database", "cache", "queue"
"""Roles that never initiate connections to the internet."""


def listener_goes_out(scheduler: Scheduler, begin: int) -> LabelPart:
    """A host that never initiated connections connects to the internet, several times."""
    random = scheduler.random
    seconds = random.randrange(300, 3600)
    source = scheduler.reserve(LISTENERS, begin, begin + seconds)
    target = addresses.internet_address(random)
    for number in range(random.randrange(3, 12)):
        at = begin + (random.randrange(seconds) if number else 0)
        scheduler.connect(source, RemoteEnd(target), 443, at, seconds=20, via=scheduler.gateway(source))
    return scheduler.label(source, [target], begin + seconds)


def public_into_private(scheduler: Scheduler, begin: int) -> LabelPart:
    """An internet host connects to a host in a private subnet, and gets replies."""
    random = scheduler.random
    seconds = random.randrange(60, 1800)
    target = scheduler.reserve(("app", "web", "worker", "database"), begin, begin + seconds)
    source, port = addresses.internet_address(random), scheduler.port(target, (22, 8080, 5432, 8443))
    for number in range(random.randrange(1, 20)):
        scheduler.connect_from_internet(
            source, target, port, begin + (random.randrange(seconds) if number else 0)
        )
    return scheduler.label(target, [target.address], begin + seconds, source)


def exposed_administration(scheduler: Scheduler, begin: int) -> LabelPart:
    """A rule was opened: internet hosts connect to an administration or database port, and get replies."""
    random = scheduler.random
    seconds = random.randrange(300, 1800)
    target = scheduler.reserve(("legacy",), begin, begin + seconds)
    source, port = addresses.internet_address(random), scheduler.port(target, (22, 3389, 445, 5432, 6379))
    for number in range(random.randrange(1, 8)):
        scheduler.connect_from_internet(
            source, target, port, begin + (random.randrange(seconds) if number else 0)
        )
    return scheduler.label(target, [target.address], begin + seconds, source)


def beacon(scheduler: Scheduler, begin: int) -> LabelPart:
    """A host connects to the same internet host for hours, on a port that its role never used."""
    random = scheduler.random
    seconds = random.randrange(3, 5) * 3600
    source = scheduler.reserve(("app", "worker", "node"), begin, begin + seconds)
    target, port, at = (
        addresses.internet_address(random),
        scheduler.port(source, (4444, 8444, 1337, 9001)),
        begin,
    )
    while at < begin + seconds:
        scheduler.connect(source, RemoteEnd(target), port, at, seconds=5, via=scheduler.gateway(source))
        at += random.randrange(240, 600)
    return scheduler.label(source, [target], begin + seconds)


def database_initiates(scheduler: Scheduler, begin: int) -> LabelPart:
    """A database connects to internal hosts that are not its replicas."""
    random = scheduler.random
    seconds = random.randrange(120, 1800)
    source = scheduler.reserve(("database",), begin, begin + seconds)
    targets = random.sample(scheduler.neighbors(source, "app", "web", "worker", "node"), 3)
    for number, target in enumerate(targets):
        for _ in range(random.randrange(1, 6)):
            at = begin + (random.randrange(seconds) if number else 0)
            scheduler.connect(source, RemoteEnd.at(target), random.choice((22, 8080, 8443)), at, seconds=10)
    return scheduler.label(source, [target.address for target in targets], begin + seconds)


def scan_hit(scheduler: Scheduler, begin: int) -> LabelPart:
    """An internet host is rejected at many ports, and accepted at one that was never used before."""
    random = scheduler.random
    seconds = random.randrange(300, 1500)
    target = scheduler.reserve(("legacy", "bastion"), begin, begin + seconds)
    source, hit = addresses.internet_address(random), scheduler.port(target, (2222, 8000, 9000, 5000, 8888))
    closed = set(range(1, 1024)) - {22, BY_NAME[target.interface.role].open_port}
    for port in random.sample(sorted(closed), random.randrange(15, 60)):
        scheduler.connect_from_internet(source, target, port, begin + random.randrange(seconds // 2), REFUSED)
    for _ in range(random.randrange(2, 8)):
        scheduler.connect_from_internet(source, target, hit, begin + random.randrange(seconds // 2, seconds))
    return scheduler.label(target, [target.address], begin + seconds, source)


def exfiltration(scheduler: Scheduler, begin: int) -> LabelPart:
    """Send gigabytes to a new destination."""
    random = scheduler.random
    seconds = random.randrange(900, 3600)
    source = scheduler.reserve(("app", "worker", "node"), begin, begin + seconds)
    target, size = addresses.internet_address(random), random.randrange(4, 40) * 10**9
    parts = random.randrange(4, 12)
    for number in range(parts):
        at = begin + number * seconds // parts
        asked = size // parts // 1400, size // parts
        answered = asked[0] // 20, asked[0] * 3
        scheduler.connect(
            *(source, RemoteEnd(target), 443, at),
            seconds=60, asked=asked, answered=answered, via=scheduler.gateway(source),
        )  # fmt: skip
    return scheduler.label(source, [target], begin + seconds)


def egress_rejects(scheduler: Scheduler, begin: int) -> LabelPart:
    """A server's own rules reject its connections to the same destination for hours."""
    random = scheduler.random
    seconds = random.randrange(4, 7) * 3600
    source = scheduler.reserve(("app", "web", "database", "cache"), begin, begin + seconds)
    target = addresses.internet_address(random) if random.random() < 0.5 else never_used(source, random)
    at, port = begin, scheduler.port(source, (25, 4444, 8080, 6667))
    while at < begin + seconds:
        scheduler.egress_rejected(source, target, port, at)
        at += random.randrange(60, 300)
    return scheduler.label(source, [target], begin + seconds)
