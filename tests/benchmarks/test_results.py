"""What a run reports: ratios of the same round, a document for programs, tables for people."""

from __future__ import annotations

import io
import json
from itertools import pairwise

import pytest

from benchmarks import layers, memory, startup
from benchmarks.clock import Samples
from benchmarks.goals import goals
from benchmarks.layouts import layouts
from benchmarks.progress import Progress
from benchmarks.report import markdown, stages, table
from benchmarks.results import Results
from benchmarks.stages import Stages
from benchmarks.ways.table import PROJECT, STDLIB_FLOOR, WHEELS_FLOOR
from flowwarden.records.log_format import LogFormat


def samples(**times: list[float]) -> Samples:
    """Samples of rounds 0, 1, 2 …; `_` in a way's name stands for `-`."""
    made = Samples()
    for way, each in times.items():
        made.times[way.replace("_", "-")] = dict(enumerate(each))
    return made


def results() -> Results:
    """A run of three rounds in which the second one was slow for all."""
    few = samples(
        flow_warden=[300, 900, 280],
        stdlib_floor=[200, 600, 200],
        wheels_floor=[100, 300, 100],
        flowlogs_reader=[3000, 9000, 2900],
    )
    many = samples(flow_warden=[330], stdlib_floor=[200], wheels_floor=[100])
    return Results(
        quick=False,
        pinned=True,
        samples={("v2", 10_000): few, ("v2", 100_000): many},
        memory={("v2", PROJECT): memory.Memory(7_000_000, 5_000_000)},
        start=startup.ColdStart(150, 60, 20, 100, 110),
        uncompiled=startup.ColdStart(150, 200, 20, 100, 110),
        layers=layers.Layers(200_000, 5_600_000, "build"),
    )


def test_a_ratio_is_the_median_of_the_rounds_ratios() -> None:
    """A round that was slow for all does not move it."""
    measured = samples(flow_warden=[300, 900, 280], stdlib_floor=[200, 600, 200])
    assert measured.ratio(PROJECT, STDLIB_FLOOR) == 1.5
    assert measured.nanoseconds(PROJECT) == 300
    assert measured.least(PROJECT) == 280
    assert measured.rounds == 3


def test_growth_compares_rounds_that_both_sizes_have() -> None:
    """The largest payload is not in every round."""
    assert results().growth() == {"v2": 1.1}


def test_the_document_has_a_result_for_each_layout_and_size() -> None:
    """With the keys that others read, as plain JSON."""
    document = json.loads(json.dumps(results().document()))
    first, second = document["results"]
    assert (first["layout"], first["records"], second["records"]) == ("v2", 10_000, 100_000)
    assert first["ratio_to_stdlib_floor"] == 1.5
    assert first["speedup_over_flowlogs_reader"] == 10
    assert "speedup_over_flowlogs_reader" not in second
    assert set(first["ways"]) == {PROJECT, STDLIB_FLOOR, WHEELS_FLOOR, "flowlogs-reader"}
    assert document["cold_start_ms"]["ready"] == 80
    assert document["layers"]["together"] == 5_800_000


def test_goals_are_held_against_the_figures() -> None:
    """Both ways: what must not be more, and what must not be less."""
    met = {goal.what: goal.met for goal in goals(results())}
    assert met["v2: times the stdlib floor"]
    assert met["v2: times as fast as flowlogs-reader"]
    assert not met["v2: MB for 10,000 records, resident"]
    assert met["ms from boto3 to a ready handler"]
    assert len(met) == 7


def test_what_was_not_measured_is_no_goal() -> None:
    """Nothing is met by being left out."""
    assert goals(Results(quick=True, pinned=True)) == []


def test_the_report_is_made_of_aligned_tables() -> None:
    """All lines of a table are of the same width."""
    lines = markdown(results()).splitlines()
    assert "## Layout v2, 10,000 records a payload" in lines
    for one, other in pairwise(lines):
        if one.startswith("|") and other.startswith("|"):
            assert len(one) == len(other)


def test_a_table_has_its_numbers_at_the_right() -> None:
    """And names at the left."""
    assert table(("Way", "ns"), [("a", "1,000")]) == "| Way |    ns |\n| :-- | ----: |\n| a   | 1,000 |"


def test_the_stages_sum_up() -> None:
    """To the whole, with shares of it."""
    text = stages(Stages({"read": 300.0, "aggregate": 100.0}, {"read": 290.0, "aggregate": 90.0}))
    assert "75%" in text
    assert text.splitlines()[-1].split() == ["|", "all", "|", "400", "|", "100%", "|", "380", "|"]


@pytest.mark.parametrize("layout", layouts().values(), ids=layouts())
def test_memory_is_measured_in_a_process_of_its_own(layout: LogFormat) -> None:
    """The project's way holds at least its lines."""
    measured = memory.of(PROJECT, layout, 1_000)
    assert measured.traced > 100_000


def test_a_cold_start_imports_the_monitor_and_makes_its_clients() -> None:
    """Without a call to AWS."""
    measured = startup.measure(1, compiled=True)
    assert min(measured.boto3, measured.monitor, measured.wiring, measured.clients) > 0
    assert measured.ready == measured.monitor + measured.wiring


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        """So that a bar is drawn."""
        return True


def test_progress_is_one_line_on_a_terminal_and_leaves_nothing() -> None:
    """The last thing written clears it."""
    stream = Terminal()
    with Progress(stream, 2) as progress:
        progress.step("round 1", "v2")
        progress.step("round 2", "v2")
    assert "\n" not in stream.getvalue()
    assert stream.getvalue().endswith("\r\033[K")


def test_progress_is_a_line_for_each_part_elsewhere() -> None:
    """A log is no place for bars."""
    stream = io.StringIO()
    with Progress(stream, 3) as progress:
        for part in ("round 1", "round 1", "memory"):
            progress.step(part)
    assert [line.partition(" s  ")[2] for line in stream.getvalue().splitlines()] == ["round 1", "memory"]
