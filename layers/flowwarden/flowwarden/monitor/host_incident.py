"""The incident of one acting host: its evidence, and its course for the page. Pure.

The members of the incident are the kinds of behavior. A kind that was not reported is new evidence, so it is
sent although it is less severe: `asks` names every kind, and only a reported one is a place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from flowwarden.monitor.acting_hosts import COMBINES, Past, act_of
from flowwarden.monitor.detectors import BY_NAME
from flowwarden.monitor.findings import Finding, TrafficFinding
from flowwarden.monitor.render.text import describe
from flowwarden.notify.course import Course, Event
from flowwarden.notify.evidence import Evidence
from flowwarden.notify.text import moment

PERCENT: Final = 100
"""Amounts are percentages of the detectors' thresholds: bytes, hosts and sessions cannot be compared."""


class HostIncident(Struct, frozen=True):
    """The incident of an acting host in a batch."""

    host: str
    past: Past
    quiet: int
    """Seconds for which repeats are suppressed."""
    now: int
    """Unix seconds."""

    def behaviors(self, findings: Iterable[Finding]) -> tuple[str, ...]:
        """The kinds of behavior, those of the batch first."""
        acts = (*filter(None, map(act_of, findings)), *sorted(self.past.acts))
        return tuple(dict.fromkeys(each.behavior.value for each in acts))

    def evidence(self, findings: Sequence[Finding]) -> Evidence:
        """The evidence of these findings, with what was reported about the host before."""
        severities = (*(each.severity for each in findings), *(each.severity for each in self.past.acts))
        kinds = self.behaviors(findings)
        return Evidence(
            gravity=max(-each.rank for each in severities),
            amount=max(map(_amount, findings), default=0),
            members=kinds,
            places=(*kinds, *(each.stored for each in self._events(findings))),
            asks=tuple((each,) for each in kinds),
            combines=-COMBINES.rank,
        ).combined

    def course(self, findings: Sequence[Finding]) -> Course:
        """The course of the incident for a page about the first of these findings."""
        others = tuple(describe(each).summary for each in findings[1:])
        return Course(self.host, tuple(self._events(findings)), self.quiet, others)

    def _events(self, findings: Sequence[Finding]) -> Iterator[Event]:
        for each in findings:
            first = each.tally.first if isinstance(each, TrafficFinding) else None
            since = self.now if first is None else min(first, self.now)
            yield Event(since, each.severity.value, each.detector, describe(each).summary)
        # What the host's own incident contained is stored with it.
        shown = {each.detector for each in findings}
        before = () if self.past.own else sorted(self.past.acts.items())
        for act, hour in before:
            if act.detector not in shown:
                summary = f"in another incident, first in the hour from {moment(hour)}"
                yield Event(hour, act.severity.value, act.detector, summary)


def _amount(finding: Finding) -> int:
    """What a finding counted, in percent of its threshold; 0 if it counts nothing."""
    measured = getattr(finding.facts, BY_NAME[finding.detector].measures or "-", 0)
    limit = getattr(finding.facts, "limit", 0)
    return int(PERCENT * measured / limit) if limit else 0
