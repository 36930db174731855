"""The monitor: a batch of log lines becomes records, findings, and notifications sent once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from flowwarden.monitor.caches.interfaces import InterfaceCache
from flowwarden.monitor.caches.log_formats import CachedFormats, LogFormatCache
from flowwarden.monitor.caches.state import StateCache
from flowwarden.monitor.detectors import BY_NAME, DETECTORS, unparsed_lines
from flowwarden.monitor.detectors.base import Route
from flowwarden.monitor.findings import Finding, Severity
from flowwarden.monitor.heartbeats import record
from flowwarden.monitor.learning import learn
from flowwarden.monitor.render import rollup
from flowwarden.monitor.render.incident_key import account_of, incident_key
from flowwarden.monitor.render.notification import render
from flowwarden.monitor.render.page import Occasion
from flowwarden.monitor.report import BatchReport, report
from flowwarden.monitor.triage import triage
from flowwarden.monitor.view import BatchView, Context, PolicyView
from flowwarden.notify.claims import Owner
from flowwarden.notify.notification import one_line
from flowwarden.notify.notifier import Alert, Notifier, Told
from flowwarden.notify.ports import Claims, Sink
from flowwarden.policy.policy import Policy
from flowwarden.records.columnar.flow_table import Table
from flowwarden.records.subscription import LogBatch


class Invocation(Struct, frozen=True):
    """One run of the function."""

    attempt: str
    """Unique: no other run has it, not even a retry."""
    time_left: Callable[[], float]
    """Seconds until the function is stopped."""


class Caches(Struct, frozen=True, kw_only=True):
    """What a container remembers between batches."""

    formats: LogFormatCache
    interfaces: InterfaceCache
    state: StateCache


class MonitoringService:
    """Takes batches; holds nothing between them but what can be learned again."""

    def __init__(
        self,
        *,
        caches: Caches,
        policy: Policy,
        claims: Claims,
        routes: Mapping[Route, Sink],
        region: str,
        quiet_minutes: int,
    ) -> None:
        self._caches = caches
        self._policy = PolicyView.of(policy)
        self._claims = claims
        self._routes = routes
        self._region = region
        self._quiet_minutes = quiet_minutes

    def process(self, batch: LogBatch, invocation: Invocation, now: int) -> BatchReport:
        """Read, inspect and notify; `now` is Unix seconds.

        Never raises for what a line holds or what a port refuses: see `BatchReport.told`.
        """
        formats, records = self._parse(batch, now)
        state, interfaces = self._caches.state.for_batch(), self._caches.interfaces.for_batch(now)
        context = Context(
            formats=formats.candidates.layouts,
            interfaces=interfaces,
            state=state,
            policy=self._policy,
            now=now,
        )
        view = BatchView(batch, records, context)
        record(view, state)
        thresholds = view.policy.thresholds
        found = [each for detector in DETECTORS for each in detector.detect(view, state, thresholds)]
        findings = triage(found, view.policy)
        learn(view, findings, state)
        told = self._notify(findings, batch, invocation, now)
        return report(
            records,
            findings,
            told,
            log_formats_unavailable=int(formats.unavailable),
            evidence_unavailable=state.failures,
            interfaces_unavailable=interfaces.failures,
        )

    def _parse(self, batch: LogBatch, now: int) -> tuple[CachedFormats, Table]:
        """Read the batch; if lines do not fit and there is news about their formats, read it again."""
        entry = self._caches.formats.entry(batch.log_group, now)
        records = entry.reader.read(batch.lines)
        if not unparsed_lines.unreadable(records):
            return entry, records
        renewed = self._caches.formats.renewed(batch.log_group, now)
        return renewed, records if renewed.reader is entry.reader else renewed.reader.read(batch.lines)

    def _notify(self, findings: Sequence[Finding], batch: LogBatch, invocation: Invocation, now: int) -> Told:
        """Send what is an alert, missing records first, then by severity."""
        alerts = [
            self._alert(finding, batch)
            for finding in sorted(findings, key=_urgency)
            if finding.severity.pages
        ]
        owner = Owner(batch.batch_id, invocation.attempt)
        notifier = Notifier(self._claims, owner, now, invocation.time_left)
        notifier.notify(alerts, lambda summaries: self._together(summaries, batch))
        return notifier.told

    def _together(self, summaries: Sequence[str], batch: LogBatch) -> Alert:
        occasion = self._occasion(batch.owner, batch)
        summary = rollup.summarize(summaries, occasion)
        key = rollup.storm_key(occasion)
        return Alert(self._routes[rollup.ROUTE], key, summary, lambda _: rollup.render(summaries, occasion))

    def _alert(self, finding: Finding, batch: LogBatch) -> Alert:
        account = account_of(finding) or batch.owner
        occasion = self._occasion(account, batch)
        key = incident_key(finding, account, self._region, occasion.log_group)
        sink = self._routes[BY_NAME[finding.detector].route]
        return Alert(sink, key, finding.summary, lambda claim: render(finding, key, claim, occasion))

    def _occasion(self, account: str, batch: LogBatch) -> Occasion:
        return Occasion(
            account_id=account,
            region=self._region,
            log_group=one_line(batch.log_group),
            log_stream=one_line(batch.log_stream),
            quiet_minutes=self._quiet_minutes,
        )


_FIRST: Final = (Route.OPERATIONS, Route.PAGES)
_GRAVEST: Final = (Severity.HIGH, Severity.MEDIUM, Severity.INFO)


def _urgency(finding: Finding) -> tuple[int, int]:
    route = BY_NAME[finding.detector].route
    return (_FIRST.index(route) if route in _FIRST else len(_FIRST), _GRAVEST.index(finding.severity))
