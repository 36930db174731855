"""A traffic source other than the generator."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from benchmarks.evaluation import report
from benchmarks.evaluation.gates import gates
from benchmarks.evaluation.generator.generator import Generator
from benchmarks.evaluation.results import Results
from benchmarks.evaluation.run import MONITOR, Run
from benchmarks.evaluation.scenarios import INCIDENTS, QUICK, Scenario, scenarios
from benchmarks.evaluation.source import source_of
from benchmarks.evaluation.tally import found, pages_per_incident
from tests.benchmarks.evaluation.networks import network

MODULE = "tests.benchmarks.evaluation.own_traffic"


def test_a_run_judges_the_traffic_of_a_module(tmp_path: Path) -> None:
    """Its records, hosts and labels, of a kind that the generator does not have; a checkpoint is written."""
    scenario = Scenario("own", network("v2", learning_days=1, judged_days=2), MODULE)
    outcome = Run(scenario, tmp_path / "checkpoint").finish(lambda _: None)
    tally = outcome.tallies[MONITOR]
    assert [each.kind for each in outcome.incidents] == ["of-my-own"]
    assert found(tally, outcome.incidents)["of-my-own"].recall == 1
    assert pages_per_incident(tally, outcome.incidents) == [1]
    assert (outcome.lines, outcome.learning_days) == (59, 1)
    assert tally.while_learning == []
    assert pickle.loads((tmp_path / "checkpoint").read_bytes())  # noqa: S301 -- created by this test
    everywhere = Results(1, size="quick", outcomes={each.name: outcome for each in scenarios(QUICK, 1)})
    assert "recall of of-my-own, incidents" in {each.what for each in gates(everywhere)}
    assert "| of-my-own " in report.markdown(everywhere)
    results = Results(1, size="quick", outcomes={INCIDENTS: outcome})
    assert results.per_incident(MONITOR, INCIDENTS) == {"mean": 1, "most": 1}
    assert results.per_incident("Zeek", INCIDENTS)["most"] in {None, 1}


def test_every_scenario_of_a_run_has_the_source() -> None:
    """The default is the generator."""
    assert {each.source for each in scenarios(QUICK, 1, MODULE)} == {MODULE}
    assert isinstance(source_of("", network()), Generator)


@pytest.mark.parametrize("module", ["no_such_module", "json"])
def test_a_module_that_is_no_source_is_an_error(module: str) -> None:
    """The error names the module, and the page that describes a source."""
    with pytest.raises(SystemExit, match=f"--source {module}: .*README"):
        source_of(module, network())
