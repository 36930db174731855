"""What the figures are held against, and whether they reach it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from benchmarks.clock import AT_ONCE
from benchmarks.results import Results
from benchmarks.ways.table import FINDINGS, PROJECT, STDLIB_FLOOR

READY_MS: Final = 120
LAYERS_MB: Final = 60
MEMORY_MB: Final = 6
LINEAR: Final = 1.15
TIMES_FLOWLOGS_READER: Final = 8
TIMES_FLOOR: Final = {"v2": 1.5, "template": 2.0}
FINDINGS_TIMES_FLOOR: Final = 2.5
MB: Final = 1_000_000


class Goal(Struct, frozen=True):
    """A figure, and the most (or, with `at_least`, the least) that it may be."""

    what: str
    figure: float
    limit: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the figure is within the limit."""
        return self.figure >= self.limit if self.at_least else self.figure <= self.limit


def goals(results: Results) -> list[Goal]:
    """Every goal that something was measured for."""
    return [*_speed(results), *_growth(results), *_footprint(results)]


def _speed(results: Results) -> Iterator[Goal]:
    for (layout, records), samples in results.samples.items():
        if records == AT_ONCE:
            ratio = samples.ratio(PROJECT, STDLIB_FLOOR)
            yield Goal(f"{layout}: times the stdlib floor", ratio, TIMES_FLOOR[layout])
            if FINDINGS in samples.times:
                ratio = samples.ratio(FINDINGS, STDLIB_FLOOR)
                yield Goal(f"{layout}: times the stdlib floor, to findings", ratio, FINDINGS_TIMES_FLOOR)
    if v2 := results.samples.get(("v2", AT_ONCE)):
        faster = v2.ratio("flowlogs-reader", PROJECT)
        yield Goal("v2: times as fast as flowlogs-reader", faster, TIMES_FLOWLOGS_READER, at_least=True)


def _growth(results: Results) -> Iterator[Goal]:
    for layout, ratio in results.growth().items():
        yield Goal(f"{layout}: time per record at 100,000 over that at 10,000", ratio, LINEAR)


def _footprint(results: Results) -> Iterator[Goal]:
    for (layout, way), memory in results.memory.items():
        if way == PROJECT:
            yield Goal(f"{layout}: MB for 10,000 records, as Python counts", memory.traced / MB, MEMORY_MB)
            if memory.rss is not None:
                yield Goal(f"{layout}: MB for 10,000 records, resident", memory.rss / MB, MEMORY_MB)
    if results.start:
        yield Goal("ms from boto3 to a ready handler", results.start.ready, READY_MS)
    if results.layers:
        yield Goal("MB of the layers, unzipped", results.layers.together / MB, LAYERS_MB)
