"""What reading one payload takes of memory, each time in a process of its own."""

from __future__ import annotations

import subprocess
import sys

from msgspec import Struct

from benchmarks.generator import payload
from flowwarden.records.log_format import LogFormat


class Memory(Struct, frozen=True):
    """Bytes at the peak beyond what was there when the event came in."""

    rss: int | None
    """Resident memory of the process; None where the system does not tell its peak."""
    traced: int
    """What Python's allocators gave out, by tracemalloc; it does not see what polars takes for itself."""


def of(way: str, layout: LogFormat, records: int) -> Memory:
    """Measure a way on one payload, twice in a fresh process. Raises CalledProcessError if it cannot run."""
    event = payload(layout, records, seed=1).event
    data: str = event["awslogs"]["data"]
    rss, traced = (_in_a_process(way, layout, how, data) for how in ("rss", "traced"))
    return Memory(None if rss < 0 else rss, traced)


def _in_a_process(way: str, layout: LogFormat, how: str, data: str) -> int:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.peak", way, layout.to_log_format(), how],
        input=data,
        capture_output=True,
        check=True,
        text=True,
    )
    return int(done.stdout)
