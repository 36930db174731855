"""Scans and lateral movement: an internal host finds other hosts, and logs in to them."""

from __future__ import annotations

from typing import Final

from benchmarks.evaluation.generator.conversations import OK, REFUSED, RESET, SILENT
from benchmarks.evaluation.generator.fleet import never_used
from benchmarks.evaluation.generator.hosts import Host
from benchmarks.evaluation.generator.scheduler import LabelPart, RemoteEnd, Scheduler

SOURCES: Final = "web", "app", "worker", "node", "edge", "legacy"
"""Roles of the compromised hosts."""
ADMIN_PORTS: Final = 22, 445, 3389, 5985, 135, 5986
SWEPT_PORTS: Final = 445, 22, 3389, 6379, 9200, 2375, 5900, 8080

SLOW_PROBES, VERY_SLOW_PROBES = 110, 130
LONGEST_SLOW: Final = SLOW_PROBES * 120
LONGEST_VERY_SLOW: Final = 20 * 3600


def fast_vertical(scheduler: Scheduler, begin: int) -> LabelPart:
    """Scan hundreds of ports of one host within a minute."""
    random = scheduler.random
    source = scheduler.reserve(SOURCES, begin, begin + 60)
    target = random.choice(scheduler.neighbors(source))
    ports = random.sample(range(1, 10_000), random.randrange(200, 1000))
    for port in ports:
        outcome = RESET if random.random() < 0.05 else REFUSED
        scheduler.probe(source, RemoteEnd.at(target), port, begin + random.randrange(50), outcome)
    return scheduler.label(source, [target.address], begin + 60)


def horizontal(scheduler: Scheduler, begin: int) -> LabelPart:
    """Scan one port of a whole subnet within minutes."""
    random = scheduler.random
    seconds = random.randrange(60, 300)
    source = scheduler.reserve(SOURCES, begin, begin + seconds)
    port = random.choice(SWEPT_PORTS)
    targets = some(scheduler, source, random.randrange(60, 250))
    for target in targets:
        scheduler.probe(source, target, port, begin + random.randrange(seconds), _outcome(scheduler, target))
    return scheduler.label(source, [target.address for target in targets], begin + seconds)


def block(scheduler: Scheduler, begin: int) -> LabelPart:
    """Scan several ports of many hosts."""
    random = scheduler.random
    source = scheduler.reserve(SOURCES, begin, begin + 300)
    targets = some(scheduler, source, random.randrange(20, 40))
    ports = random.sample(range(20, 10_000), random.randrange(8, 20))
    for target in targets:
        for port in ports:
            scheduler.probe(source, target, port, begin + random.randrange(300), _outcome(scheduler, target))
    return scheduler.label(source, [target.address for target in targets], begin + 300)


def slow(scheduler: Scheduler, begin: int) -> LabelPart:
    """Send a probe every 30 to 120 seconds."""
    return _slow_scan(scheduler, begin, SLOW_PROBES, (30, 120))


def very_slow(scheduler: Scheduler, begin: int) -> LabelPart:
    """Send a probe every 5 to 15 minutes."""
    return _slow_scan(scheduler, begin, VERY_SLOW_PROBES, (300, 900))


def lateral_movement(scheduler: Scheduler, begin: int) -> LabelPart:
    """Connect to administration ports of unrelated hosts; almost half of them accept it."""
    random = scheduler.random
    seconds = random.randrange(1200, 5400)
    source = scheduler.reserve(SOURCES, begin, begin + seconds)
    targets = random.sample(scheduler.neighbors(source), random.randrange(8, 20))
    accepted = {*random.sample(range(len(targets)), round(len(targets) * random.uniform(0.4, 0.5)))}
    for number, target in enumerate(targets):
        at = begin + number * seconds // len(targets)
        port = random.choice(ADMIN_PORTS)
        if number in accepted:
            scheduler.connect(source, RemoteEnd.at(target), port, at, seconds=random.randrange(5, 120))
        else:
            scheduler.probe(source, RemoteEnd.at(target), port, at, random.choice((REFUSED, RESET)))
    return scheduler.label(source, [target.address for target in targets], begin + seconds)


def ssh_brute_force(scheduler: Scheduler, begin: int) -> LabelPart:
    """Many logins at one host: the security group accepts them, but the password is wrong."""
    random = scheduler.random
    seconds = random.randrange(600, 1800)
    source = scheduler.reserve(SOURCES, begin, begin + seconds)
    target = random.choice(scheduler.neighbors(source))
    for _ in range(random.randrange(120, 400)):
        at = begin + random.randrange(seconds)
        packets = random.randrange(8, 14), random.randrange(1200, 2200)
        scheduler.connect(source, RemoteEnd.at(target), 22, at, seconds=2, asked=packets, answered=packets)
    return scheduler.label(source, [target.address], begin + seconds)


def _slow_scan(scheduler: Scheduler, begin: int, probes: int, pause: tuple[int, int]) -> LabelPart:
    random = scheduler.random
    pauses = [random.randint(*pause) for _ in range(probes)]
    source = scheduler.reserve(SOURCES, begin, begin + sum(pauses))
    targets = some(scheduler, source, 40)
    at, end = begin, begin
    for wait in pauses:
        if at >= scheduler.network.end:
            break
        target = random.choice(targets)
        scheduler.probe(source, target, random.randrange(1, 10_000), at, _outcome(scheduler, target))
        at, end = at + wait, at
    return scheduler.label(source, [target.address for target in targets], end + 1)


def some(scheduler: Scheduler, source: Host, count: int) -> list[RemoteEnd]:
    """Targets in the source's VPC: half of them hosts, if there are enough; the others unused addresses."""
    random = scheduler.random
    neighbors = scheduler.neighbors(source)
    hosts = random.sample(neighbors, min(len(neighbors), count // 2))
    unused = {never_used(random.choice(neighbors), random) for _ in range(2 * count)}
    dead = random.sample(sorted(unused), min(len(unused), count - len(hosts)))
    return [*map(RemoteEnd.at, hosts), *map(RemoteEnd, dead)]


def _outcome(scheduler: Scheduler, target: RemoteEnd) -> int:
    """An unused address does not reply; a host's security group rejects most probes."""
    if target.host is None:
        return SILENT
    drawn = scheduler.random.random()
    return OK if drawn < 0.04 else RESET if drawn < 0.1 else REFUSED
