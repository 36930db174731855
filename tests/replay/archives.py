"""Archives for replays: lines of a small network, and their replay as the command does it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import Final

from flowwarden.bootstrap.replay import stack
from flowwarden.network.interface import NetworkInterface
from flowwarden.policy.policy import Policy
from flowwarden.records.log_format import LogFormat
from flowwarden.replay.batches import DELIVERED_SECONDS, LogGroups
from flowwarden.replay.merged import Source, merged
from flowwarden.replay.reorder import SLICE, Reorder, Slice
from flowwarden.replay.replay import Replay
from flowwarden.replay.result import ReplayResult
from flowwarden.replay.timed import timed
from flowwarden.state.sets import DAY

LAYOUT: Final = LogFormat.parse(
    "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} "
    "${packets} ${bytes} ${start} ${end} ${action} ${log-status} ${tcp-flags} ${flow-direction}"
)
BEGIN: Final = 1_800_000_000
"""Unix seconds; the begin of a slice, but not of an hour."""
HOUR: Final = 3600
SCANNER, PROBER = "10.0.0.66", "10.0.0.30"


def line(  # noqa: PLR0913 - the fields of a record
    at: int, owner: str, source: str, target: str, ports: tuple[int, int], *, flags: int = 2,
    action: str = "ACCEPT", direction: str = "egress",
) -> str:  # fmt: skip
    """A record of a minute that ends at `at`, logged by the interface of the host `owner`."""
    eni = f"eni-{int(owner.rsplit('.', maxsplit=1)[-1]):017x}"
    return (
        f"2 111122223333 {eni} {source} {target} {ports[0]} {ports[1]} 6 3 180 {at - 59} {at} {action} OK "
        f"{flags} {direction}"
    )


def talk(at: int, client: str, server: str, port: int, source_port: int) -> list[str]:
    """The records of an answered connection at its client."""
    there = line(at, client, client, server, (source_port, port), flags=3)
    back = line(at, client, server, client, (port, source_port), flags=19, direction="ingress")
    return [there, back]


def ordinary(hours: int = 3, hosts: int = 12) -> list[str]:
    """Hosts that talk to a database and a web server, every five minutes."""
    times = range(BEGIN + 60, BEGIN + hours * HOUR, 300)
    clients = [f"10.0.0.{100 + number}" for number in range(hosts)]
    return [
        each
        for at in times
        for number, client in enumerate(clients)
        for server, port in (("10.0.0.200", 5432), ("10.0.0.201", 443))
        for each in talk(at, client, server, port, 40_000 + number)
    ]


def scan(at: int, targets: int = 60) -> list[str]:
    """A host that tries many hosts, of which none answers, within half an hour."""
    return [
        line(at + 25 * number, SCANNER, SCANNER, f"10.0.1.{number + 1}", (50_000 + number, 22))
        for number in range(targets)
    ]


def probing(at: int) -> list[str]:
    """A host that is refused at many ports of several hosts."""
    return [
        line(
            at + number % 60, PROBER, PROBER, f"10.0.2.{number % 9 + 1}", (51_000 + number, 8000 + number),
            action="REJECT",
        )
        for number in range(8)
    ]  # fmt: skip


def served(at: int, host: str, client: str, port: int, *, answered: bool = True) -> list[str]:
    """The records of a connection at its server."""
    there = line(at, host, client, host, (50_001, port), flags=3, direction="ingress")
    return [there, line(at, host, host, client, (port, 50_001), flags=19)] if answered else [there]


def database(host: str, days: int) -> list[str]:
    """A host that serves a database to another one on some days."""
    times = (BEGIN + day * DAY + 60 for day in range(days))
    return [each for at in times for each in served(at, host, "10.0.9.1", 5432)]


def incidents(seed: int = 0) -> list[str]:
    """Ordinary traffic with a scan and a host that probes, by time."""
    start = BEGIN + HOUR + Random(seed).randrange(60) * 60  # noqa: S311
    lines = [*ordinary(), *scan(start), *probing(start + 900)]
    return sorted(lines, key=end_of)


def end_of(text: str) -> int:
    """When a record ended (Unix seconds)."""
    return int(text.split()[11])


def source(name: str, lines: Sequence[str], piece: int = 500) -> Source:
    """A source with these lines, read in pieces."""
    layouts = (LAYOUT,)
    pieces = [lines[at : at + piece] for at in range(0, len(lines), piece)]
    span = timed(layouts, lines).span
    return Source(name, span[0] if span else 0, lambda: (timed(layouts, each) for each in pieces))


def slices_of(files: Iterable[Sequence[str]], *, as_delivered: bool = False) -> list[Slice]:
    """The slices of an archive with these files."""
    sources = [source(f"file {number}", lines) for number, lines in enumerate(files)]
    return [*Reorder(DELIVERED_SECONDS if as_delivered else SLICE).slices(merged(sources))]


def replayed(
    *files: Sequence[str],
    policy: Policy | None = None,
    known: Mapping[str, NetworkInterface] | None = None,
    as_delivered: bool = False,
    observes: bool = False,
) -> ReplayResult:
    """The result of replaying an archive with these files."""
    built = stack(policy or Policy(), known or {}, "eu-west-1", "111122223333", as_delivered=as_delivered)
    groups = LogGroups("archive", built.formats)
    replay = Replay(built, groups, "111122223333", as_delivered=as_delivered, observes=observes)
    for one in slices_of(files, as_delivered=as_delivered):
        replay.process(one)
    replay.finish()
    return replay.result(len(files), 0)


def shown(result: ReplayResult) -> list[tuple[object, ...]]:
    """What a result says of its incidents, without counts of records."""
    return [
        (
            each.incident,
            each.route,
            each.subject,
            *each.detectors,
            *((at.at, at.event) for at in each.timeline),
        )
        for each in result.incidents
    ]
