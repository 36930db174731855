"""The cases behind the figures of a scenario."""

from __future__ import annotations

import json

from msgspec.structs import replace

from benchmarks.evaluation.cases import cases
from benchmarks.evaluation.run import MONITOR, Outcome
from benchmarks.evaluation.subject import Page
from benchmarks.evaluation.tally import Tally
from tests.benchmarks.evaluation.test_tally import INCIDENT, JOINED, OTHER, PAGE


def names(pages: list[Page], *, learning: bool = False) -> dict[str, int]:
    """The number of cases of each name, without those that have none."""
    tally = Tally(while_learning=pages) if learning else Tally(pages=pages)
    outcome = Outcome(100, 1, 1, {MONITOR: tally}, incidents=[INCIDENT])
    found = cases(outcome, MONITOR)
    assert json.loads(json.dumps(found)) == found
    return {name: len(each) for name, each in found.items() if each}


def test_an_incident_with_one_or_two_pages_is_no_case() -> None:
    """Neither are the repeats that are suppressed."""
    assert names([PAGE, PAGE, JOINED]) == {}


def test_missed_joined_and_loud_incidents_are_cases() -> None:
    """Each under its name."""
    assert names([]) == {"missed": 1}
    assert names([JOINED]) == {"joined": 1}
    assert names([PAGE, PAGE, PAGE]) == {"many_pages": 1}


def test_pages_about_no_incident_wrong_subjects_and_learning_days_are_cases() -> None:
    """A page that names a host of the incident, but is about another one, has a wrong subject."""
    internet_address = replace(PAGE, subject=OTHER, names=frozenset({OTHER}))
    blamed = replace(internet_address, detector="scan", names=frozenset({OTHER, INCIDENT.source}))
    assert names([PAGE, internet_address]) == {"about_no_incident": 1}
    assert names([PAGE, blamed]) == {"about_no_incident": 1, "wrong_subject": 1}
    assert names([PAGE], learning=True) == {"missed": 1, "while_learning": 1}
