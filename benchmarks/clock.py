"""The clock: rounds in which every way reads the same payloads, one way after the other.

On a shared machine, the time of a way is not reliable, but its ratio to the time of another way in the same
round is. So rounds are short, and every figure is the median over the rounds.
"""

from __future__ import annotations

import gc
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from random import Random
from statistics import median
from typing import Any, Final

from msgspec import Struct, field

from benchmarks.aggregates import Aggregates
from benchmarks.generator import Payload, payload
from benchmarks.ways.way import Event, Way
from flowwarden.records.log_format import LogFormat

AT_ONCE: Final = 10_000
"""Records that a way reads per measurement, in one payload or in several smaller ones."""


MOST_PAYLOADS: Final = 30
"""Maximum number of payloads per measurement: enough for stable figures of small payloads."""


class WaysDisagree(Exception):
    """Two ways computed different aggregates of the same payload, so their times are not comparable."""


class Shape(Struct, frozen=True):
    """The shape of a payload: the name of its layout, its number of records and of interfaces."""

    layout: str
    records: int
    interfaces: int = 1


class Case(Struct, frozen=True):
    """A measurement: payloads of a shape, read by these ways."""

    shape: Shape
    layout: LogFormat
    ways: Mapping[str, Way]


class Samples(Struct):
    """The samples of one case."""

    times: defaultdict[str, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))
    """Nanoseconds per record, by way and by the round's number."""

    @property
    def rounds(self) -> int:
        """The number of rounds."""
        return max(map(len, self.times.values()), default=0)

    def nanoseconds(self, way: str) -> float:
        """The median over all rounds."""
        return median(self.times[way].values())

    def least(self, way: str) -> float:
        """The minimum over all rounds."""
        return min(self.times[way].values())

    def ratio(self, way: str, other: str) -> float:
        """The ratio of the times of two ways."""
        return ratio(self.times[way], self.times[other])


def ratio(one: Mapping[int, float], other: Mapping[int, float]) -> float:
    """The median of the ratios in the rounds that both took part in."""
    return median(one[number] / other[number] for number in one.keys() & other.keys())


def measure_round(case: Case, number: int, samples: Samples) -> None:
    """Let every way read new payloads, and compare their aggregates.

    Raises:
        WaysDisagree: two of the ways computed different aggregates.
    """
    records, interfaces = case.shape.records, case.shape.interfaces
    payloads = [payload(case.layout, records, seed, interfaces) for seed in seeds(records, number)]
    events = [each.event for each in payloads]
    names = list(case.ways)
    Random(number).shuffle(names)  # so that no way always runs after the same other way
    found = {}
    gc.collect()
    for name in names:
        gc.freeze()  # so that a way's garbage collection does not scan the results of other ways
        nanoseconds, results = timed(case.ways[name], events)
        samples.times[name][number] = nanoseconds / _records(payloads)
        found[name] = results
    gc.unfreeze()
    compare(case, found)


def seeds(records: int, number: int) -> range:
    """The payloads of a round; no other round has them."""
    count = min(MOST_PAYLOADS, max(1, AT_ONCE // records))
    return range(1 + number * count, 1 + (number + 1) * count)


def timed(way: Way, events: Sequence[Event]) -> tuple[int, list[Any]]:
    """Nanoseconds of processor time in which a way reads the events, and its results.

    Processor time excludes the time in which other processes use the core.
    """
    run = way.run
    begin = time.process_time_ns()
    results = [run(event) for event in events]
    return time.process_time_ns() - begin, results


def compare(case: Case, found: Mapping[str, Sequence[Any]]) -> None:
    """Raise WaysDisagree unless all ways except floors computed the same aggregates of each payload."""
    first: tuple[str, list[Aggregates]] | None = None
    for name, results in found.items():
        aggregates = case.ways[name].aggregates
        if aggregates is None:
            continue
        mine = [aggregates(result) for result in results]
        if first is None:
            first = name, mine
            continue
        for one, other in zip(first[1], mine, strict=True):
            if difference := one.difference(other):
                raise WaysDisagree(
                    f"{first[0]} and {name} disagree about a payload of {case.shape.records} records "
                    f"of the layout {case.shape.layout}: {difference}"
                )


def _records(payloads: Sequence[Payload]) -> int:
    return sum(each.records for each in payloads)
