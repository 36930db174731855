"""Prints the bytes that one way needs at its peak, beyond what was there when the event came in.

A program for a fresh process: `python -m benchmarks.peak WAY LOG_FORMAT rss|traced`, with the event's data
on standard input.
"""

from __future__ import annotations

import gc
import re
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.generator import payload
from benchmarks.ways.table import WAYS
from benchmarks.ways.way import Event, Way
from flowwarden.records.log_format import LogFormat

_STATUS: Final = Path("/proc/self/status")
_CLEAR_REFS: Final = Path("/proc/self/clear_refs")
_RESET_PEAK: Final = "5"  # proc(5): sets VmHWM to the present resident size
_WARM_UP: Final = 100
_KIBI: Final = 1024


def _peak_rss(way: Way, event: Event) -> int:
    """Growth of the resident memory, or -1 where the system cannot tell it."""
    try:
        _CLEAR_REFS.write_text(_RESET_PEAK)
    except OSError:
        return -1
    before = _from_status("VmRSS")
    result = way.run(event)
    peak = _from_status("VmHWM")
    del result
    return peak - before


def _from_status(name: str) -> int:
    (kibibytes,) = re.findall(rf"^{name}:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)
    return int(kibibytes) * _KIBI


def _peak_traced(way: Way, event: Event) -> int:
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    result = way.run(event)
    _, peak = tracemalloc.get_traced_memory()
    del result
    return peak - before


_PEAKS: Final[dict[str, Callable[[Way, Event], int]]] = {"rss": _peak_rss, "traced": _peak_traced}


def _main(way_name: str, log_format: str, how: str) -> None:
    layout = LogFormat.parse(log_format)
    way = WAYS[way_name].make(layout)
    way.run(payload(layout, _WARM_UP, seed=0).event)  # what is loaded at the first event belongs to no event
    event = {"awslogs": {"data": sys.stdin.buffer.read().decode("ascii")}}
    gc.collect()
    print(_PEAKS[how](way, event))


if __name__ == "__main__":
    _main(*sys.argv[1:])
