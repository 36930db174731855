"""Everything that a run found, and the document that programs read it from."""

from __future__ import annotations

import platform
import re
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, field, to_builtins

from benchmarks.clock import AT_ONCE, Samples, ratio
from benchmarks.layers import Layers
from benchmarks.memory import Memory
from benchmarks.startup import ColdStart
from benchmarks.ways.table import FINDINGS, PROJECT, STDLIB_FLOOR, WAYS, WHEELS_FLOOR

MANY: Final = 100_000
"""Records of the payload that shows how time grows."""
_PACKAGES: Final = (
    "aws-lambda-powertools", "boto3", "deflate", "flowlogs-reader", "isal", "msgspec", "numpy", "polars",
    "pybase64", "pydantic",
)  # fmt: skip
_CPUINFO: Final = Path("/proc/cpuinfo")


class Results(Struct):
    """What was measured; what was left out is empty or None."""

    quick: bool
    pinned: bool
    """Whether the run kept to one core."""
    samples: dict[tuple[str, int], Samples] = field(default_factory=dict)
    """By layout and records in a payload."""
    memory: dict[tuple[str, str], Memory] = field(default_factory=dict)
    """By layout and way, for one payload of 10,000 records."""
    start: ColdStart | None = None
    uncompiled: ColdStart | None = None
    """The same if the layers brought no bytecode."""
    layers: Layers | None = None

    def growth(self) -> dict[str, float]:
        """By layout: time per record in payloads of 100,000 over that in payloads of 10,000.

        Of the same rounds, so that a slow minute of the machine is in both.
        """
        found: dict[str, float] = {}
        for (layout, records), many in self.samples.items():
            few = self.samples.get((layout, AT_ONCE))
            if records == MANY and few is not None:
                found[layout] = ratio(many.times[PROJECT], few.times[PROJECT])
        return found

    def document(self) -> dict[str, Any]:
        """All of it as JSON's types."""
        return {
            "quick": self.quick,
            "machine": machine(pinned=self.pinned),
            "packages": packages(),
            "results": [_result(*key, samples) for key, samples in self.samples.items()],
            "growth_from_10000_to_100000": self.growth(),
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
    """What it ran on."""
    told = _CPUINFO.read_text() if _CPUINFO.exists() else ""
    models = re.findall(r"^model name\s*:\s*(.+)$", told, re.MULTILINE)
    return {
        "processor": models[0] if models else platform.processor() or "unknown",
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "cores": "one" if pinned else "not pinned: the system has no sched_setaffinity",
    }


def packages() -> dict[str, str]:
    """The versions of the packages that matter here, as far as they are installed."""
    found: dict[str, str] = {}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _result(layout: str, records: int, samples: Samples) -> dict[str, Any]:
    speedups = {
        f"speedup_over_{way.replace('-', '_')}": samples.ratio(way, PROJECT)
        for way in samples.times
        if way not in (PROJECT, FINDINGS, STDLIB_FLOOR, WHEELS_FLOOR)
    }
    return {
        "layout": layout,
        "records": records,
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
