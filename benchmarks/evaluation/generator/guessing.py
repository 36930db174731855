"""Password guessing: from the internet, slowly, at databases, and from bastions."""

from __future__ import annotations

from typing import Final

from benchmarks.evaluation.generator import addresses
from benchmarks.evaluation.generator.hosts import Host
from benchmarks.evaluation.generator.stage import Deed, Far, Stage

LONGEST_SLOW: Final = 9 * 3600


def from_outside(stage: Stage, begin: int) -> Deed:
    """An internet host opens hundreds of short sessions with an administration port."""
    random = stage.random
    seconds = random.randrange(900, 3000)
    target = stage.cast(("bastion", "legacy"), begin, begin + seconds)
    port = 22 if target.interface.role == "bastion" else stage.port(target, (22, 3389, 5900, 5985))
    source = addresses.stranger(random)
    for _ in range(random.randrange(150, 600)):
        sizes = _sizes(stage)
        stage.visit(source, target, port, begin + random.randrange(seconds), seconds=3, sizes=sizes)
    return stage.deed(target, [target.address], begin + seconds, source)


def slowly(stage: Stage, begin: int) -> Deed:
    """Guess a password every few minutes for hours: too few per hour to be found within an hour."""
    random = stage.random
    seconds = random.randrange(7 * 3600, LONGEST_SLOW)
    source = stage.cast(("web", "worker", "node"), begin, begin + seconds)
    target, at = random.choice(stage.neighbors(source, "legacy", "bastion", "database")), begin
    while at < begin + seconds:
        _guess(stage, source, target, 22, at)
        at += random.randrange(120, 300)
    return stage.deed(source, [target.address], begin + seconds)


def at_a_database(stage: Stage, begin: int) -> Deed:
    """Guess passwords of a database from a role that usually connects to it."""
    random = stage.random
    seconds = random.randrange(900, 3000)
    source = stage.cast(("app", "worker", "node"), begin, begin + seconds)
    target = random.choice(stage.neighbors(source, "database"))
    for _ in range(random.randrange(150, 400)):
        _guess(stage, source, target, 5432, begin + random.randrange(seconds))
    return stage.deed(source, [target.address], begin + seconds)


def from_a_bastion(stage: Stage, begin: int) -> Deed:
    """Guess passwords from a bastion, which usually logs in to other hosts."""
    random = stage.random
    seconds = random.randrange(2400, 3500)
    source = stage.cast(("bastion",), begin, begin + seconds)
    target = random.choice(stage.neighbors(source, "app", "web", "worker"))
    for _ in range(random.randrange(70, 140)):
        _guess(stage, source, target, 22, begin + random.randrange(seconds))
    return stage.deed(source, [target.address], begin + seconds)


def _guess(stage: Stage, source: Host, target: Host, port: int, at: int) -> None:
    asked, answered = _sizes(stage)
    stage.talk(source, Far.at(target), port, at, seconds=2, asked=asked, answered=answered)


def _sizes(stage: Stage) -> tuple[tuple[int, int], tuple[int, int]]:
    """Packets and bytes in each direction of a refused log-in."""
    random = stage.random
    return (random.randrange(10, 13), random.randrange(1500, 1700)), (11, random.randrange(1900, 2100))
