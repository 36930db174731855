"""The cases behind the figures, which explain them: incidents and pages as JSON values."""

from __future__ import annotations

from typing import Any, Final

from benchmarks.evaluation.expected_detections import about, finds
from benchmarks.evaluation.generator.model import Incident
from benchmarks.evaluation.run import Outcome
from benchmarks.evaluation.subject import Page
from benchmarks.evaluation.tally import Tally, pages_per_incident, wrong_subjects

USUAL_PAGES: Final = 2
"""An incident with more pages is a case."""
MOST_TARGETS: Final = 2
"""Maximum targets of an incident that are listed."""


def cases(outcome: Outcome, name: str) -> dict[str, list[dict[str, Any]]]:
    """The errors of a system under test in a scenario, and results that need an explanation, by kind."""
    tally, incidents = outcome.tallies[name], outcome.incidents
    found = {at: [page for page in tally.pages if finds(page, each)] for at, each in enumerate(incidents)}
    counts = pages_per_incident(tally, incidents)
    return {
        "missed": [_incident(incidents[at]) for at, pages in found.items() if not pages],
        "joined": [
            _incident(incidents[at])
            for at, pages in found.items()
            if pages and all(page.joined for page in pages)
        ],
        "many_pages": [
            _incident(each) | {"pages": _pages_about(tally, each)}
            for each, count in zip(incidents, counts, strict=True)
            if count > USUAL_PAGES
        ],
        "about_no_incident": [
            _page(page) for page in tally.paged if not any(about(page, each) for each in incidents)
        ],
        "wrong_subject": [_page(page) for page in wrong_subjects(tally, incidents)],
        "while_learning": [_page(page) for page in tally.while_learning],
    }


def _pages_about(tally: Tally, incident: Incident) -> list[dict[str, Any]]:
    return [_page(page) for page in tally.paged if about(page, incident)]


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "kind": incident.kind,
        "source": incident.source,
        "interface": incident.interface_id,
        "targets": list(incident.targets[:MOST_TARGETS]),
        "begin": incident.begin,
        "end": incident.end,
    }


def _page(page: Page) -> dict[str, Any]:
    return {
        "detector": page.detector,
        "subject": page.subject,
        "service": page.service,
        "arrived": page.arrived,
        "incident": page.key,
    }
