"""Explains an incident: watches the batches of a replay for its findings, by the begin of its key."""

from __future__ import annotations

from difflib import get_close_matches

from msgspec import Struct, field

from flowwarden.monitor.findings import Finding, TrafficFinding
from flowwarden.monitor.measures import MEASURES
from flowwarden.monitor.measures.asked import Asked
from flowwarden.monitor.report import BatchReport
from flowwarden.monitor.view import BatchView
from flowwarden.replay.explain.flow import rows_of, traffic_of
from flowwarden.replay.explain.judge import Seen, flagged
from flowwarden.replay.explain.model import Evidence, IncidentExplanation
from flowwarden.replay.explain.outcome import Reported, note
from flowwarden.replay.result import IncidentHistory

MOST_NEAR = 5
"""Other incidents that are named if there is none with the key."""


class _Known(Struct):
    """What is known of an incident."""

    batches: int = 0
    evidence: dict[str, Evidence] = field(default_factory=dict)
    """By detector: its first finding."""


class IncidentWatch:
    """Watches for incidents whose key begins so."""

    def __init__(self, prefix: str) -> None:
        """Take the begin of a key, or the whole key."""
        self._prefix = prefix
        self._reported: Reported = {}
        self._known: dict[str, _Known] = {}

    def see(self, report: BatchReport, view: BatchView) -> None:
        """See a batch, after those before it."""
        note(self._reported, report)
        seen = Seen(report, view, self._reported)
        for key, findings in report.incidents.items():
            if key.startswith(self._prefix):
                known = self._known.setdefault(key, _Known())
                known.batches += 1
                for finding in findings:
                    if finding.detector not in known.evidence:
                        known.evidence[finding.detector] = _evidence(finding, seen)

    def explanation(self, history: IncidentHistory) -> IncidentExplanation:
        """The explanation of an incident, which has this history."""
        known = self._known.get(history.incident, _Known())
        return IncidentExplanation(
            incident=history.incident,
            route=history.route,
            severity=history.severity,
            subject=history.subject,
            summary=history.summary,
            batches=known.batches,
            repeats=history.repeats,
            timeline=history.timeline,
            evidence=[*known.evidence.values()],
        )


def _evidence(finding: Finding, seen: Seen) -> Evidence:
    if not isinstance(finding, TrafficFinding):
        return Evidence(at=seen.view.now, judgment=flagged(finding, seen), example=None)
    rows = rows_of(seen.view, finding.example.flow)
    asked = Asked(seen.view, rows, finding.example)
    judgment = flagged(finding, seen, MEASURES[finding.detector](asked))
    return Evidence(
        at=seen.view.now, judgment=judgment, example=traffic_of(seen.view, int(rows[0]), finding.example)
    )


def matching(incidents: list[IncidentHistory], prefix: str) -> list[IncidentHistory]:
    """The incidents whose key begins so."""
    return [each for each in incidents if each.incident.startswith(prefix)]


def near(incidents: list[IncidentHistory], key: str) -> list[IncidentHistory]:
    """Incidents with similar keys, otherwise the first ones of the archive."""
    keys = [each.incident for each in incidents]
    begins = {each[: len(key)]: each for each in keys}
    close = [begins[each] for each in get_close_matches(key, [*begins], MOST_NEAR, cutoff=0.6)]
    chosen = close or keys[:MOST_NEAR]
    return [each for each in incidents if each.incident in chosen]
