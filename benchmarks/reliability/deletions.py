"""Proofs about deletions: the enforcer's scenarios that delete a flow log, with a call that fails once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from msgspec import Struct

from benchmarks.reliability.proofs import Evidence, Verdict, chosen, number_of
from tests.enforcer.fakes import Fakes
from tests.enforcer.fakes_ec2 import FakeEc2
from tests.enforcer.runs import existing
from tests.enforcer.test_faults import SCENARIOS, UNSURE, Scenario, reported_deletions
from tests.faults import Fault, Faults

NAMES = ("replaced", "rolled back")
THEIRS = "fl-theirs"
"""Another team's flow log of the same VPC, with the stack's tag and an outdated format."""
RUNS = 10
"""How many times more runs a scenario has than one of the monitor, which has more scenarios."""


class Deletions(Struct, frozen=True):
    """Every deletion is reported once; twice only if it is unknown whether the report was sent."""

    fault: Fault

    def verdict(self, evidence: Evidence) -> Verdict:
        """Let a call fail in this way, and let a new container continue."""
        runs = [(name, *call) for name in NAMES for call in _calls(SCENARIOS[name], evidence, self.fault)]
        failures = [why for name, number, call in runs for why in self._failures(name, number, call)]
        return Verdict(number_of(len(runs), "run"), tuple(failures))

    def _failures(self, name: str, number: int, call: str) -> Iterator[str]:
        fakes = SCENARIOS[name].play(Faults(number, self.fault))
        least, found = len(set(_ec2(fakes).deleted)), reported_deletions(fakes.sink.sent)
        if not least <= found <= least + ((call, self.fault) in UNSURE):
            yield f"{name}: {self.fault} at {number}, {call}: {least} deleted, {found} reported"


class Foreign(Struct, frozen=True):
    """A flow log that the stack did not create is not deleted, although it has the stack's tag."""

    fault: Fault

    def verdict(self, evidence: Evidence) -> Verdict:
        """Let a call fail in this way while the stack's own flow log of the same VPC is replaced."""
        scenario = replace(SCENARIOS["replaced"], fakes=beside_theirs)
        own = _ec2(scenario.play(Faults())).deleted
        idle = () if own else ("without a fault, the stack's own flow log is not replaced",)
        runs = _calls(scenario, evidence, self.fault)
        harmed = [
            f"deleted: {self.fault} at {number}, {call}"
            for number, call in runs
            if THEIRS not in _ids(scenario.play(Faults(number, self.fault)))
        ]
        return Verdict(number_of(len(runs), "run"), (*idle, *harmed))


def beside_theirs() -> Fakes:
    """The account of the scenario "replaced", with an unmanaged flow log."""
    fakes = SCENARIOS["replaced"].fakes()
    outdated = existing(flow_log_id=THEIRS, log_format="${version}", creation_time=1)
    _ec2(fakes).existing.append(outdated)
    return fakes


def _calls(scenario: Scenario, evidence: Evidence, fault: Fault) -> list[tuple[int, str]]:
    faultless = Faults()
    scenario.play(faultless)
    return list(
        chosen(list(enumerate(faultless.calls)), RUNS * evidence.calls, f"{scenario.reports} {fault}")
    )


def _ids(fakes: Fakes) -> set[str]:
    return {each.flow_log_id for each in _ec2(fakes).existing}


def _ec2(fakes: Fakes) -> FakeEc2:
    if not isinstance(fakes.ec2, FakeEc2):
        raise TypeError("the scenarios are on this fake")
    return fakes.ec2
