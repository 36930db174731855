"""The results of a run: ratios within a round, a JSON document, Markdown tables."""

from __future__ import annotations

import io
import json
from itertools import pairwise

from benchmarks import layers, memory, startup
from benchmarks.clock import Samples, Shape
from benchmarks.layouts import layouts
from benchmarks.progress import Progress
from benchmarks.report import markdown, stages
from benchmarks.results import Results
from benchmarks.speed_targets import targets
from benchmarks.stages import Stages
from benchmarks.tables import table
from benchmarks.targets import Target, target_table
from benchmarks.ways.table import PROJECT, STDLIB_FLOOR, WHEELS_FLOOR


def samples(**times: list[float]) -> Samples:
    """Samples of rounds 0, 1, 2 …; `_` in a way's name means `-`."""
    made = Samples()
    for way, each in times.items():
        made.times[way.replace("_", "-")] = dict(enumerate(each))
    return made


def results() -> Results:
    """A run of three rounds; the second one was slow for all ways."""
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
        samples={Shape("v2", 10_000): few, Shape("v2", 100_000): many},
        memory={("v2", PROJECT): memory.Memory(7_000_000, 5_000_000)},
        start=startup.ColdStart(150, 60, 20, 100, 110),
        uncompiled=startup.ColdStart(150, 200, 20, 100, 110),
        layers=layers.Layers(200_000, 5_600_000, "build"),
    )


def test_a_ratio_is_the_median_of_the_rounds_ratios() -> None:
    """A round that is slow for all ways does not change it."""
    measured = samples(flow_warden=[300, 900, 280], stdlib_floor=[200, 600, 200])
    assert measured.ratio(PROJECT, STDLIB_FLOOR) == 1.5
    assert measured.nanoseconds(PROJECT) == 300
    assert measured.least(PROJECT) == 280
    assert measured.rounds == 3


def test_growth_compares_rounds_with_both_sizes() -> None:
    """The largest payload is not in every round."""
    assert results().growth() == {"v2": 1.1}


def test_the_document_has_a_result_for_each_layout_and_size() -> None:
    """With the documented keys, as plain JSON."""
    document = json.loads(json.dumps(results().document()))
    first, second = document["results"]
    assert (first["layout"], first["records"], second["records"]) == ("v2", 10_000, 100_000)
    assert first["ratio_to_stdlib_floor"] == 1.5
    assert first["speedup_over_flowlogs_reader"] == 10
    assert "speedup_over_flowlogs_reader" not in second
    assert set(first["ways"]) == {PROJECT, STDLIB_FLOOR, WHEELS_FLOOR, "flowlogs-reader"}
    assert document["cold_start_ms"]["ready"] == 80
    assert document["layers"]["together"] == 5_800_000


def test_targets_are_compared_with_the_figures() -> None:
    """Both maxima and minima."""
    met = {target.what: target.met for target in targets(results())}
    assert met["v2: times the stdlib floor"]
    assert met["v2: times as fast as flowlogs-reader"]
    assert not met["v2: MB for 10,000 records, resident"]
    assert met["ms from boto3 to a ready handler"]
    assert len(met) == 7


def test_unmeasured_figures_have_no_target() -> None:
    """A missing figure does not meet a target."""
    assert targets(Results(quick=True, pinned=True)) == []


def cuts() -> Results:
    """A run over several shapes of payloads; its second round was slow for all ways."""
    floor = [100.0, 300.0, 100.0]
    times = {Shape("v2", 50): 2_400.0, Shape("v2", 1_000): 410.0, Shape("v2", 10_000): 210.0}
    times |= {Shape("v2", 10_000, 100): 300.0, Shape("v2", 10_000, 1_000): 400.0}
    found = {
        shape: samples(
            flow_warden=floor,
            flow_warden_findings=[time, 3 * time, time],
            stdlib_floor=floor,
            wheels_floor=floor,
            flowlogs_reader=floor,
        )
        for shape, time in times.items()
    }
    return Results(quick=False, pinned=True, samples=found)


