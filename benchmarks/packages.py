"""Where the time to findings goes, by the packages that it is spent in.

The profiler counts each function; what is not this project's (numpy, the standard library) counts for the
package that called it. So this depends on the names of packages alone, and not on what is in them. Under the
profiler Python's own calls take longer: compare shares with those of another profile, not with times.
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
"""Records and interfaces of the payloads that are profiled."""
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
"""Parts of files' paths, and the stage that they are; the first that fits counts."""

type Function = tuple[str, int, str]
"""File, line and name, as the profiler has them."""
type Shares = dict[str, float]
"""Shares of a function's time by stage."""


def measure(name: str, layout: LogFormat, records: int, interfaces: int, rounds: int) -> Mapping[str, float]:
    """Microseconds for a payload by stage, the most first, while the profiler runs.

    Args:
        name: of the layout.
        layout: of the lines.
        records: in a payload.
        interfaces: that wrote it.
        rounds: how many rounds of fresh payloads.
    """
    shape, run = Shape(name, records, interfaces), WAYS[FINDINGS].make(layout).run
    _read(shape, layout, run, _WARM_UP_ROUND)
    profile = cProfile.Profile()
    payloads = sum(_read(shape, layout, run, number, profile) for number in range(rounds))
    times = by_stage(pstats.Stats(profile).stats)  # type: ignore[attr-defined]  # typeshed leaves it out
    found = {stage: 1e6 * seconds / payloads for stage, seconds in times.items()}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _read(
    shape: Shape, layout: LogFormat, run: Callable[[Any], object], number: int, *profile: cProfile.Profile
) -> int:
    """Read a round's payloads, profiled if there is a profiler, and say how many there were."""
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
    """Seconds by stage, of the profiler's statistics by function."""
    shares: dict[Function, Shares] = {}
    seconds: defaultdict[str, float] = defaultdict(float)
    for function, (_, _, own, _, _) in stats.items():
        for stage, share in _shares(function, stats, shares).items():
            seconds[stage] += own * share
    return dict(seconds)


def _shares(function: Function, stats: Mapping[Function, Any], known: dict[Function, Shares]) -> Shares:
    """The stages that a function's own time counts for: its package's, or those of its callers."""
    if function not in known:
        stage = stage_of(function[0])
        known[function] = {} if stage is None else {stage: 1.0}  # a caller of itself counts for nothing
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
    """The stage that a file is part of; None if it is not this project's."""
    path = Path(file).as_posix()
    return next((stage for part, stage in _PACKAGES.items() if f"/{part}/" in path), None)
