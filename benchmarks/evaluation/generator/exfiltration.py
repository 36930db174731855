"""Exfiltration in other ways than one large burst."""

from __future__ import annotations

from typing import Final

from benchmarks.evaluation.generator import addresses
from benchmarks.evaluation.generator.hosts import Host
from benchmarks.evaluation.generator.scheduler import LabelPart, RemoteEnd, Scheduler

SOURCES: Final = "app", "worker", "node"
BUCKETS: Final = tuple(f"52.218.{third}.{fourth}" for third in (30, 31, 32) for fourth in range(1, 60))
"""Addresses of object storage that no host usually contacts."""
LONGEST_SLOW: Final = 14 * 3600
MEGABYTE: Final = 10**6


def in_pieces(scheduler: Scheduler, begin: int) -> LabelPart:
    """Send a gigabyte or more within an hour, in connections of 1 to 3 MB."""
    random = scheduler.random
    seconds = random.randrange(1800, 3000)
    source = scheduler.reserve(SOURCES, begin, begin + seconds)
    target, size = addresses.internet_address(random), random.randrange(1, 4) * MEGABYTE
    for _ in range(random.randrange(1500, 3000) * MEGABYTE // size):
        _send(scheduler, source, target, begin + random.randrange(seconds), size)
    return scheduler.label(source, [target], begin + seconds)


def slowly(scheduler: Scheduler, begin: int) -> LabelPart:
    """Send about 10 MB every five minutes, for half a day."""
    random = scheduler.random
    seconds = random.randrange(12 * 3600, LONGEST_SLOW)
    source = scheduler.reserve(SOURCES, begin, begin + seconds)
    target, at = addresses.internet_address(random), begin
    while at < begin + seconds:
        _send(scheduler, source, target, at, random.randrange(8, 13) * MEGABYTE)
        at += random.randrange(240, 360)
    return scheduler.label(source, [target], begin + seconds)


def to_a_bucket(scheduler: Scheduler, begin: int) -> LabelPart:
    """Send gigabytes to object storage of AWS, from a role that never sent any there."""
    random = scheduler.random
    seconds = random.randrange(900, 3000)
    source = scheduler.reserve(SOURCES, begin, begin + seconds)
    targets = random.sample(BUCKETS, random.randrange(4, 12))
    for _ in range(random.randrange(100, 400)):
        target, size = random.choice(targets), random.randrange(16, 64) * MEGABYTE
        _send(scheduler, source, target, begin + random.randrange(seconds), size)
    return scheduler.label(source, targets, begin + seconds)


def among_usual_uploads(scheduler: Scheduler, begin: int) -> LabelPart:
    """Send a few gigabytes to a new destination, from a role that uploads as much to others."""
    random = scheduler.random
    seconds = random.randrange(900, 3000)
    source = scheduler.reserve(("ci", "legacy"), begin, begin + seconds)
    target, parts = addresses.internet_address(random), random.randrange(20, 40)
    for _ in range(parts):
        size = random.randrange(1500, 3000) * MEGABYTE // parts
        _send(scheduler, source, target, begin + random.randrange(seconds), size)
    return scheduler.label(source, [target], begin + seconds)


def over_one_connection(scheduler: Scheduler, begin: int) -> LabelPart:
    """Send a gigabyte or more over one long connection, on a port that the role never used."""
    random = scheduler.random
    seconds = random.randrange(2400, 3600)
    source = scheduler.reserve(SOURCES, begin, begin + seconds)
    target, port = addresses.internet_address(random), scheduler.port(source, (2022, 8444, 9001, 1194))
    _send(scheduler, source, target, begin, random.randrange(1500, 3000) * MEGABYTE, port, seconds)
    return scheduler.label(source, [target], begin + seconds)


def _send(
    scheduler: Scheduler, source: Host, target: str, at: int, size: int, port: int = 443, seconds: int = 20
) -> None:
    asked = size // 1400, size
    answered = asked[0] // 20 + 5, asked[0] * 3 + 4000
    scheduler.connect(
        source, RemoteEnd(target), port, at, seconds=seconds, asked=asked, answered=answered,
        via=scheduler.gateway(source),
    )  # fmt: skip
