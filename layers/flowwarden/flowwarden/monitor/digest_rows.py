"""What a batch contributes to the digests, and when a container stores it.

Runs after the notifications of a batch are out, as heartbeats do: a batch whose notifications were not sent
comes again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from flowwarden.monitor.caches.digests import DigestCache, HourOfDigest, Seen, SeenSource
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors import internet_rejects
from flowwarden.monitor.findings import Finding, TrafficFinding, counted, vpc_of
from flowwarden.monitor.report import route_of
from flowwarden.monitor.view import BatchView
from flowwarden.notify.alert import Route
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.printable import one_line
from flowwarden.records.columnar.distinct import different
from flowwarden.records.columnar.group_by import Groups, packed
from flowwarden.records.columnar.tokenizer import Integers
from flowwarden.state import digests
from flowwarden.state.digests import Digests, Group, Kept
from flowwarden.state.ports import DigestStore
from flowwarden.state.registers import ranks
from flowwarden.state.schema import DIGESTS
from flowwarden.state.sets import HOUR, fingerprint

MOST_SOURCES: Final = 8
"""Internet hosts of a batch that count, those with most records first."""
MOST_PORTS: Final = 8
"""Ports of each that are named."""
MOST_TARGETS: Final = 8
"""Targets of a batch that count, those with most records first."""
MOST_HASHED: Final = 4096
"""Internet hosts of a batch that are counted as distinct."""
_LONGEST: Final = 100
"""Characters of a subject."""


class DigestRows:
    """Stores what the digests say. One per container."""

    def __init__(self, store: DigestStore, which: Digests) -> None:
        self._store = store
        self._has_groups = which is Digests.HOURLY_AND_DAILY
        self._cache = DigestCache()

    def keep(
        self, view: BatchView, found: Iterable[Finding], delivery: DeliveryReport, state: StateView
    ) -> None:
        """Add a batch, and write what is due. Costs one write at most; a later batch repeats a failed one."""
        findings = [*found]
        hour = self._cache.of(digests.hour_for(view.moment, view.now), view.now)
        hour.see(seen_in(view, findings, delivery, groups=self._has_groups))
        for each in self._cache.hours:
            content = each.unwritten(view.now)
            if content:
                self._write(each, content, state, view.now)
                return

    def _write(self, hour: HourOfDigest, content: digests.Content, state: StateView, now: int) -> None:
        key = digests.key_of(hour.hour)
        if not state.may_write(key):
            return
        until = DIGESTS.kept_until(hour.hour * HOUR)
        stored = state.call(lambda: self._store.add(key, content, until))
        if stored is not None:
            hour.mark_written(content, stored, now)


def keep(
    rows: DigestRows | None,
    view: BatchView,
    found: Iterable[Finding],
    delivery: DeliveryReport,
    state: StateView,
) -> None:
    """Store what the digests say of a batch, if there are digests."""
    if rows is not None:
        rows.keep(view, found, delivery, state)


def seen_in(view: BatchView, found: list[Finding], delivery: DeliveryReport, *, groups: bool) -> Seen:
    """What a batch contributes; without `groups`, only what the daily digest needs."""
    batch = view.batch.batch_id
    hosts, records = _sketches(view)
    return Seen(
        batch=batch,
        groups=tuple(dict.fromkeys(_groups(found))) if groups else (),
        counts=frozenset(_counts(batch, found, delivery)) if groups else frozenset(),
        sources=tuple(_sources(view)),
        targets=tuple(_targets(found)),
        hosts=hosts,
        records=records,
    )


def _groups(found: Iterable[Finding]) -> Iterator[Group]:
    for finding in found:
        if not finding.severity.pages and route_of(finding) is Route.DIGEST:
            traffic = finding if isinstance(finding, TrafficFinding) else None
            service = traffic.service if traffic else None
            yield Group(
                detector=finding.detector,
                vpc=one_line(vpc_of(finding), _LONGEST),
                subject=one_line(finding.subject, _LONGEST),
                peer=traffic.peer_class.value if traffic else "",
                service=service.number if service else "",
                report_only=finding.report_only,
            )


def _counts(batch: str, found: Iterable[Finding], delivery: DeliveryReport) -> Iterator[int]:
    findings = [*found]
    kept = {
        Kept.SUPPRESSED: len(delivery.suppressed),
        Kept.MUTED: counted(each for each in findings if each.muted),
        Kept.INHIBITED: counted(each for each in findings if each.inhibited),
    }
    return (digests.count_number(kind, batch, count) for kind, count in kept.items() if count)


def _targets(found: Iterable[Finding]) -> list[tuple[str, int]]:
    """The hosts that reject most records from the internet, from the findings about them."""
    rejects = [
        (each.subject, each.tally.records)
        for each in found
        if isinstance(each, TrafficFinding)
        and each.detector == internet_rejects.DETECTOR.name
        and digests.is_address(each.subject)
    ]
    return sorted(rejects, key=lambda each: (-each[1], each[0]))[:MOST_TARGETS]


def _sketches(view: BatchView) -> tuple[dict[int, int], dict[int, int]]:
    """The registers of the internet hosts that the batch rejects, and of their records."""
    rows = view.noise
    if not len(rows):
        return {}, {}
    texts = view.records.flows.texts
    sources = different(view.directions.client[rows]).tolist()[:MOST_HASHED]
    hosts = np.array([fingerprint(texts[each]) for each in sources], np.uint64)
    first = np.uint64(fingerprint("records", view.batch.batch_id) << 16)
    return ranks(hosts), ranks(np.arange(len(rows), dtype=np.uint64) + first)


def _sources(view: BatchView) -> Iterator[SeenSource]:
    """The internet hosts with most rejected records, and the ports that they tried."""
    rows, directions = view.noise, view.directions
    if not len(rows):
        return
    texts, clients = view.records.flows.texts, directions.client[rows]
    numbers, counts = np.unique(clients, return_counts=True)
    names = {int(each): texts[int(each)] for each in numbers[_largest(counts)]}
    sizes = dict(zip(numbers.tolist(), counts.tolist(), strict=True))
    for number in sorted(names, key=lambda each: (-sizes[each], names[each]))[:MOST_SOURCES]:
        ports = _ports(view, rows[clients == number])
        yield SeenSource(names[number], sizes[number], len(ports), tuple(ports[:MOST_PORTS]))


def _largest(counts: Integers) -> Integers:
    """The positions of the largest counts, and of all that equal the least of them: names decide."""
    if len(counts) <= MOST_SOURCES:
        return np.arange(len(counts))
    least = np.partition(counts, -MOST_SOURCES)[-MOST_SOURCES]
    positions: Integers = (counts >= least).nonzero()[0]
    return positions


def _ports(view: BatchView, rows: Integers) -> list[tuple[int, int]]:
    """The distinct (protocol, port) in these rows, those with most records first."""
    protocols, ports = view.records.flows["protocol"][rows], view.directions.service_port[rows]
    groups = Groups(packed([protocols, ports], [2**8, 2**16]))
    first = groups.rows
    found = zip(groups.sizes.tolist(), protocols[first].tolist(), ports[first].tolist(), strict=True)
    return [(protocol, port) for _, protocol, port in sorted(found, key=lambda each: (-each[0], *each[1:]))]
