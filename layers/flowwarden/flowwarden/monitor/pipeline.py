"""The monitor: a batch of log lines becomes records, findings, and notifications sent once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from msgspec import Struct

from flowwarden.monitor import spikes
from flowwarden.monitor.blind_spots import BlindSpot
from flowwarden.monitor.caches.log_formats import CachedFormats, LogFormatCache
from flowwarden.monitor.detectors import BY_NAME, internet_rejects, unparsed_lines
from flowwarden.monitor.findings import Finding, Severity
from flowwarden.monitor.lookout import Lookout
from flowwarden.monitor.render import rollup, telemetry, unparsed
from flowwarden.monitor.render.incident_key import incident_key
from flowwarden.monitor.render.page import Occasion, render
from flowwarden.monitor.traffic.selection import noise, wanted
from flowwarden.monitor.triage import inspect
from flowwarden.monitor.watching import Watcher
from flowwarden.notify.alert import Alert, Route
from flowwarden.notify.claims import Owner
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.notify.notification import one_line
from flowwarden.notify.notifier import Routes, Run, notify
from flowwarden.notify.ports import Claims
from flowwarden.records.columnar.flow_table import FlowTable, Table
from flowwarden.records.model import GapKind
from flowwarden.records.subscription import LogBatch

MALFORMED_SAMPLES = 3
"""Malformed lines of a batch that are kept to be logged; the others are counted."""

SAMPLE_CHARACTERS = 500
"""Of a malformed line: whoever writes it decides how long it is."""


class MonitoringResult(Struct, kw_only=True):
    """What became of a batch: counts for metrics, and what a person may want to read in the log."""

    flows: int = 0
    no_data: int = 0
    skip_data: int = 0
    malformed: int = 0
    findings: int = 0
    internet_rejects: int = 0
    """Records, not findings."""
    sight_lost: int = 0
    """1 if too many lines could not be read."""
    log_formats_unavailable: int = 0
    """1 if the log formats that the lines were read by may be out of date, because nothing tells them."""
    evidence_unavailable: int = 0
    """Calls about what hosts did before that the state table did not answer."""
    interfaces_unavailable: int = 0
    """Questions about network interfaces that EC2 refused: roles may be old or unknown."""
    malformed_samples: list[tuple[str, str]] = []
    """(line, reason) of the first malformed lines."""
    reported: list[Finding] = []
    """Those that do not page."""
    told: DeliveryReport = DeliveryReport()
    """What became of the findings that do."""

    @property
    def notifications(self) -> int:
        """How many were sent."""
        return len(self.told.sent)

    @property
    def suppressed(self) -> int:
        """How many stayed quiet."""
        return len(self.told.suppressed)

    @property
    def state_unavailable(self) -> int:
        """Calls that the state table did not answer."""
        return self.told.state_unavailable + self.evidence_unavailable

    def raise_if_unsent(self) -> None:
        """Make Lambda retry the batch when a notification could not be handed over.

        What was sent is marked so and is not sent again by the retry.

        Raises:
            PublishFailed: at least one notification was not taken.
        """
        self.told.raise_if_unsent()


class Guards(Struct, frozen=True):
    """Who looks at batches, and remembers."""

    watcher: Watcher
    """At what hosts do."""
    lookout: Lookout
    """At whether their records are written."""


class Invocation(Struct, frozen=True):
    """One run of the function."""

    attempt: str
    """Unique: no other run has it, not even a retry."""
    time_left: Callable[[], float]
    """Seconds until the function is stopped."""


class MonitoringService:
    """Takes batches; holds nothing between them but what can be learned again."""

    def __init__(
        self,
        *,
        layouts: LogFormatCache,
        guards: Guards,
        claims: Claims,
        routes: Routes,
        region: str,
        quiet_minutes: int,
    ) -> None:
        self._layouts = layouts
        self._watcher = guards.watcher
        self._lookout = guards.lookout
        self._claims = claims
        self._routes = routes
        self._region = region
        self._quiet_minutes = quiet_minutes

    def process(self, batch: LogBatch, invocation: Invocation, now: int) -> MonitoringResult:
        """Read, inspect and notify; `now` is Unix seconds.

        Never raises for what a line holds or what a port refuses: see `MonitoringResult.told`.
        """
        failures, refusals = self._watcher.evidence.unavailable, self._watcher.interfaces_unavailable
        entry, records = self._read(batch, now)
        result = _count(records)
        result.log_formats_unavailable = int(entry.unavailable)
        findings = self._inspect(records.flows, now)
        result.findings = len(findings)
        for finding in findings:
            if not finding.severity.pages:
                _report(finding, result)
        paging = sorted(
            (f for f in findings if f.severity.pages), key=lambda f: f.severity is not Severity.HIGH
        )
        alerts = [self._alert(finding, batch) for finding in paging]
        loss = unparsed_lines.inspect(records)
        if loss is not None:
            result.findings += 1
            result.sight_lost = 1
            alerts.insert(0, self._sight_report(loss, entry, batch))
        spots = self._lookout.inspect(batch, records, now)
        result.findings += len(spots)
        alerts = [*(self._blind_spot_report(spot, batch) for spot in spots), *alerts]
        owner = Owner(batch.batch_id, invocation.attempt)
        run = Run(owner=owner, at=now, time_left=invocation.time_left)
        result.told = notify(alerts, run, self._claims, self._routes, lambda rest: self._roll_up(rest, batch))
        result.evidence_unavailable = self._watcher.evidence.unavailable - failures
        result.interfaces_unavailable = self._watcher.interfaces_unavailable - refusals
        return result

    def _inspect(self, flows: FlowTable, now: int) -> list[Finding]:
        """Run the detectors, over hosts in time and over the flows that any of the others looks at."""
        directions = self._watcher.directions(flows, now)
        over_time = self._watcher.inspect(directions, now)
        looked_at = directions.flows(wanted(directions, self._watcher.policy))
        refused = noise(directions)
        counted = internet_rejects.inspect(directions, refused)
        times = self._watcher.policy.thresholds.spike_times
        over_time += spikes.inspect(
            self._watcher.evidence, directions, refused, counted, times=times, now=now
        )
        over_time += counted
        findings = self._watcher.weigh(inspect(looked_at, self._watcher.policy, over_time), now)
        self._watcher.remember(findings)
        return findings

    def _read(self, batch: LogBatch, now: int) -> tuple[CachedFormats, Table]:
        """Read the batch; if lines do not fit and there is news about their formats, read it again."""
        entry = self._layouts.entry(batch.log_group, now)
        records = entry.reader.read(batch.lines)
        if not unparsed_lines.unreadable(records):
            return entry, records
        renewed = self._layouts.renewed(batch.log_group, now)
        return renewed, records if renewed.reader is entry.reader else renewed.reader.read(batch.lines)

    def _roll_up(self, alerts: Sequence[Alert], batch: LogBatch) -> Alert:
        titles, occasion = [each.title for each in alerts], self._occasion(batch.owner, batch)
        return Alert(
            key=rollup.storm_key(occasion),
            route=rollup.ROUTE,
            title=rollup.summarize(titles, occasion),
            render=lambda _: rollup.render(titles, occasion),
        )

    def _alert(self, finding: Finding, batch: LogBatch) -> Alert:
        account = finding.example.flow.account_id or batch.owner
        key, occasion = incident_key(finding, account, self._region), self._occasion(account, batch)
        return Alert(
            key=key,
            route=self._route_of(finding.detector),
            title=finding.summary,
            render=lambda claim: render(finding, key, claim, occasion),
        )

    def _sight_report(self, loss: unparsed_lines.SightLost, entry: CachedFormats, batch: LogBatch) -> Alert:
        occasion, layouts = self._occasion(batch.owner, batch), entry.candidates.layouts
        return Alert(
            key=unparsed.sight_key(occasion),
            route=unparsed_lines.DETECTOR.route,
            title=unparsed.summarize(loss, occasion),
            render=lambda claim: unparsed.render(loss, layouts, claim, occasion),
        )

    def _blind_spot_report(self, spot: BlindSpot, batch: LogBatch) -> Alert:
        occasion = self._occasion(batch.owner, batch)
        return Alert(
            key=telemetry.blind_spot_key(spot, occasion),
            route=self._route_of(spot.detector),
            title=telemetry.summarize(spot),
            render=lambda claim: telemetry.render(spot, claim, occasion),
        )

    def _route_of(self, detector: str) -> Route:
        return BY_NAME[detector].route

    def _occasion(self, account: str, batch: LogBatch) -> Occasion:
        return Occasion(
            account_id=account,
            region=self._region,
            log_group=one_line(batch.log_group),
            log_stream=one_line(batch.log_stream),
            quiet_minutes=self._quiet_minutes,
        )


def _count(records: Table) -> MonitoringResult:
    gaps = Counter(gap.kind for gap in records.gaps)
    samples = records.malformed[:MALFORMED_SAMPLES]
    return MonitoringResult(
        flows=len(records.flows),
        no_data=gaps[GapKind.NODATA],
        skip_data=gaps[GapKind.SKIPDATA],
        malformed=len(records.malformed),
        malformed_samples=[(one_line(bad.line, SAMPLE_CHARACTERS), bad.reason) for bad in samples],
    )


def _report(finding: Finding, result: MonitoringResult) -> None:
    if finding.detector == internet_rejects.DETECTOR.name:
        result.internet_rejects += finding.tally.records
    result.reported.append(finding)
