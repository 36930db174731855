"""The gates: what detection has to reach before it may wake anybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from benchmarks.evaluation import scenarios
from benchmarks.evaluation.results import Results
from benchmarks.evaluation.run import MONITOR

MOST_PAGES: Final = 0.5
"""A day and 1,000 interfaces, when nothing is wrong but what always is."""
MOST_PAGES_UNDER_STRESS: Final = 2.0
ALWAYS_FOUND: Final = "fast-vertical-scan", "horizontal-scan", "block-scan", "slow-scan"
NEARLY_ALWAYS_FOUND: Final = (
    *("very-slow-scan", "lateral-movement", "nacl-fault"),
    *("reject-spike", "records-lost", "interface-silent"),
)
NEARLY: Final = 0.9
SURE_AND_RIGHT: Final = 0.995
"""Of the verdicts about the initiator that claim to be sure."""


class Gate(Struct, frozen=True):
    """A figure and its limit."""

    what: str
    figure: float
    limit: float
    at_least: bool

    @property
    def met(self) -> bool:
        """Whether the figure keeps to the limit."""
        return self.figure >= self.limit if self.at_least else self.figure <= self.limit


def gates(results: Results) -> Iterator[Gate]:
    """Every gate of a run."""
    for scenario, most in ((scenarios.BENIGN, MOST_PAGES), (scenarios.STRESS, MOST_PAGES_UNDER_STRESS)):
        outcome = results.outcomes[scenario]
        rate = outcome.tallies[MONITOR].rate(outcome.interfaces, outcome.days)
        yield Gate(f"pages a day and 1,000 interfaces, {scenario}", rate.value, most, at_least=False)
    for scenario in (scenarios.INCIDENTS, scenarios.INCIDENTS_V2):
        found = results.found(MONITOR, scenario)
        for kinds, least in ((ALWAYS_FOUND, 1.0), (NEARLY_ALWAYS_FOUND, NEARLY)):
            for kind in kinds:
                if kind in found:
                    yield Gate(f"recall of {kind}, {scenario}", found[kind].recall, least, at_least=True)
    for scenario in (scenarios.BENIGN, scenarios.BENIGN_V2):
        share = results.outcomes[scenario].accuracy.high.share or 0.0
        yield Gate(f"sure verdicts that are right, {scenario}", share, SURE_AND_RIGHT, at_least=True)
    unsure = sum(each.tallies[MONITOR].low_confidence for each in results.outcomes.values())
    yield Gate("pages without a sure verdict", unsure, 0, at_least=False)
