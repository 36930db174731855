"""The profile by stage: each function counts for the stage of its package, external code for its callers."""

from __future__ import annotations

import pytest

from benchmarks import packages
from benchmarks.layouts import layouts
from benchmarks.report import package_stages

READER = ("/opt/flowwarden/records/columnar/reader.py", 1, "read")
DIRECTION = ("/opt/flowwarden/network/direction.py", 1, "flows")
NUMPY = ("/lib/numpy/core.py", 1, "where")
BUILTIN = ("~", 0, "<method 'argsort'>")


def timed(own: float, **callers: float) -> tuple[int, int, float, float, dict[packages.Function, object]]:
    """A function's row of the profile: its own seconds, divided among its callers."""
    names = {"reader": READER, "direction": DIRECTION, "numpy": NUMPY}
    return 1, 1, own, own, {names[name]: (1, 1, seconds, seconds) for name, seconds in callers.items()}


def test_time_of_external_code_counts_for_its_callers() -> None:
    """Through several calls, in proportion to each caller; no time is lost."""
    profile = {
        READER: timed(1.0),
        DIRECTION: timed(2.0),
        NUMPY: timed(4.0, reader=1.0, direction=3.0),
        BUILTIN: timed(8.0, numpy=8.0),
    }
    assert packages.by_stage(profile) == {"parse": 1 + 1 + 2, "directions": 2 + 3 + 6}


def test_recursive_external_code_ends_the_search() -> None:
    """Its time counts for its other callers."""
    profile = {READER: timed(1.0), NUMPY: timed(2.0, numpy=1.0, reader=1.0)}
    assert packages.by_stage(profile) == {"parse": 3.0}


@pytest.mark.parametrize(
    ("file", "stage"),
    [
        ("/opt/flowwarden/monitor/detectors/scan.py", "detectors"),
        ("/opt/flowwarden/monitor/pipeline.py", "pipeline"),
        ("/opt/flowwarden/monitor/a_new_package/module.py", "pipeline"),
        ("/opt/flowwarden/state/heartbeats.py", "state"),
        ("/opt/benchmarks/evaluation/memory.py", "ports in memory"),
        ("/lib/python3.13/functools.py", None),
        ("~", None),
    ],
)
def test_a_file_is_part_of_the_stage_of_its_package(file: str, stage: str | None) -> None:
    """A new package inside a known one belongs to its stage."""
    assert packages.stage_of(file) == stage


def test_the_way_to_findings_is_profiled_by_stage() -> None:
    """Every payload has reading and directions among the stages; the shares add up."""
    name, layout = next(iter(layouts().items()))
    measured = packages.measure(name, layout, 3_000, 3, 1)
    assert {"parse", "directions", "pipeline"} <= set(measured)
    assert list(measured.values()) == sorted(measured.values(), reverse=True)
    assert package_stages(measured).splitlines()[-1].split()[-2] == "100%"
