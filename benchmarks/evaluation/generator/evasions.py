"""Scans that avoid the usual signs of a scan."""

from __future__ import annotations

from typing import Final

from benchmarks.evaluation.generator import addresses
from benchmarks.evaluation.generator.conversations import ICMP, OK, REFUSED, SILENT, TCP, UDP
from benchmarks.evaluation.generator.roles import BY_NAME
from benchmarks.evaluation.generator.scans import SOURCES, some
from benchmarks.evaluation.generator.scheduler import LabelPart, RemoteEnd, Scheduler

HTTPS: Final = 443
STEALTHY: Final = 1, 0
"""The flags of FIN and NULL scans, as flow logs show them; those of a Xmas scan look like a FIN."""


def thin_scan_hit(scheduler: Scheduler, begin: int) -> LabelPart:
    """An internet host tries one port of each public interface every hour or so, and is then accepted."""
    random = scheduler.random
    seconds = random.randrange(6 * 3600, 8 * 3600)
    target = scheduler.reserve(("legacy",), begin, begin + seconds)
    source, hit = addresses.internet_address(random), random.choice((2222, 8000, 9000, 5000, 8888))
    for host in scheduler.fleet.public():
        if host.interface.role == "nat":
            continue  # a NAT gateway accepts and drops the packets, which is not a refusal
        closed = sorted(set(range(1, 1024)) - {22, BY_NAME[host.interface.role].open_port})
        for part in range(4):
            at = begin + part * seconds // 5 + random.randrange(seconds // 6)
            scheduler.connect_from_internet(source, host, random.choice(closed), at, REFUSED)
    for _ in range(random.randrange(2, 8)):
        scheduler.connect_from_internet(
            source, target, hit, begin + seconds - random.randrange(1, seconds // 20)
        )
    return scheduler.label(target, [target.address], begin + seconds, source)


def stealth_scan(scheduler: Scheduler, begin: int) -> LabelPart:
    """Scan hundreds of ports of one host with packets that open no connection."""
    random = scheduler.random
    source = scheduler.reserve(SOURCES, begin, begin + 120)
    target, flags = random.choice(scheduler.neighbors(source)), random.choice(STEALTHY)
    for port in random.sample(range(1, 1024), random.randrange(200, 600)):
        scheduler.packet(
            source, RemoteEnd.at(target), port, begin + random.randrange(110), TCP, REFUSED, flags=flags
        )
    return scheduler.label(source, [target.address], begin + 120)


def udp_scan(scheduler: Scheduler, begin: int) -> LabelPart:
    """Scan the UDP ports of a few hosts, whose security groups reject the packets."""
    random = scheduler.random
    source = scheduler.reserve(SOURCES, begin, begin + 300)
    targets = random.sample(scheduler.neighbors(source), 4)
    for target in targets:
        for port in random.sample(range(1, 10_000), 60):
            scheduler.packet(source, RemoteEnd.at(target), port, begin + random.randrange(290), UDP, REFUSED)
    return scheduler.label(source, [target.address for target in targets], begin + 300)


def scan_from_https(scheduler: Scheduler, begin: int) -> LabelPart:
    """Scan many hosts from the port of a web server, so that probes look like answers."""
    random = scheduler.random
    source = scheduler.reserve(SOURCES, begin, begin + 300)
    targets = some(scheduler, source, random.randrange(60, 120))
    port = random.choice((8080, 5900, 9200, 3389, 6379))
    for target in targets:
        outcome = SILENT if target.host is None else REFUSED
        at = begin + random.randrange(290)
        scheduler.packet(source, target, port, at, TCP, outcome, flags=2, from_port=HTTPS)
    return scheduler.label(source, [target.address for target in targets], begin + 300)


def ping_sweep(scheduler: Scheduler, begin: int) -> LabelPart:
    """Ping a whole subnet."""
    random = scheduler.random
    source = scheduler.reserve(SOURCES, begin, begin + 300)
    targets = some(scheduler, source, random.randrange(80, 200))
    for target in targets:
        outcome = SILENT if target.host is None else random.choice((OK, REFUSED, REFUSED))
        scheduler.packet(source, target, 0, begin + random.randrange(290), ICMP, outcome, from_port=0)
    return scheduler.label(source, [target.address for target in targets], begin + 300)