def test_each_size_has_its_own_target_to_findings() -> None:
    """Small payloads may cost more per record than large ones."""
    met = {target.what: target.met for target in targets(cuts()) if "to findings" in target.what}
    assert met == {
        "v2: times the stdlib floor, to findings, 50 records": True,
        "v2: times the stdlib floor, to findings, 1,000 records": False,
        "v2: times the stdlib floor, to findings, 10,000 records": False,
        "v2: 1,000 interfaces over one, to findings": True,
    }


def test_many_interfaces_are_compared_with_one_in_the_same_rounds() -> None:
    """With the same number of records; a payload of one interface has no comparison."""
    found = cuts().over_one_interface()
    assert {shape.interfaces: round(ratio, 3) for shape, ratio in found.items()} == {100: 1.429, 1_000: 1.905}
    assert cuts().document()["findings_over_one_interface"][1]["interfaces"] == 1_000


def test_the_report_has_every_payload_shape_in_one_table() -> None:
    """With the ratio of several interfaces to one; without results there is no such table."""
    text = markdown(cuts())
    assert "| v2, 10,000 records of 1,000 interfaces |" in text
    assert "## Layout v2, 10,000 records of 100 interfaces a payload" in text
    assert "by payload shape" not in markdown(results())


def test_a_target_is_met_at_its_limit_and_not_beyond() -> None:
    """For maxima and minima."""
    assert Target("most", 2.0, 2.0).met
    assert not Target("most", 2.1, 2.0).met
    assert Target("least", 2.0, 2.0, at_least=True).met
    assert not Target("least", 1.9, 2.0, at_least=True).met


def test_a_table_of_targets_has_the_limit_and_whether_it_is_met() -> None:
    """One row each."""
    text = target_table("Target", [Target("speed", 2.5, 2), Target("recall", 1, 0.9, at_least=True)])
    assert [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()[2:]] == [
        ["speed", "2.5", "at most 2", "no"],
        ["recall", "1", "at least 0.9", "yes"],
    ]


def test_the_tables_of_the_report_are_aligned() -> None:
    """All lines of a table have the same width."""
    lines = markdown(results()).splitlines()
    assert "## Layout v2, 10,000 records a payload" in lines
    for one, other in pairwise(lines):
        if one.startswith("|") and other.startswith("|"):
            assert len(one) == len(other)


def test_numbers_in_a_table_are_right_aligned() -> None:
    """Names are left-aligned."""
    assert table(("Way", "ns"), [("a", "1,000")]) == "| Way |    ns |\n| :-- | ----: |\n| a   | 1,000 |"


def test_the_stages_add_up() -> None:
    """The last row is their sum; each stage has its share."""
    text = stages(Stages({"read": 300.0, "aggregate": 100.0}, {"read": 290.0, "aggregate": 90.0}))
    assert "75%" in text
    assert text.splitlines()[-1].split() == ["|", "all", "|", "400", "|", "100%", "|", "380", "|"]


def test_memory_is_measured_in_a_separate_process() -> None:
    """Flow Warden needs at least the memory of the lines, here those with most fields."""
    measured = memory.of(PROJECT, max(layouts().values(), key=lambda each: len(each.fields)), 1_000)
    assert measured.traced > 100_000


def test_a_cold_start_imports_the_monitor_and_creates_its_clients() -> None:
    """Each part takes time; the handler is ready without the clients that it creates later."""
    measured = startup.once(compiled=True)
    assert min(measured.boto3, measured.monitor, measured.wiring, measured.clients) > 0
    assert measured.ready == measured.monitor + measured.wiring


class Terminal(io.StringIO):
    """A stream that a progress bar is drawn on."""

    def isatty(self) -> bool:
        """Claim to be a terminal, so that a progress bar is drawn."""
        return True


def test_progress_is_one_line_on_a_terminal_and_is_cleared() -> None:
    """The last output clears it."""
    stream = Terminal()
    with Progress(stream, 2) as progress:
        progress.step("round 1", "v2")
        progress.step("round 2", "v2")
    assert "\n" not in stream.getvalue()
    assert stream.getvalue().endswith("\r\033[K")


def test_progress_is_a_line_for_each_part_elsewhere() -> None:
    """A log has no progress bar."""
    stream = io.StringIO()
    with Progress(stream, 3) as progress:
        for part in ("round 1", "round 1", "memory"):
            progress.step(part)
    assert [line.partition(" s  ")[2] for line in stream.getvalue().splitlines()] == ["round 1", "memory"]
