"""The targets of speed and size for the figures of `make bench`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from benchmarks.clock import AT_ONCE, Samples, Shape
from benchmarks.results import Results
from benchmarks.targets import Target
from benchmarks.ways.table import FINDINGS, PROJECT, STDLIB_FLOOR

READY_MS: Final = 120
LAYERS_MB: Final = 60
MEMORY_MB: Final = 6
LINEAR: Final = 1.15
TIMES_FLOWLOGS_READER: Final = 8
TIMES_FLOOR: Final = {"v2": 1.5, "template": 2.0}
"""By layout, for payloads of 10,000 records."""
FINDINGS_TIMES_FLOOR: Final = {50: 25.0, 1_000: 4.0, AT_ONCE: 2.0}
"""By records in a payload of one interface."""
TIMES_ONE_INTERFACE: Final = {1_000: 2.0}
"""By interfaces in a payload of 10,000 records."""
MB: Final = 1_000_000


def targets(results: Results) -> list[Target]:
    """Every target with a measured figure."""
    return [*_speed(results), *_interfaces(results), *_growth(results), *_footprint(results)]


def _speed(results: Results) -> Iterator[Target]:
    for shape, samples in results.samples.items():
        if shape.interfaces == 1:
            yield from _times_floor(shape, samples)
    if v2 := results.samples.get(Shape("v2", AT_ONCE)):
        faster = v2.ratio("flowlogs-reader", PROJECT)
        yield Target("v2: times as fast as flowlogs-reader", faster, TIMES_FLOWLOGS_READER, at_least=True)


def _times_floor(shape: Shape, samples: Samples) -> Iterator[Target]:
    if shape.records == AT_ONCE:
        ratio = samples.ratio(PROJECT, STDLIB_FLOOR)
        yield Target(f"{shape.layout}: times the stdlib floor", ratio, TIMES_FLOOR[shape.layout])
    limit = FINDINGS_TIMES_FLOOR.get(shape.records)
    if limit is not None and FINDINGS in samples.times:
        what = f"{shape.layout}: times the stdlib floor, to findings, {shape.records:,} records"
        yield Target(what, samples.ratio(FINDINGS, STDLIB_FLOOR), limit)


def _interfaces(results: Results) -> Iterator[Target]:
    for shape, ratio in results.over_one_interface().items():
        limit = TIMES_ONE_INTERFACE.get(shape.interfaces)
        if limit is not None:
            what = f"{shape.layout}: {shape.interfaces:,} interfaces over one, to findings"
            yield Target(what, ratio, limit)


def _growth(results: Results) -> Iterator[Target]:
    for layout, ratio in results.growth().items():
        yield Target(f"{layout}: time per record at 100,000 over that at 10,000", ratio, LINEAR)


def _footprint(results: Results) -> Iterator[Target]:
    for (layout, way), memory in results.memory.items():
        if way == PROJECT:
            yield Target(f"{layout}: MB for 10,000 records, by tracemalloc", memory.traced / MB, MEMORY_MB)
            if memory.rss is not None:
                yield Target(f"{layout}: MB for 10,000 records, resident", memory.rss / MB, MEMORY_MB)
    if results.start:
        yield Target("ms from boto3 to a ready handler", results.start.ready, READY_MS)
    if results.layers:
        yield Target("MB of the layers, unzipped", results.layers.together / MB, LAYERS_MB)
