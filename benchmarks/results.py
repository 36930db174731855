"""All results of a run, and their JSON document for programs."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, field, to_builtins

from benchmarks.clock import AT_ONCE, Samples, Shape, ratio
from benchmarks.layers import Layers
from benchmarks.memory import Memory
from benchmarks.startup import ColdStart
from benchmarks.ways.table import FINDINGS, PROJECT, STDLIB_FLOOR, WAYS, WHEELS_FLOOR

MANY: Final = 100_000
"""Number of records in the payload that shows the growth of time."""
_PACKAGES: Final = (
    "aws-lambda-powertools", "boto3", "deflate", "flowlogs-reader", "isal", "msgspec", "numpy", "polars",
    "pybase64", "pydantic",
)  # fmt: skip
_CPUINFO: Final = Path("/proc/cpuinfo")


class Results(Struct):
    """The measurements; omitted ones are empty or None."""

    quick: bool
    pinned: bool
    """Whether the run was pinned to one core."""
    samples: dict[Shape, Samples] = field(default_factory=dict)
    """By payload shape."""
    memory: dict[tuple[str, str], Memory] = field(default_factory=dict)
    """By layout and way, for one payload of 10,000 records."""
    start: ColdStart | None = None
    uncompiled: ColdStart | None = None
    """The same without bytecode in the layers."""
    layers: Layers | None = None

    def growth(self) -> dict[str, float]:
        """By layout: time per record in payloads of 100,000, divided by that in payloads of 10,000.

        From the same rounds, so that a slow minute of the machine affects both.
        """
        return {
            many.layout: self._ratio(PROJECT, many, few)
            for many, few in self._pairs(lambda shape: Shape(shape.layout, AT_ONCE))
            if many.records == MANY
        }

    def over_one_interface(self) -> dict[Shape, float]:
        """By shape with several interfaces: time to findings, divided by that for one interface.

        From the same rounds.
        """
        return {
            many: self._ratio(FINDINGS, many, one)
            for many, one in self._pairs(lambda shape: Shape(shape.layout, shape.records))
            if many.interfaces > 1
        }

    def _pairs(self, other: Callable[[Shape], Shape]) -> Iterator[tuple[Shape, Shape]]:
        """Each shape and the shape it is compared with, if both were measured."""
        return ((shape, other(shape)) for shape in self.samples if other(shape) in self.samples)

    def _ratio(self, way: str, shape: Shape, other: Shape) -> float:
        return ratio(self.samples[shape].times[way], self.samples[other].times[way])

    def document(self) -> dict[str, Any]:
        """All results as JSON types."""
        return {
            "quick": self.quick,
            "machine": machine(pinned=self.pinned),
            "packages": packages(),
            "results": [_result(shape, samples) for shape, samples in self.samples.items()],
            "growth_from_10000_to_100000": self.growth(),
            "findings_over_one_interface": [
                {**to_builtins(shape), "ratio": figure} for shape, figure in self.over_one_interface().items()
            ],
            "memory": [
                {"layout": layout, "records": AT_ONCE, "way": way, **to_builtins(memory)}
                for (layout, way), memory in self.memory.items()
            ],
            "cold_start_ms": self.start and {**to_builtins(self.start), "ready": self.start.ready},
            "cold_start_uncompiled_ms": self.uncompiled
            and {**to_builtins(self.uncompiled), "ready": self.uncompiled.ready},
            "layers": self.layers and {**to_builtins(self.layers), "together": self.layers.together},
        }


def machine(*, pinned: bool) -> dict[str, str]:
    """The machine and software of the run."""
    text = _CPUINFO.read_text() if _CPUINFO.exists() else ""
    models = re.findall(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return {
        "processor": models[0] if models else platform.processor() or "unknown",
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "cores": "one" if pinned else "not pinned: the system has no sched_setaffinity",
    }


def packages() -> dict[str, str]:
    """The versions of the relevant packages, if they are installed."""
    found: dict[str, str] = {}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _result(shape: Shape, samples: Samples) -> dict[str, Any]:
    speedups = {
        f"speedup_over_{way.replace('-', '_')}": samples.ratio(way, PROJECT)
        for way in samples.times
        if way not in (PROJECT, FINDINGS, STDLIB_FLOOR, WHEELS_FLOOR)
    }
    return {
        **to_builtins(shape),
        "rounds": samples.rounds,
        "ratio_to_stdlib_floor": samples.ratio(PROJECT, STDLIB_FLOOR),
        "ratio_to_stdlib_floor_of_minima": samples.least(PROJECT) / samples.least(STDLIB_FLOOR),
        "ratio_to_wheels_floor": samples.ratio(PROJECT, WHEELS_FLOOR),
        "findings_ratio_to_stdlib_floor": samples.ratio(FINDINGS, STDLIB_FLOOR)
        if FINDINGS in samples.times
        else None,
        **speedups,
        "ways": {
            way: {
                "ns_per_record": samples.nanoseconds(way),
                "ns_per_record_min": samples.least(way),
                "ratio_to_stdlib_floor": samples.ratio(way, STDLIB_FLOOR),
            }
            for way in WAYS
            if way in samples.times
        },
    }
