"""Records what a replay sends and what it could not judge, for the result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace

from flowwarden.dispatcher import hourly_digest
from flowwarden.monitor.report import BatchReport
from flowwarden.monitor.view import BatchView
from flowwarden.notify.alert import Route
from flowwarden.notify.evidence import SEVERITIES
from flowwarden.notify.incident import Event
from flowwarden.notify.notification import Notification
from flowwarden.records.columnar.string_pool import ACCEPT, REJECT
from flowwarden.records.columnar.tokenizer import ABSENT
from flowwarden.replay.noise import Noise
from flowwarden.replay.not_judged import Unjudged
from flowwarden.replay.ports import Interfaces
from flowwarden.replay.reorder import Slice
from flowwarden.replay.report_only import ReportedOnly
from flowwarden.replay.result import (
    Bucket,
    DayOfDetector,
    Happening,
    IncidentHistory,
    Other,
    Records,
    ReplayResult,
)

BUCKET: Final = 600
"""Seconds of a bucket of the traffic."""


class _Incident(Struct):
    """An incident as its notifications show it."""

    key: str
    route: Route
    first: Notification
    subject: str
    detectors: dict[str, None] = field(default_factory=dict)
    timeline: list[Happening] = field(default_factory=list)


class Recorder:
    """Collects the notifications, and what the reports of the batches say."""

    def __init__(self, interfaces: Interfaces) -> None:
        self._interfaces = interfaces
        self._records = Records()
        self._incidents: dict[str, _Incident] = {}
        self._others: list[Other] = []
        self._repeats = Counter[str]()
        self._days = Counter[tuple[str, str, str]]()
        """By day, detector, and member of `DayOfDetector`."""
        self._traffic: dict[int, Counter[bool]] = {}
        """Rejected (true) and accepted records by the begin of the bucket."""
        self._names: set[str] = set()
        self._noise = Noise()
        self._report_only = ReportedOnly()
        self._unjudged = Unjudged()
        self._span: tuple[int, int] | None = None
        self._pages = 0

    def begin(self, one: Slice) -> None:
        """Begin with a slice."""
        self._records += Records(late=one.late)

    def batch(self, report: BatchReport, view: BatchView) -> None:
        """Add a batch."""
        self._count(report, view)
        self._names.update(filter(None, view.index.names))
        self._repeats.update(report.delivery.known)
        findings = [each for each in report.found if not each.silenced]
        self._noise.see(findings, view.hosts, view.policy.thresholds)
        self._report_only.see(findings, view.now)
        self._unjudged.see(report, view)

    def _count(self, report: BatchReport, view: BatchView) -> None:
        flows = view.records.flows
        times = flows["end"] if flows.has("end") else flows["start"]
        accepted, rejected = flows["action"] == ACCEPT, flows["action"] == REJECT
        counts = int(accepted.sum()), int(rejected.sum())
        self._records += Records(
            accepted=counts[0],
            rejected=counts[1],
            other=len(flows) - sum(counts),
            gaps=report.no_data + report.skip_data,
            malformed=report.malformed,
        )
        for kind, rows in ((False, accepted), (True, rejected)):
            begins, numbers = np.unique(times[rows & (times != ABSENT)] // BUCKET, return_counts=True)
            for begin, number in zip(begins.tolist(), numbers.tolist(), strict=True):
                self._traffic.setdefault(begin * BUCKET, Counter())[kind] += number
        known = times[times != ABSENT]
        if len(known):
            self._reach(int(known.min()), int(known.max()))

    def _reach(self, first: int, last: int) -> None:
        before = self._span or (first, last)
        self._span = min(before[0], first), max(before[1], last)

    def sent(self, route: Route, notification: Notification, at: int) -> None:
        """Add a notification that was sent at a time (Unix seconds)."""
        document = notification.document
        event = notification.attributes.get("event", "")
        if route is Route.PAGES and event != Event.RESOLVED:
            self._pages += 1
        several = document.get("incidents")
        if event and isinstance(several, list):
            for each in several:
                self._happened(route, notification, each, event, at)
        elif event and document.get("incident"):
            self._happened(route, notification, document, event, at)
        else:
            self._other(route, notification, at)

    def _happened(
        self, route: Route, notification: Notification, document: Mapping[str, Any], event: str, at: int
    ) -> None:
        key, detectors = str(document["incident"]), _detectors_of(document)
        known = self._incidents.get(key)
        if known is None:
            subject = str(document.get("subject") or document.get("interface") or "")
            known = self._incidents[key] = _Incident(key, route, notification, subject)
        known.detectors |= dict.fromkeys(detectors)
        severity, summary = str(document.get("severity", "")), str(document.get("summary", ""))
        known.timeline.append(Happening(at=at, event=event, severity=severity, summary=summary))
        self._days[day_of(at), next(iter(known.detectors), ""), _member(route, event)] += 1

    def _other(self, route: Route, notification: Notification, at: int) -> None:
        document = notification.document
        kind = str(document.get("kind", ""))
        if kind == hourly_digest.KIND:
            day = day_of(int(document["begin"]))
            for detector, totals in document["detectors"].items():
                self._days[day, detector, "digest_rows"] += totals["findings"]
        self._others.append(Other(at=at, route=route.value, kind=kind, subject=notification.subject))

    def result(self, *, sources: int, failed: int, unreadable: int, as_delivered: bool) -> ReplayResult:
        """The result."""
        records = self._records + Records(malformed=unreadable)
        histories = [self._history(each) for each in self._incidents.values()]
        pages = Counter[tuple[str, str]]()
        for each in histories:
            if each.route == Route.PAGES:
                sent = sum(one.event != Event.RESOLVED for one in each.timeline)
                pages.update({(detector, each.subject): sent for detector in each.detectors})
        begin, end = self._span or (None, None)
        return ReplayResult(
            begin=begin,
            end=end,
            records=records,
            sources=sources,
            sources_failed=failed,
            interfaces=len(self._names),
            interfaces_learned=self._interfaces.learned,
            pages=self._pages,
            incidents=sorted(histories, key=lambda each: (each.timeline[0].at, each.incident)),
            days=_days(self._days),
            noisiest=self._noise.noisiest(dict(pages)),
            report_only=self._report_only.rows(),
            not_judged=self._unjudged.rows(records, self._interfaces.learned, self._names),
            bucket_seconds=BUCKET,
            traffic=[
                Bucket(begin=begin, accepted=counts[False], rejected=counts[True])
                for begin, counts in sorted(self._traffic.items())
            ],
            others=self._others,
            as_delivered=as_delivered,
        )

    def _history(self, one: _Incident) -> IncidentHistory:
        severities = {each.severity for each in one.timeline}
        gravest = next((each for each in reversed(SEVERITIES) if each in severities), "")
        return IncidentHistory(
            incident=one.key,
            route=one.route.value,
            severity=gravest,
            detectors=[*one.detectors],
            subject=one.subject,
            summary=one.timeline[0].summary,
            timeline=one.timeline,
            repeats=self._repeats[one.key],
            document=one.first.document,
            text=one.first.text,
        )


def day_of(seconds: int) -> str:
    """The day of a time (Unix seconds), in UTC."""
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def _detectors_of(document: Mapping[str, Any]) -> list[str]:
    several = document.get("detectors")
    return [*several] if isinstance(several, list) else [str(document.get("detector") or document["kind"])]


def _member(route: Route, event: str) -> str:
    """The member of `DayOfDetector` in which a notification counts."""
    if event == Event.RESOLVED:
        return "resolved"
    if route is not Route.PAGES:
        return "operations"
    return "updates" if event == Event.UPDATED else "pages"


def _days(counts: Mapping[tuple[str, str, str], int]) -> list[DayOfDetector]:
    found: dict[tuple[str, str], DayOfDetector] = {}
    for (day, detector, member), count in sorted(counts.items()):
        before = found.get((day, detector)) or DayOfDetector(day=day, detector=detector)
        found[day, detector] = replace(before, **{member: count})
    return [*found.values()]
