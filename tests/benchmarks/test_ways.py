"""The ways to read a payload compute the same aggregates, and differences are detected."""

from __future__ import annotations

import pytest

from benchmarks.aggregates import Aggregates, sides
from benchmarks.clock import Case, Samples, Shape, WaysDisagree, compare, measure_round
from benchmarks.generator import payload
from benchmarks.layouts import layouts
from benchmarks.stages import stages
from benchmarks.ways import floors, plain, project
from benchmarks.ways.findings import Remembered
from benchmarks.ways.table import FINDINGS, PROJECT, STDLIB_FLOOR, WAYS, WHEELS_FLOOR
from benchmarks.ways.way import Way
from flowwarden.monitor.baseline.baseline import Edge
from flowwarden.monitor.caches.state import StateCache
from flowwarden.monitor.render.text import describe
from flowwarden.records.log_format import LogFormat
from flowwarden.state.sets import DAY, fingerprint

LAYOUTS = layouts()
AGGREGATING = [name for name in WAYS if name not in (STDLIB_FLOOR, WHEELS_FLOOR, FINDINGS)]
ENI, PEER, OTHER = "10.0.0.1", "10.0.0.2", "10.0.0.3"


def make(name: str, layout: LogFormat) -> Way:
    """A way; skips the test if only `make bench` has its packages."""
    try:
        return WAYS[name].make(layout)
    except ImportError as missing:
        pytest.skip(f"{missing.name} is only in the benchmark's environment: make bench compares all ways")


def found(way: Way, layout: LogFormat, interfaces: int = 1) -> Aggregates:
    """The aggregates of a way for a small payload."""
    assert way.aggregates is not None
    return way.aggregates(way.run(payload(layout, 700, 3, interfaces).event))


@pytest.mark.matrix(8)
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("name", AGGREGATING)
@pytest.mark.parametrize("interfaces", [1, 5])
def test_each_way_has_the_same_aggregates_as_the_simplest_one(
    name: str, layout: LogFormat, interfaces: int
) -> None:
    """For a payload with rejects, IPv6 and gaps."""
    reference = found(plain.make(layout), layout, interfaces)
    assert found(make(name, layout), layout, interfaces).difference(reference) is None


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_the_simplest_way_counts_each_flow_once(layout: LogFormat) -> None:
    """By group and by side; gaps are not counted."""
    aggregates = found(plain.make(layout), layout)
    assert sum(records for records, _, _ in aggregates.groups.values()) == 693
    assert sum(aggregates.sides.values()) == 693
    assert set(aggregates.sides) == {"ingress", "egress"}
    assert all(aggregates.rejected_ports.values())


def test_a_floor_reads_every_event() -> None:
    """Without computing aggregates."""
    layout = LAYOUTS["v2"]
    floor = floors.stdlib(layout)
    assert floor.run(payload(layout, 50, 1).event) == 50
    assert floor.aggregates is None


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_the_way_to_findings_is_complete(layout: LogFormat) -> None:
    """The faults in the traffic are found and reported; most other traffic is in the baseline."""
    result = WAYS[FINDINGS].make(layout).run(payload(layout, 4_000, 3).event)
    assert (result.flows, result.malformed) == (3_960, 0)
    assert result.internet_rejects > 300
    assert any("is blocked from Elasticsearch" in describe(each).summary for each in result.reported)
    assert 0 < len(result.delivery.sent) < 12, "no page, or as many as without a baseline"


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_the_stages_have_the_same_result_as_the_way(layout: LogFormat) -> None:
    """Otherwise the profile would measure something else."""
    event = payload(layout, 200, 3).event
    value: object = event["awslogs"]["data"]
    for stage in stages(layout).values():
        value = stage(value)
    assert isinstance(value, project.Found)
    way = project.make(layout)
    assert project.aggregates(value).difference(project.aggregates(way.run(event))) is None


def wrong(aggregates: Aggregates) -> Way:
    """A way that returns these aggregates for any payload."""
    return Way(run=lambda _: aggregates, aggregates=lambda result: result)


KEY = (PEER, ENI, 22, 6, "REJECT")
RIGHT = Aggregates({KEY: [1, 2, 80]}, {(PEER, ENI): {22}}, {"ingress": 1})


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (Aggregates({KEY: [1, 2, 81]}, {(PEER, ENI): {22}}, {"ingress": 1}), "groups"),
        (Aggregates({}, {(PEER, ENI): {22}}, {"ingress": 1}), "groups"),
        (Aggregates({KEY: [1, 2, 80]}, {}, {"ingress": 1}), "rejected_ports"),
        (Aggregates({KEY: [1, 2, 80]}, {(PEER, ENI): {22}}, {"egress": 1}), "sides"),
    ],
)
def test_ways_that_disagree_are_named_with_the_difference(other: Aggregates, what: str) -> None:
    """For every kind of difference."""
    case = Case(Shape("v2", 1), LAYOUTS["v2"], {"one": wrong(RIGHT), "other": wrong(other)})
    with pytest.raises(WaysDisagree, match=f"one and other disagree .* {what}"):
        compare(case, {"one": [RIGHT], "other": [other]})


def test_ways_that_agree_pass_and_floors_are_not_compared() -> None:
    """Two of three compute aggregates."""
    ways = {"one": wrong(RIGHT), "floor": floors.stdlib(LAYOUTS["v2"]), "other": wrong(RIGHT)}
    compare(Case(Shape("v2", 1), LAYOUTS["v2"], ways), {"one": [RIGHT], "floor": [1], "other": [RIGHT]})


def test_a_round_measures_every_way_once() -> None:
    """On the same payloads."""
    layout = LAYOUTS["v2"]
    ways = {PROJECT: project.make(layout), STDLIB_FLOOR: floors.stdlib(layout)}
    samples = Samples()
    measure_round(Case(Shape("v2", 5_000), layout, ways), 0, samples)
    assert {way: list(times) for way, times in samples.times.items()} == {PROJECT: [0], STDLIB_FLOOR: [0]}


def test_a_round_ends_the_run_if_a_way_is_wrong() -> None:
    """Its time is not compared."""
    layout = LAYOUTS["v2"]
    case = Case(Shape("v2", 5_000), layout, {PROJECT: project.make(layout), "wrong": wrong(RIGHT)})
    with pytest.raises(WaysDisagree):
        measure_round(case, 0, Samples())


def test_an_interfaces_own_address_is_in_all_its_flows() -> None:
    """Two far ends identify it; with only one pair of hosts, either end may be the interface."""
    assert sides({("eni", ENI, PEER): 2, ("eni", OTHER, ENI): 1}) == {"egress": 2, "ingress": 1}
    assert sides({("eni", ENI, PEER): 2}) == {"unknown": 2}


def test_the_way_to_findings_reads_what_the_roles_have_learned() -> None:
    """Without it, all behavior would be new, as on the first day of an account."""
    usual, other = Edge("out", 6, 443, "internet"), Edge("out", 6, 22, "10.1.0.0/24")
    state = StateCache(Remembered(frozenset({fingerprint(*usual)}))).for_batch()
    baseline = state.baseline("sg:sg-0a", 20_000, 20_000 * DAY)
    assert baseline is not None
    assert not baseline.learning
    assert baseline.knows(usual)
    assert not baseline.knows(other)
