"""The monitor: a batch of log lines becomes records, findings, and notifications sent once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from msgspec import Struct

from flowwarden.alerting import sight_report
from flowwarden.alerting.incidents import Claim, ClaimState, Owner, incident_key
from flowwarden.alerting.notification import Notification
from flowwarden.alerting.rendering import Occasion, render
from flowwarden.detection import internet_rejects
from flowwarden.detection.detectors import inspect
from flowwarden.detection.findings import Finding
from flowwarden.detection.selection import wanted
from flowwarden.errors import PublishFailed, StateUnavailable
from flowwarden.network.addresses import AddressBook
from flowwarden.network.direction import resolve
from flowwarden.network.traffic import Traffic
from flowwarden.policy import Policy
from flowwarden.ports import Claims, Sink
from flowwarden.records import sight
from flowwarden.records.model import Flow, GapKind, Records
from flowwarden.records.subscription import LogBatch
from flowwarden.services.layouts import Entry, LayoutBook

MALFORMED_SAMPLES = 3
"""Malformed lines of a batch that are kept to be logged; the others are counted."""


class MonitoringResult(Struct, kw_only=True):
    """What became of a batch: counts for metrics, and what a person may want to read in the log."""

    flows: int = 0
    no_data: int = 0
    skip_data: int = 0
    malformed: int = 0
    findings: int = 0
    notifications: int = 0
    suppressed: int = 0
    internet_rejects: int = 0
    """Records, not findings."""
    state_unavailable: int = 0
    """Claims or confirmations that the state table did not answer."""
    sight_lost: int = 0
    """1 if too many lines could not be read."""
    layouts_unavailable: int = 0
    """1 if the log formats that the lines were read by may be out of date, because nothing tells them."""
    malformed_samples: list[tuple[str, str]] = []
    """(line, reason) of the first malformed lines."""
    reported: list[str] = []
    """Summaries of findings that do not page."""
    sent: list[str] = []
    """Incident keys that were notified."""
    unsent: list[str] = []
    """What could not be published; the batch must be retried when there is any."""

    def raise_if_unsent(self) -> None:
        """Make Lambda retry the batch when a notification could not be handed over.

        What was sent is marked so and is not sent again by the retry.

        Raises:
            PublishFailed: at least one notification was not taken.
        """
        if self.unsent:
            raise PublishFailed(
                f"{len(self.unsent)} notification(s) not sent, the batch will be retried: {self.unsent[0]}"
            )


class Sinks(Struct, frozen=True):
    """Where notifications go."""

    pages: Sink
    """On-call."""
    operations: Sink
    """Whoever keeps Flow Warden seeing."""


class Alert(Struct, frozen=True):
    """Something to notify about, and where."""

    sink: Sink
    key: str
    """The incident."""
    summary: str
    render: Callable[[Claim], Notification]


class MonitoringService:
    """Takes batches; holds nothing between them but remembered addresses and log formats."""

    def __init__(
        self,
        *,
        layouts: LayoutBook,
        policy: Policy,
        claims: Claims,
        sinks: Sinks,
        region: str,
        quiet_minutes: int,
    ) -> None:
        self._layouts = layouts
        self._policy = policy
        self._claims = claims
        self._sinks = sinks
        self._region = region
        self._quiet_minutes = quiet_minutes
        self._book = AddressBook(policy.own_cidrs)

    def process(self, batch: LogBatch, request_id: str, now: int) -> MonitoringResult:
        """Read, inspect and notify; `request_id` is the invocation's, `now` is Unix seconds.

        Never raises for what a line holds or what a port refuses: see `MonitoringResult.unsent`.
        """
        entry, records = self._read(batch, now)
        result = _count(records)
        result.layouts_unavailable = int(entry.unavailable)
        owner = Owner(batch.batch_id, request_id)
        findings = self._inspect(records.flows)
        result.findings = len(findings)
        for finding in findings:
            if finding.severity.pages:
                self._notify(self._alert(finding, batch), owner, now, result)
            else:
                _report(finding, result)
        loss = sight.inspect(records)
        if loss is not None:
            result.findings += 1
            result.sight_lost = 1
            self._notify(self._sight_report(loss, entry, batch), owner, now, result)
        return result

    def _inspect(self, flows: Sequence[Flow]) -> list[Finding]:
        """Run the detectors over the flows that any of them looks at."""
        directed = resolve(wanted(flows, self._policy), Traffic(flows), self._book)
        return inspect(directed, self._policy)

    def _read(self, batch: LogBatch, now: int) -> tuple[Entry, Records]:
        """Read the batch; if lines do not fit and there is news about their formats, read it again."""
        entry = self._layouts.entry(batch.log_group, now)
        records = entry.reader.read(batch.lines)
        if not sight.unreadable(records):
            return entry, records
        renewed = self._layouts.renewed(batch.log_group, now)
        return renewed, records if renewed.reader is entry.reader else renewed.reader.read(batch.lines)

    def _alert(self, finding: Finding, batch: LogBatch) -> Alert:
        account = finding.example.flow.account_id or batch.owner
        key, occasion = incident_key(finding, account, self._region), self._occasion(account, batch)
        return Alert(
            self._sinks.pages, key, finding.summary, lambda claim: render(finding, key, claim, occasion)
        )

    def _sight_report(self, loss: sight.SightLost, entry: Entry, batch: LogBatch) -> Alert:
        occasion, layouts = self._occasion(batch.owner, batch), entry.candidates.layouts
        return Alert(
            self._sinks.operations,
            sight_report.sight_key(occasion),
            sight_report.summarize(loss, occasion),
            lambda claim: sight_report.render(loss, layouts, claim, occasion),
        )

    def _occasion(self, account: str, batch: LogBatch) -> Occasion:
        return Occasion(
            account_id=account,
            region=self._region,
            log_group=batch.log_group,
            log_stream=batch.log_stream,
            quiet_minutes=self._quiet_minutes,
        )

    def _notify(self, alert: Alert, owner: Owner, now: int, result: MonitoringResult) -> None:
        """Claim, publish, confirm. A crash between the last two may page twice; a page is never lost."""
        claim = self._claim(alert.key, owner, now, result)
        if claim.state is not ClaimState.CLAIMED:
            result.suppressed += 1
            return
        try:
            alert.sink.send(alert.render(claim))
        except PublishFailed as error:
            result.unsent.append(f"{alert.summary} {error}")
            self._release(alert.key, owner, result)
            return
        result.notifications += 1
        result.sent.append(alert.key)
        self._confirm(alert.key, owner, now, result)

    def _claim(self, key: str, owner: Owner, now: int, result: MonitoringResult) -> Claim:
        try:
            return self._claims.claim(key, owner, now)
        except StateUnavailable:
            # Better a page too many than none: without memory every finding goes out.
            result.state_unavailable += 1
            return Claim(state=ClaimState.CLAIMED)

    def _confirm(self, key: str, owner: Owner, now: int, result: MonitoringResult) -> None:
        try:
            self._claims.confirm(key, owner, now)
        except StateUnavailable:
            # The page is out; a retry would send it again. The claim lapses with its lease.
            result.state_unavailable += 1

    def _release(self, key: str, owner: Owner, result: MonitoringResult) -> None:
        try:
            self._claims.release(key, owner)
        except StateUnavailable:
            # Then the lease ends before the retry comes.
            result.state_unavailable += 1


def _count(records: Records) -> MonitoringResult:
    gaps = Counter(gap.kind for gap in records.gaps)
    return MonitoringResult(
        flows=len(records.flows),
        no_data=gaps[GapKind.NODATA],
        skip_data=gaps[GapKind.SKIPDATA],
        malformed=len(records.malformed),
        malformed_samples=[(bad.line, bad.reason) for bad in records.malformed[:MALFORMED_SAMPLES]],
    )


def _report(finding: Finding, result: MonitoringResult) -> None:
    if finding.detector == internet_rejects.NAME:
        result.internet_rejects += finding.tally.records
    result.reported.append(finding.summary)
