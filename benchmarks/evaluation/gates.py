"""The gates: targets that detection must meet before it may page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from benchmarks.evaluation import scenarios
from benchmarks.evaluation.results import Results
from benchmarks.evaluation.run import MONITOR
from benchmarks.targets import Target

MOST_PAGES: Final = {scenarios.BENIGN: 0.5, scenarios.BENIGN_V2: 0.5, scenarios.STRESS: 2.0}
"""Maximum pages per day and 1,000 interfaces, without incidents: with usual and with frequent faults."""
ALWAYS_FOUND: Final = "fast-vertical-scan", "horizontal-scan", "block-scan", "slow-scan"
NEEDS_FLAGS: Final = frozenset({"beacon", "exfiltration-on-new-port"})
"""Kinds of incident that cannot be found in AWS's default format: without flags, the initiator on an unlisted
port is a guess, and guesses never page."""
NEARLY: Final = 0.9
"""Minimum recall of every other kind."""
MOST_UNNEEDED: Final = 1.0
"""Maximum pages per day and 1,000 interfaces, over all scenarios without incidents."""
MOST_WHILE_LEARNING: Final = 2.0
"""The same on learning days."""
MOST_REFUSED: Final = 1.0
"""Maximum pages per month about a role and a service that its own rules permanently reject."""
MOST_WRITES: Final = {scenarios.BENIGN: 10.0, scenarios.BENIGN_V2: 10.0, scenarios.INCIDENTS: 25.0}
"""Maximum write units of the state table per 1,000 records: for ordinary traffic, and with scans."""
QUICK_WRITES: Final = 1.25
"""How many times as many a quick run may have. In its small networks, each container and each lasting
incident has a larger share of the records. A full run has the limit itself."""
PAGES_PER_INCIDENT: Final = {"mean": 1.3, "most": 4.0}
"""Maximum pages about an incident that has any, over all interfaces, with repeats."""
MOST_EARLY: Final = 0.1
"""Maximum share of incidents that are resolved although they go on: some pause for longer than the wait."""
SURE_AND_RIGHT: Final = 0.995
"""Minimum share of right verdicts among the sure verdicts about the initiator."""


def gates(results: Results) -> Iterator[Target]:
    """Every gate of the scenarios of a run."""
    outcomes = results.outcomes
    for scenario in filter(outcomes.get, MOST_PAGES):
        outcome = outcomes[scenario]
        rate = outcome.tallies[MONITOR].rate(outcome.interfaces, outcome.days)
        yield Target(f"pages per day and 1,000 interfaces, {scenario}", rate.value, MOST_PAGES[scenario])
    together = results.unneeded(MONITOR).value
    yield Target("pages per day and 1,000 interfaces, without incidents", together, MOST_UNNEEDED)
    for scenario in filter(outcomes.get, (scenarios.LEARNING, scenarios.LEARNING_V2)):
        outcome = outcomes[scenario]
        rate = outcome.tallies[MONITOR].rate_while_learning(outcome.interfaces, outcome.learning_days)
        yield Target(f"pages per day and 1,000 interfaces, {scenario}", rate.value, MOST_WHILE_LEARNING)
    refused = results.refused(MONITOR)
    yield Target("pages per month about a role and a service that its rules reject", refused, MOST_REFUSED)
    yield from _recalls(results, scenarios.INCIDENTS)
    yield from _recalls(results, scenarios.INCIDENTS_V2)
    for scenario in filter(outcomes.get, scenarios.WITH_INCIDENTS):
        counts = results.per_incident(MONITOR, scenario)
        for name, most in PAGES_PER_INCIDENT.items():
            yield Target(f"pages per incident, {name}, {scenario}", counts[name] or 0.0, most)
    for scenario in filter(outcomes.get, (*scenarios.WITHOUT_INCIDENTS, *scenarios.WITH_INCIDENTS)):
        overdue = results.lives(MONITOR, scenario).overdue
        yield Target(f"incidents open for too long, {scenario}", overdue, 0)
    for scenario in filter(outcomes.get, scenarios.WITH_INCIDENTS):
        early = results.lives(MONITOR, scenario).early_share
        yield Target(f"share of incidents resolved too early, {scenario}", early, MOST_EARLY)
    yield Target("pages with a wrong subject", results.wrong_subjects(MONITOR), 0)
    for scenario in filter(outcomes.get, scenarios.WITHOUT_INCIDENTS):
        share = outcomes[scenario].accuracy.high.share or 0.0
        yield Target(f"sure verdicts that are right, {scenario}", share, SURE_AND_RIGHT, at_least=True)
    for scenario in filter(outcomes.get, MOST_WRITES):
        figure = outcomes[scenario].tallies[MONITOR].writes_per_thousand()
        most = MOST_WRITES[scenario] * (QUICK_WRITES if results.size == "quick" else 1)
        yield Target(f"write units per 1,000 records, {scenario}", figure, most)
    unsure = sum(each.tallies[MONITOR].low_confidence for each in outcomes.values())
    yield Target("pages without a sure verdict", unsure, 0)


def _recalls(results: Results, scenario: str) -> Iterator[Target]:
    hidden = NEEDS_FLAGS if scenario == scenarios.INCIDENTS_V2 else frozenset()
    for kind, each in results.found(MONITOR, scenario).items():
        if kind in hidden:
            continue
        least = 1.0 if kind in ALWAYS_FOUND else NEARLY
        yield Target(f"recall of {kind}, {scenario}", each.recall, least, at_least=True)
