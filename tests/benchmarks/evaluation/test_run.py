"""Running a scenario: systems under test, counts, and continuing after an interruption."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from pickle import UnpicklingError
from typing import Final

import msgspec
import pytest

from benchmarks.evaluation import report, scenarios
from benchmarks.evaluation.gates import gates
from benchmarks.evaluation.generator.model import LOG_GROUP, Delivery, Network
from benchmarks.evaluation.parallel import run_all
from benchmarks.evaluation.peers import PEERS, Contacts, Peer
from benchmarks.evaluation.reading import Reading
from benchmarks.evaluation.results import Results
from benchmarks.evaluation.run import MONITOR, Outcome, Run, counts
from benchmarks.evaluation.scenarios import Scenario
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT
from tests.benchmarks.evaluation.networks import network

pytestmark = pytest.mark.slow


def scenario(**parameters: float) -> Scenario:
    """Two learning days and a scored day, with an incident of each kind.

    The windows are longer than AWS's, because fewer deliveries take less time.
    """
    small: dict[str, float] = {"learning_days": 2, "judged_days": 1, "incidents_of_each_kind": 1}
    small |= {"learning_rate": 0.005, "judged_rate": 0.005, "window": 86_400, "learning_slot": 86_400}
    return Scenario("incidents", network("v2", **(small | parameters)))


SHORT: Final = Scenario("short", scenario(learning_days=1, judged_days=0, incidents_of_each_kind=0).network)
"""One learning day."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Path]:
    """The outcome of the scenario, and what an interruption of its last day leaves as its checkpoint."""
    checkpoint = tmp_path_factory.mktemp("whole") / "checkpoint.pickle"
    left = checkpoint.with_name("left.pickle")

    def keep(detail: str) -> None:
        if detail.startswith("day 3"):
            left.write_bytes(checkpoint.read_bytes())

    return Run(scenario(), checkpoint).finish(keep), left


@pytest.fixture(scope="module")
def outcome(whole: tuple[Outcome, Path]) -> Outcome:
    """The outcome of the scenario."""
    return whole[0]


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Path]:
    """The outcome of the short scenario, and its checkpoint."""
    checkpoint = tmp_path_factory.mktemp("short") / "checkpoint.pickle"
    return Run(SHORT, checkpoint).finish(lambda _: None), checkpoint


def comparable(outcome: Outcome) -> bytes:
    """An outcome without seconds and writes, because a new container repeats writes of the old one."""
    tallies = {
        name: msgspec.structs.replace(each, write_units=Counter()) for name, each in outcome.tallies.items()
    }
    plain = msgspec.structs.replace(outcome, seconds=0, tallies=tallies)
    return msgspec.json.encode(plain, order="deterministic")


def test_scored_days_are_counted_and_incidents_are_labeled(outcome: Outcome) -> None:
    """For learning days, only lines are counted."""
    tally = outcome.tallies[MONITOR]
    assert list(outcome.tallies) == [MONITOR, *PEERS]
    assert 0 < tally.records < outcome.lines
    assert 0 < tally.batches < outcome.deliveries
    assert {each.kind for each in outcome.incidents} >= {"slow-scan", "unreadable-lines"}
    assert tally.low_confidence == 0


def test_late_pages_about_learning_days_are_not_counted(outcome: Outcome) -> None:
    """Deliveries of their last hour arrive on the first scored day."""
    page, judged = outcome.tallies[MONITOR].pages[0], scenario().network
    for at, expected in ((judged.judged_from, True), (None, True), (judged.judged_from - 1, False)):
        assert counts(msgspec.structs.replace(page, at=at), judged) is expected


def test_the_monitor_finds_incidents(outcome: Outcome) -> None:
    """And its writes are counted."""
    detectors = {page.detector for page in outcome.tallies[MONITOR].pages}
    assert {"host-probing", "scan"} <= detectors
    assert outcome.tallies[MONITOR].write_units.total() > 0


def test_parallel_scenarios_have_the_same_outcome_even_after_an_interruption(
    whole: tuple[Outcome, Path], short: tuple[Outcome, Path], tmp_path: Path
) -> None:
    """They continue from the checkpoint of the last completed day; without one, they begin anew.

    Each runs in its own process with its own checkpoint; outcomes are in the requested order.
    """
    checkpoints = {scenario(): whole[1], SHORT: tmp_path / "two"}
    steps: set[tuple[str, str]] = set()
    found = run_all(checkpoints, 2, lambda under_way: steps.update(under_way.items()))
    assert steps == {("incidents", "day 3 of 3, judged"), ("short", "day 1 of 1, learning")}
    assert list(found) == ["incidents", "short"]
    assert comparable(found["incidents"]) == comparable(whole[0])
    assert comparable(found["short"]) == comparable(short[0])
    assert all(each.exists() for each in checkpoints.values())


def test_a_checkpoint_of_another_scenario_is_not_used(short: tuple[Outcome, Path]) -> None:
    """Every parameter is compared."""
    assert Run(SHORT, short[1]).generator.over
    assert Run(scenario(judged_days=0, seed=9), short[1]).generator.day == 0


def test_a_scenario_that_fails_ends_the_run_with_its_error(tmp_path: Path) -> None:
    """Here the error of an unreadable checkpoint."""
    (tmp_path / "one").write_bytes(b"no checkpoint")
    with pytest.raises(UnpicklingError):
        run_all({scenario(): tmp_path / "one"}, 1, lambda _: None)


