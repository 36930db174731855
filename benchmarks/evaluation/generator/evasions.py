"""Scans that avoid the usual signs of a scan."""

from __future__ import annotations

from typing import Final

from benchmarks.evaluation.generator import addresses
from benchmarks.evaluation.generator.conversations import ICMP, OK, REFUSED, SILENT, TCP, UDP
from benchmarks.evaluation.generator.roles import BY_NAME
from benchmarks.evaluation.generator.scans import SOURCES, some
from benchmarks.evaluation.generator.stage import Deed, Far, Stage

HTTPS: Final = 443
STEALTHY: Final = 1, 0
"""The flags of FIN and NULL scans, as flow logs show them; those of a Xmas scan look like a FIN."""


def thin_scan_hit(stage: Stage, begin: int) -> Deed:
    """An internet host tries one port of each public interface every hour or so, and is then accepted."""
    random = stage.random
    seconds = random.randrange(6 * 3600, 8 * 3600)
    target = stage.cast(("legacy",), begin, begin + seconds)
    source, hit = addresses.stranger(random), random.choice((2222, 8000, 9000, 5000, 8888))
    for host in stage.fleet.public():
        if host.interface.role == "nat":
            continue  # a NAT gateway accepts and drops the packets, which is not a refusal
        closed = sorted(set(range(1, 1024)) - {22, BY_NAME[host.interface.role].open_port})
        for part in range(4):
            at = begin + part * seconds // 5 + random.randrange(seconds // 6)
            stage.visit(source, host, random.choice(closed), at, REFUSED)
    for _ in range(random.randrange(2, 8)):
        stage.visit(source, target, hit, begin + seconds - random.randrange(1, seconds // 20))
    return stage.deed(target, [target.address], begin + seconds, source)


def stealth_scan(stage: Stage, begin: int) -> Deed:
    """Scan hundreds of ports of one host with packets that open no connection."""
    random = stage.random
    source = stage.cast(SOURCES, begin, begin + 120)
    target, flags = random.choice(stage.neighbors(source)), random.choice(STEALTHY)
    for port in random.sample(range(1, 1024), random.randrange(200, 600)):
        stage.packet(source, Far.at(target), port, begin + random.randrange(110), TCP, REFUSED, flags=flags)
    return stage.deed(source, [target.address], begin + 120)


def udp_scan(stage: Stage, begin: int) -> Deed:
    """Scan the UDP ports of a few hosts, whose security groups reject the packets."""
    random = stage.random
    source = stage.cast(SOURCES, begin, begin + 300)
    targets = random.sample(stage.neighbors(source), 4)
    for target in targets:
        for port in random.sample(range(1, 10_000), 60):
            stage.packet(source, Far.at(target), port, begin + random.randrange(290), UDP, REFUSED)
    return stage.deed(source, [target.address for target in targets], begin + 300)


def scan_from_https(stage: Stage, begin: int) -> Deed:
    """Scan many hosts from the port of a web server, so that probes look like answers."""
    random = stage.random
    source = stage.cast(SOURCES, begin, begin + 300)
    targets = some(stage, source, random.randrange(60, 120))
    port = random.choice((8080, 5900, 9200, 3389, 6379))
    for target in targets:
        outcome = SILENT if target.host is None else REFUSED
        at = begin + random.randrange(290)
        stage.packet(source, target, port, at, TCP, outcome, flags=2, from_port=HTTPS)
    return stage.deed(source, [target.address for target in targets], begin + 300)


def ping_sweep(stage: Stage, begin: int) -> Deed:
    """Ping a whole subnet."""
    random = stage.random
    source = stage.cast(SOURCES, begin, begin + 300)
    targets = some(stage, source, random.randrange(80, 200))
    for target in targets:
        outcome = SILENT if target.host is None else random.choice((OK, REFUSED, REFUSED))
        stage.packet(source, target, 0, begin + random.randrange(290), ICMP, outcome, from_port=0)
    return stage.deed(source, [target.address for target in targets], begin + 300)
