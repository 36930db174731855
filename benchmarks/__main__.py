"""`make bench`: measure, compare, report."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from benchmarks import layers, memory, packages, report, stages, startup
from benchmarks.clock import AT_ONCE, Case, Samples, Shape, WaysDisagree, measure_round
from benchmarks.layouts import layouts
from benchmarks.progress import Progress
from benchmarks.results import MANY, Results
from benchmarks.ways.table import FINDINGS, PROJECT, STDLIB_FLOOR, WAYS, WHEELS_FLOOR

_PROJECT_FOLDER: Final = Path(__file__).parents[1]
REPORT: Final = _PROJECT_FOLDER / "benchmarks" / "results.md"
DOCUMENT: Final = _PROJECT_FOLDER / "build" / "bench.json"

SIZES: Final = 1_000, 4_500, AT_ONCE
"""Numbers of records in payloads of one interface that every way reads."""
SMALL_SIZES: Final = 20, 50, 100, 300
INTERFACES: Final = 10, 100, 1_000
"""Numbers of interfaces in payloads of 10,000 records."""
ROUNDS: Final = 15
STARTS: Final = 9
SECONDS: Final = 150
"""Seconds after which no further round begins; the steps after the rounds take about 30 s."""
EVERY: Final = 5
"""A payload of 100,000 records is read in every fifth round."""
FEWEST: Final = 3
"""Minimum number of rounds, regardless of their duration."""
QUICK_ROUNDS: Final = 3
QUICK_STARTS: Final = 3
WARM_UP_ROUND: Final = 10_000
"""A round with separate payloads for warm-up; its times are discarded."""
FEW_WAYS: Final = STDLIB_FLOOR, WHEELS_FLOOR, PROJECT
"""The ways that read the largest payload, and whose memory a quick run measures."""
CUT_WAYS: Final = *FEW_WAYS, FINDINGS
"""The ways that read small payloads and those of several interfaces."""


def main() -> int:
    """Run the benchmark with these arguments; return 1 if two ways disagree."""
    arguments = _arguments()
    pinned = pin()
    if arguments.stages:
        show_stages(QUICK_ROUNDS if arguments.quick else ROUNDS)
        return 0
    try:
        results = run(quick=arguments.quick, pinned=pinned)
    except WaysDisagree as error:
        print(f"FAILED: {error}", file=sys.stderr)
        return 1
    text = report.markdown(results)
    print(text)
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(json.dumps(results.document(), indent=2) + "\n")
    if not arguments.quick:
        REPORT.write_text(text)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description="Measure the time to read a payload.")
    parser.add_argument("--quick", action="store_true", help="few rounds; does not change results.md")
    parser.add_argument("--stages", action="store_true", help="only the time of Flow Warden's own stages")
    return parser.parse_args()


def pin() -> bool:
    """Pin this process and its children to one core; False if the system does not support it."""
    os.environ["POLARS_MAX_THREADS"] = "1"
    if not hasattr(os, "sched_setaffinity"):
        return False
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    return True


def run(*, quick: bool, pinned: bool) -> Results:
    """Measure everything. Raises WaysDisagree."""
    results = Results(quick=quick, pinned=pinned)
    rounds, starts = (QUICK_ROUNDS, QUICK_STARTS) if quick else (ROUNDS, STARTS)
    cases = make_cases()
    steps = len(cases) * rounds + len(layouts()) * len(WAYS) + 3
    with Progress(sys.stderr, steps) as progress:
        measure_speed(cases, results, rounds, progress)
        for layout_name, layout in layouts().items():
            for way in FEW_WAYS if quick else WAYS:
                progress.step("memory", f"{layout_name}, {way}")
                results.memory[layout_name, way] = memory.of(way, layout, AT_ONCE)
        progress.step("cold start")
        results.start = startup.measure(starts, compiled=True)
        progress.step("cold start", "without bytecode")
        results.uncompiled = startup.measure(starts, compiled=False)
        progress.step("layers")
        results.layers = layers.measure()
    return results


def make_cases() -> list[Case]:
    """All combinations of layout, size and number of interfaces."""
    cases = []
    for name, layout in layouts().items():
        ways = {way: entry.make(layout) for way, entry in WAYS.items()}
        cases += [
            Case(shape, layout, {way: ways[way] for way in read_by})
            for shape, read_by in shapes(name).items()
        ]
    return cases


def shapes(layout: str) -> dict[Shape, Iterable[str]]:
    """The payloads of a layout, with the ways that read them."""
    return {
        **{Shape(layout, size): CUT_WAYS for size in SMALL_SIZES},
        **{Shape(layout, size): WAYS for size in SIZES},
        **{Shape(layout, AT_ONCE, interfaces): CUT_WAYS for interfaces in INTERFACES},
        Shape(layout, MANY): FEW_WAYS,
    }


def measure_speed(cases: list[Case], results: Results, rounds: int, progress: Progress) -> None:
    """Run rounds over all cases, so that a slow minute of the machine affects all of them."""
    begin = time.monotonic()
    for case in cases:
        if case.shape.records <= AT_ONCE:
            measure_round(case, WARM_UP_ROUND, Samples())
    for number in range(rounds):
        if number >= FEWEST and time.monotonic() - begin > SECONDS:
            break
        for case in cases:
            shape = case.shape
            progress.step(f"round {number + 1} of {rounds}", f"{shape.layout}, {shape.records:,} records")
            if shape.records == MANY and number % EVERY:
                continue
            samples = results.samples.setdefault(shape, Samples())
            measure_round(case, number, samples)


def show_stages(rounds: int) -> None:
    """Print the time of each stage of reading, and of each package up to findings."""
    for name, layout in layouts().items():
        print(f"\nLayout {name}, {AT_ONCE:,} records a payload, {rounds} payloads\n")
        print(report.stages(stages.measure(layout, rounds)))
    for name, layout in layouts().items():
        for records, interfaces in packages.SHAPES:
            measured = packages.measure(name, layout, records, interfaces, rounds)
            print(
                f"\nLayout {name}, {records:,} records, interfaces: {interfaces:,}, to findings, by package\n"
            )
            print(report.package_stages(measured))


if __name__ == "__main__":
    sys.exit(main())
