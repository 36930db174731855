"""The memory needed to read one payload, measured in separate processes."""

from __future__ import annotations

import subprocess
import sys

from msgspec import Struct

from benchmarks.generator import payload
from flowwarden.records.log_format import LogFormat


class Memory(Struct, frozen=True):
    """Peak bytes in addition to those in use before the event."""

    rss: int | None
    """Resident memory of the process; None if the system does not report its peak."""
    traced: int
    """Memory of Python's allocators, by tracemalloc, which does not see polars' own memory."""


def of(way: str, layout: LogFormat, records: int) -> Memory:
    """Measure a way on one payload, in two fresh processes. Raises CalledProcessError if it cannot run."""
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
