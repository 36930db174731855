"""Ordinary traffic of the evaluation's generator, in batches of a minute or of five."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec.structs import replace

from benchmarks.evaluation.generator.generator import SHORTEST_SLOT, Generator
from benchmarks.evaluation.generator.model import Delivery, World
from benchmarks.layouts import layouts
from flowwarden.records.log_format import LogFormat

SEED: Final = 20_261
INTERFACES: Final = 40
"""The generator creates complete VPCs, so there are more."""
LEARNING_DAYS: Final = 14
MINUTE: Final = 60
SLOT_MINUTES: Final = SHORTEST_SLOT // MINUTE


def world(rate: float) -> World:
    """Two weeks in which the roles are learned, and a day of traffic at `rate` times the usual one."""
    return World(
        seed=SEED, layout=layouts()["template"], interfaces=INTERFACES, learning_days=LEARNING_DAYS,
        judged_days=1, window=MINUTE, learning_rate=0.1, learning_slot=12 * 3600, judged_rate=rate,
    )  # fmt: skip


def by_minute(deliveries: Iterable[Delivery], layout: LogFormat) -> Iterator[Delivery]:
    """The same lines, each minute of a log stream in its own delivery."""
    column = [field.name for field in layout.fields].index("start")
    for each in deliveries:
        minutes = defaultdict[int, list[str]](list)
        for line in each.lines:
            start = line.split()[column : column + 1]
            minutes[int(start[0]) // MINUTE if start and start[0].isdecimal() else 0].append(line)
        for number, lines in enumerate(minutes.values()):
            yield replace(each, number=each.number * 100 + number, lines=tuple(lines), truth="")


def generator(rate: float) -> Generator:
    """The traffic from its first day on."""
    return Generator(world(rate))
