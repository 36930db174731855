"""Password guessing: from the internet, slowly, at databases, and from bastions."""

from __future__ import annotations

from typing import Final

from benchmarks.evaluation.generator import addresses
from benchmarks.evaluation.generator.hosts import Host
from benchmarks.evaluation.generator.scheduler import LabelPart, RemoteEnd, Scheduler

LONGEST_SLOW: Final = 9 * 3600


def from_outside(scheduler: Scheduler, begin: int) -> LabelPart:
    """An internet host opens hundreds of short sessions with an administration port."""
    random = scheduler.random
    seconds = random.randrange(900, 3000)
    target = scheduler.reserve(("bastion", "legacy"), begin, begin + seconds)
    port = 22 if target.interface.role == "bastion" else scheduler.port(target, (22, 3389, 5900, 5985))
    source = addresses.internet_address(random)
    for _ in range(random.randrange(150, 600)):
        sizes = _sizes(scheduler)
        scheduler.connect_from_internet(
            source, target, port, begin + random.randrange(seconds), seconds=3, sizes=sizes
        )
    return scheduler.label(target, [target.address], begin + seconds, source)


def slowly(scheduler: Scheduler, begin: int) -> LabelPart:
    """Guess a password every few minutes for hours: too few per hour to be found within an hour."""
    random = scheduler.random
    seconds = random.randrange(7 * 3600, LONGEST_SLOW)
    source = scheduler.reserve(("web", "worker", "node"), begin, begin + seconds)
    target, at = random.choice(scheduler.neighbors(source, "legacy", "bastion", "database")), begin
    while at < begin + seconds:
        _guess(scheduler, source, target, 22, at)
        at += random.randrange(120, 300)
    return scheduler.label(source, [target.address], begin + seconds)


def at_a_database(scheduler: Scheduler, begin: int) -> LabelPart:
    """Guess passwords of a database from a role that usually connects to it."""
    random = scheduler.random
    seconds = random.randrange(900, 3000)
    source = scheduler.reserve(("app", "worker", "node"), begin, begin + seconds)
    target = random.choice(scheduler.neighbors(source, "database"))
    for _ in range(random.randrange(150, 400)):
        _guess(scheduler, source, target, 5432, begin + random.randrange(seconds))
    return scheduler.label(source, [target.address], begin + seconds)


def from_a_bastion(scheduler: Scheduler, begin: int) -> LabelPart:
    """Guess passwords from a bastion, which usually logs in to other hosts."""
    random = scheduler.random
    seconds = random.randrange(2400, 3500)
    source = scheduler.reserve(("bastion",), begin, begin + seconds)
    target = random.choice(scheduler.neighbors(source, "app", "web", "worker"))
    for _ in range(random.randrange(70, 140)):
        _guess(scheduler, source, target, 22, begin + random.randrange(seconds))
    return scheduler.label(source, [target.address], begin + seconds)


def _guess(scheduler: Scheduler, source: Host, target: Host, port: int, at: int) -> None:
    asked, answered = _sizes(scheduler)
    scheduler.connect(source, RemoteEnd.at(target), port, at, seconds=2, asked=asked, answered=answered)


def _sizes(scheduler: Scheduler) -> tuple[tuple[int, int], tuple[int, int]]:
    """Packets and bytes in each direction of a refused log-in."""
    random = scheduler.random
    return (random.randrange(10, 13), random.randrange(1500, 1700)), (11, random.randrange(1900, 2100))
