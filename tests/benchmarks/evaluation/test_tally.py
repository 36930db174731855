"""Scores: incidents with and without a page of their own, and the incident that a page counts for."""

from __future__ import annotations

from msgspec.structs import replace

from benchmarks.evaluation.generator.model import Incident
from benchmarks.evaluation.subject import Page
from benchmarks.evaluation.tally import Tally, found, pages_per_incident, together

HOST, OTHER = "10.0.1.1", "10.0.1.2"
INCIDENT = Incident("exfiltration", HOST, "eni-1", ("203.0.113.9",), 1000, 2000)
PAGE = Page(
    at=1100, arrived=1500, detector="egress-volume", subject=HOST, key="k", confidence=1.0,
    names=frozenset({HOST}),
)  # fmt: skip
JOINED = replace(PAGE, paged=False, joined=True)


def test_an_incident_with_a_page_is_found_and_not_joined() -> None:
    """Repeats that are suppressed change nothing, also if they come first."""
    each = found(Tally(pages=[replace(JOINED, arrived=1400), PAGE]), [INCIDENT])["exfiltration"]
    assert (each.recall, each.delays, each.joined) == (1, (500,), 0)


def test_a_finding_that_joins_an_incident_is_found_and_counted_separately() -> None:
    """It has no time to detect, because there was no page."""
    each = found(Tally(pages=[JOINED]), [INCIDENT])["exfiltration"]
    assert (each.recall, each.delays, each.joined) == (1, (), 1)
    assert together({"a": each, "b": each}).joined == 2


def test_without_a_finding_about_it_an_incident_is_missed() -> None:
    """A finding of an unexpected detector, of another host, or hours later does not count."""
    for other in (
        replace(JOINED, detector="scan"),
        replace(JOINED, subject=OTHER, names=frozenset({OTHER})),
        replace(JOINED, arrived=10_000),
    ):
        each = found(Tally(pages=[other]), [INCIDENT])["exfiltration"]
        assert (each.recall, each.joined) == (0, 0)


def test_a_joined_finding_is_neither_a_page_nor_a_report() -> None:
    """So it changes no rate of pages."""
    tally = Tally(pages=[JOINED, PAGE, replace(PAGE, paged=False)])
    assert (tally.paged, len(tally.reported)) == ([PAGE], 1)


def test_a_page_counts_for_the_incident_that_its_detector_is_expected_for() -> None:
    """Of several, for the latest; without an expected one, for the latest of all."""
    later = replace(INCIDENT, kind="horizontal-scan", begin=1200)
    latest = replace(INCIDENT, begin=1300)
    assert pages_per_incident(Tally(pages=[PAGE]), [INCIDENT, later]) == [1, 0]
    assert pages_per_incident(Tally(pages=[PAGE]), [INCIDENT, later, latest]) == [0, 0, 1]
    unexpected = replace(PAGE, detector="brute-force")
    assert pages_per_incident(Tally(pages=[unexpected]), [INCIDENT, later]) == [0, 1]
