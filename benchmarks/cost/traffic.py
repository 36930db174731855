"""Ordinary traffic of the evaluation's generator, in batches of a minute or of five."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Final

from msgspec.structs import replace

from benchmarks.evaluation.generator.generator import Generator
from benchmarks.evaluation.generator.model import Delivery, Network
from benchmarks.layouts import layouts
from flowwarden.records.log_format import LogFormat

SEED: Final = 20_261
INTERFACES: Final = 40
"""The generator creates complete VPCs, so there are more."""
LEARNING_DAYS: Final = 14
MINUTE: Final = 60
HOUR: Final = 3600


def network() -> Network:
    """Two weeks in which the roles are learned, and a day of traffic."""
    return Network(
        seed=SEED, layout=layouts()["template"], interfaces=INTERFACES, learning_days=LEARNING_DAYS,
        judged_days=1, window=MINUTE, learning_rate=0.1, learning_slot=12 * HOUR,
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


def arriving(generator: Generator, rate: float, first: int, hours: float) -> Iterator[Delivery]:
    """The deliveries of the next day that arrive within some hours after `first` (seconds of the day).

    Args:
        generator: after the days of learning.
        rate: conversations, relative to the generator's usual number.
        first: deliveries before it, which contain records of the days before, are left out.
        hours: the duration.
    """
    generator.network = replace(generator.network, judged_rate=rate)
    begin = generator.network.judged_from + first
    until = begin + int(hours * HOUR)
    day = takewhile(lambda each: each.arrived < until, generator.next_day())
    return (each for each in day if each.arrived >= begin)
