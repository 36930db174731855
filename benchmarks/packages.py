"""The time to findings, by package.

The profiler measures each function; time in external code (numpy, the standard library) counts for the
calling package. So this depends only on the names of packages, not on their content. Under the profiler,
Python calls take longer: compare shares with those of another profile, not with times.
"""

from __future__ import annotations

import cProfile
import gc
import pstats
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.clock import Shape, seeds
from benchmarks.generator import payload
from benchmarks.ways.table import FINDINGS, WAYS
from flowwarden.records.log_format import LogFormat

SHAPES: Final = (50, 1), (10_000, 1), (10_000, 1_000)
"""Records and interfaces of the profiled payloads."""
_WARM_UP_ROUND: Final = 10_000
_PACKAGES: Final = {
    "flowwarden/records": "parse",
    "flowwarden/network": "directions",
    "flowwarden/monitor/traffic": "contacts",
    "flowwarden/monitor/baseline": "baseline",
    "flowwarden/monitor/detectors": "detectors",
    "flowwarden/monitor/caches": "state",
    "flowwarden/state": "state",
    "flowwarden/monitor/render": "notify",
    "flowwarden/notify": "notify",
    "flowwarden/sinks": "notify",
    "flowwarden/monitor": "pipeline",
    "flowwarden": "other",
    "benchmarks": "ports in memory",
}
"""Parts of file paths → stage; the first match counts."""

type Function = tuple[str, int, str]
"""File, line and name of a function, as in the profiler."""
type Shares = dict[str, float]
"""Shares of a function's time by stage."""


def measure(name: str, layout: LogFormat, records: int, interfaces: int, rounds: int) -> Mapping[str, float]:
    """Microseconds per payload by stage under the profiler, in descending order.

    Args:
        name: name of the layout.
        layout: layout of the lines.
        records: records in a payload.
        interfaces: interfaces in a payload.
        rounds: number of rounds with new payloads.
    """
    shape, run = Shape(name, records, interfaces), WAYS[FINDINGS].make(layout).run
    _read(shape, layout, run, _WARM_UP_ROUND)
    profile = cProfile.Profile()
    payloads = sum(_read(shape, layout, run, number, profile) for number in range(rounds))
    times = by_stage(pstats.Stats(profile).stats)  # type: ignore[attr-defined]  # missing in typeshed
    found = {stage: 1e6 * seconds / payloads for stage, seconds in times.items()}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _read(
    shape: Shape, layout: LogFormat, run: Callable[[Any], object], number: int, *profile: cProfile.Profile
) -> int:
    """Read a round's payloads, under the profiler if there is one; return their number."""
    each = seeds(shape.records, number)
    events = [payload(layout, shape.records, seed, shape.interfaces).event for seed in each]
    gc.collect()
    for one in profile:
        one.enable()
    for event in events:
        run(event)
    for one in profile:
        one.disable()
    return len(events)


def by_stage(stats: Mapping[Function, Any]) -> dict[str, float]:
    """Seconds by stage, from the profiler's statistics by function."""
    shares: dict[Function, Shares] = {}
    seconds: defaultdict[str, float] = defaultdict(float)
    for function, (_, _, own, _, _) in stats.items():
        for stage, share in _shares(function, stats, shares).items():
            seconds[stage] += own * share
    return dict(seconds)


def _shares(function: Function, stats: Mapping[Function, Any], known: dict[Function, Shares]) -> Shares:
    """The stages that a function's own time counts for: its package's stage, or the stages of its callers."""
    if function not in known:
        stage = stage_of(function[0])
        known[function] = {} if stage is None else {stage: 1.0}  # recursion does not count
        if stage is None:
            known[function] = _shares_of_callers(stats[function][4], stats, known)
    return known[function]


def _shares_of_callers(
    callers: Mapping[Function, tuple[int, int, float, float]],
    stats: Mapping[Function, Any],
    known: dict[Function, Shares],
) -> Shares:
    weighed: defaultdict[str, float] = defaultdict(float)
    for caller, (_, _, own, _) in callers.items():
        for stage, share in _shares(caller, stats, known).items():
            weighed[stage] += own * share
    whole = sum(weighed.values())
    return {stage: weight / whole for stage, weight in weighed.items()} if whole else {}


def stage_of(file: str) -> str | None:
    """The stage of a file; None if the file is external code."""
    path = Path(file).as_posix()
    return next((stage for part, stage in _PACKAGES.items() if f"/{part}/" in path), None)