def test_results_contain_all_figures_and_the_report_shows_them(outcome: Outcome) -> None:
    """As JSON and as Markdown."""
    names = [each.name for each in scenarios.scenarios(scenarios.FULL, 1)]
    results = Results(1, size="full", outcomes=dict.fromkeys(names, outcome))
    document = json.loads(json.dumps(results.document()))
    assert {
        "pages_per_day_per_1000_enis", "pages_per_day_per_1000_enis_stress", "recall", "precision",
        "initiator_accuracy_high_confidence", "time_to_detect", "write_units_per_1000_records",
        "write_units_per_batch", "peers",
        "pages_at_low_confidence",
    } <= set(document)  # fmt: skip
    assert {"value", "low", "high", "interface_days"} <= set(document["pages_per_day_per_1000_enis"])
    assert set(document["peers"]) == set(PEERS)
    text = report.markdown(results)
    assert "| slow-scan " in text
    assert all(name in text for name in PEERS)


def test_a_quick_run_has_the_gates_of_its_scenarios(outcome: Outcome) -> None:
    """It has no peers, and no traffic with only usual faults in the template's format."""
    quick = scenarios.scenarios(scenarios.QUICK, 1)
    assert not any(each.peers for each in quick)
    results = Results(1, size="quick", outcomes={each.name: outcome for each in quick})
    assert results.document()["pages_per_day_per_1000_enis"] is None
    whole = Results(1, size="full", outcomes=results.outcomes | {scenarios.BENIGN: outcome})
    gained = {gate.what for gate in gates(whole)} - {gate.what for gate in gates(results)}
    assert len(gained) == 4
    assert all(what.endswith(", benign") for what in gained)


@pytest.mark.parametrize("pages", [2, 3])
def test_learning_days_with_all_traffic_have_a_gate_in_every_run(outcome: Outcome, pages: int) -> None:
    """At most two pages per day and 1,000 interfaces: here 1.4 and 2.1. Other networks are only reported."""
    assert outcome.tallies[MONITOR].while_learning == []
    page = msgspec.structs.replace(outcome.tallies[MONITOR].paged[0], detector="of-learning")
    noisy = msgspec.structs.replace(outcome.tallies[MONITOR], while_learning=[page] * pages)
    learning = msgspec.structs.replace(outcome, days=0, learning_days=14, tallies={MONITOR: noisy})
    for size in (scenarios.QUICK, scenarios.FULL):
        networks = {each.name: each for each in scenarios.scenarios(size, 1)}
        for name in (scenarios.LEARNING, scenarios.LEARNING_V2):
            network = networks[name].network
            assert (network.learning_rate, network.learning_slot, network.judged_days) == (
                1,
                network.window,
                0,
            )
            assert not networks[name].peers
            results = Results(1, size="quick", outcomes=dict.fromkeys(networks, outcome) | {name: learning})
            (gate,) = (each for each in gates(results) if each.what.endswith(f"interfaces, {name}"))
            assert gate.met is (pages == 2)
            assert f"of-learning {pages}" in report.markdown(results)


def test_traffic_of_any_seed_can_be_evaluated() -> None:
    """Without one, tuning and reporting have theirs."""
    asked = [(None, False), (None, True), (7, True), (0, False)]
    seeds = [scenarios.seed_of(given, tuning=tuning) for given, tuning in asked]
    assert seeds == [scenarios.REPORTING_SEED, scenarios.TUNING_SEED, 7, 0]


def test_tuning_and_reporting_use_different_traffic() -> None:
    """And every scenario of a run has its own seed."""
    networks: list[Network] = [
        each.network
        for seed in (scenarios.TUNING_SEED, scenarios.REPORTING_SEED)
        for each in scenarios.scenarios(scenarios.FULL, seed)
    ]
    assert len({each.seed for each in networks}) == len(networks)
    benign = scenarios.scenarios(scenarios.FULL, 1)[0].network
    assert benign.interfaces * benign.judged_days >= 7000


def delivered(*lines: str) -> Delivery:
    """A delivery with these lines."""
    return Delivery(1, 1_767_226_000, LOG_GROUP, "eni-1-all", "111122223333", lines, "s" * len(lines))


def probes(hosts: int, ports: int) -> Delivery:
    """Rejected probes of a number of hosts on a number of ports each."""
    return delivered(
        *(
            f"2 111122223333 eni-1 10.0.0.9 10.0.1.{host} 40000 {100 + port} 6 1 44 "
            f"1767225600 1767225600 REJECT OK"
            for host in range(hosts)
            for port in range(ports)
        )
    )


@pytest.mark.parametrize(
    ("name", "hosts", "ports", "detectors"),
    [
        ("Zeek", 24, 1, set()),
        ("Zeek", 25, 1, {"zeek-address-scan"}),
        ("Zeek", 1, 14, set()),
        ("Zeek", 1, 15, {"zeek-port-scan"}),
        ("Elastic", 1, 49, set()),
        ("Elastic", 1, 50, {"elastic-inside"}),
        ("Elastic", 1, 250, {"elastic-inside", "elastic-scan"}),
        ("Panther", 1, 9, set()),
        ("Panther", 1, 10, {"panther-egress-ports"}),
    ],
)
def test_peers_page_from_their_thresholds(name: str, hosts: int, ports: int, detectors: set[str]) -> None:
    """And not below them."""
    peer = Peer(name, Contacts(Reading(DEFAULT_LOG_FORMAT)))
    assert {page.detector for page in peer.process(probes(hosts, ports))} == detectors
    assert peer.process(probes(hosts, ports)) == []  # suppressed, also for a second delivery
