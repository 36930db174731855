"""The time of Flow Warden's stages, each measured with the output of the stage before.

It deliberately calls private functions; a test checks that the stages have the same result as the way. They
omit the batch's id, about a hundredth of the time.
"""

from __future__ import annotations

import gc
import time
from collections import defaultdict
from collections.abc import Callable
from statistics import median
from typing import Any

from msgspec import Struct

from benchmarks.clock import AT_ONCE
from benchmarks.generator import payload
from benchmarks.ways.project import MAX_BYTES, summed
from flowwarden.network.addresses import AddressClassifier
from flowwarden.records import subscription
from flowwarden.records.columnar.reader import ColumnarReader
from flowwarden.records.log_format import LogFormat

type Stage = Callable[[Any], Any]


def stages(layout: LogFormat) -> dict[str, Stage]:
    """The stages in order: the first takes an event's data, the last returns the way's result."""
    reader, classifier = ColumnarReader((layout,)), AddressClassifier()
    return {
        "base64": subscription._from_base64,  # noqa: SLF001 -- see above
        "inflate": lambda compressed: subscription._inflate(compressed, MAX_BYTES),  # noqa: SLF001
        "document": subscription._from_json,  # noqa: SLF001
        "lines": lambda document: tuple(event.message for event in document.log_events),
        "read": lambda lines: reader.read(lines).flows,
        "aggregate": lambda flows: summed(flows, classifier),
    }


class Stages(Struct, frozen=True):
    """Nanoseconds per record by stage."""

    usual: dict[str, float]
    """With the garbage collector on, as in production."""
    without_collector: dict[str, float]
    """With the garbage collector off: the difference is its cost."""


def measure(layout: LogFormat, rounds: int) -> Stages:
    """The medians over several payloads, each read with and without the garbage collector."""
    usual = _medians(layout, rounds)
    gc.disable()
    try:
        return Stages(usual, _medians(layout, rounds))
    finally:
        gc.enable()


def _medians(layout: LogFormat, rounds: int) -> dict[str, float]:
    times = defaultdict(list)
    steps = stages(layout)
    for number in range(rounds + 1):
        value: Any = payload(layout, AT_ONCE, seed=1 + number).event["awslogs"]["data"]
        gc.collect()
        for name, step in steps.items():
            begin = time.process_time_ns()
            value = step(value)
            elapsed = time.process_time_ns() - begin
            if number:  # the first round warms up
                times[name].append(elapsed / AT_ONCE)
    return {name: median(each) for name, each in times.items()}
