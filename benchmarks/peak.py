"""Prints the peak bytes of one way, in addition to those in use before the event.

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
    """Growth of the resident memory, or -1 if the system does not report it."""
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
    way.run(payload(layout, _WARM_UP, seed=0).event)  # memory loaded at the first event does not count
    event = {"awslogs": {"data": sys.stdin.buffer.read().decode("ascii")}}
    gc.collect()
    print(_PEAKS[how](way, event))


if __name__ == "__main__":
    _main(*sys.argv[1:])
