"""The result of a batch: counts for metrics, and details for the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct

from flowwarden.monitor.detectors import BY_NAME, internet_rejects, unjudged_records, unparsed_lines
from flowwarden.monitor.findings import Finding, InterfaceFinding, SurplusFinding, TrafficFinding, counted
from flowwarden.notify.alert import Route
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.printable import one_line
from flowwarden.records.columnar.flow_table import Table
from flowwarden.records.model import GapKind
from flowwarden.unreadable import NOTHING, Notes

MALFORMED_SAMPLES = 3
"""Maximum number of malformed lines of a batch that are logged; the others are only counted."""

SAMPLE_CHARACTERS = 500
"""The longest excerpt of a malformed line: its writer controls its length."""


class BatchReport(Struct, frozen=True, kw_only=True):
    """The result of a batch."""

    flows: int
    no_data: int
    skip_data: int
    malformed: int
    malformed_samples: tuple[tuple[str, str], ...]
    """(line, reason) of the first malformed lines."""
    found: tuple[Finding, ...]
    delivery: DeliveryReport
    """The result of sending the alerts, including those about the policy, and the report on learning."""
    log_formats_unavailable: int
    """1 if the log formats used may be out of date, because EC2 did not report them."""
    host_history_unavailable: int
    """How often the state table did not answer a lookup or a write of host history, even if repeated."""
    deferred: int = 0
    """Writes, baselines and hosts that the batch skipped because of its limits; later batches handle them."""
    interfaces_unavailable: int
    """Failed EC2 calls about network interfaces: roles may be outdated or unknown."""
    incidents: Mapping[str, tuple[Finding, ...]] = {}
    """The findings that notify, by the keys of their incidents."""
    policy_invalid: int = 0
    """1 if the configured policy is not valid, and another one was used."""
    delay: int | None = None
    """Seconds from the end of the newest window to its processing; None if no record shows it."""
    reports_unsent: tuple[str, ...] = ()
    """Reports on learning that were not sent, with the reason. A later batch sends them."""
    unreadable_items: Notes = NOTHING
    """The parts of the state table's items that could not be read and were ignored."""
    unreadable_answers: Notes = NOTHING
    """The parts of EC2's responses that could not be read and were ignored."""

    @property
    def state_unreadable(self) -> int:
        """The number of members of the state table's items that were left out."""
        return self.unreadable_items.count

    @property
    def descriptions_unreadable(self) -> int:
        """The number of members of EC2's answers that were left out."""
        return self.unreadable_answers.count

    @property
    def findings(self) -> int:
        """The number of findings."""
        return counted(self.found)

    @property
    def findings_by_detector(self) -> Counter[str]:
        """The number of findings of each detector that found something."""
        counts: Counter[str] = Counter()
        for finding in self.found:
            counts[finding.detector] += counted([finding])
        return counts

    @property
    def not_inspected(self) -> int:
        """The number of records that no detector can judge."""
        return sum(
            finding.facts.unjudged
            for finding in self.found
            if isinstance(finding, InterfaceFinding) and isinstance(finding.facts, unjudged_records.Facts)
        )

    @property
    def findings_summed_up(self) -> int:
        """The number of findings that are only counted, because the batch has too many."""
        return counted(each for each in self.found if isinstance(each, SurplusFinding))

    @property
    def reported(self) -> list[Finding]:
        """The findings that do not page."""
        return [finding for finding in self.found if not finding.severity.pages]

    @property
    def muted(self) -> int:
        """The number of findings that a mute of the policy keeps from notifying."""
        return counted(each for each in self.found if each.muted)

    @property
    def inhibited(self) -> int:
        """The number of findings that another finding keeps from notifying, in this batch or another."""
        return counted(each for each in self.found if each.inhibited)

    @property
    def digest_rows(self) -> int:
        """The number of findings for the next digest, which do not page."""
        return counted(each for each in self.reported if route_of(each) is Route.DIGEST)

    @property
    def internet_rejects(self) -> int:
        """Rejected records from the internet (records, not findings)."""
        return sum(
            finding.tally.records
            for finding in self.found
            if isinstance(finding, TrafficFinding) and finding.detector == internet_rejects.DETECTOR.name
        )

    @property
    def unparsed_batches(self) -> int:
        """1 if too many lines cannot be parsed."""
        return int(any(finding.detector == unparsed_lines.DETECTOR.name for finding in self.found))

    @property
    def notifications(self) -> int:
        """The number of notifications sent; one about several incidents counts once."""
        return self.delivery.published

    @property
    def suppressed(self) -> int:
        """The number of alerts suppressed because they repeat one that was sent."""
        return len(self.delivery.suppressed)

    @property
    def over_budget(self) -> int:
        """The number of alerts not sent singly because the budget for pages is spent."""
        return len(self.delivery.held)

    @property
    def state_unavailable(self) -> int:
        """Calls that the state table did not answer."""
        return self.delivery.state_unavailable + self.host_history_unavailable

    def raise_if_unsent(self) -> None:
        """Make Lambda retry the batch if a notification could not be sent.

        Sent notifications are marked, and the retry does not send them again.

        Raises:
            PublishFailed: at least one notification was not accepted.
        """
        self.delivery.raise_if_unsent()


def route_of(finding: Finding) -> Route:
    """The route of a finding that does not page."""
    if finding.report_only and not finding.silenced:
        return Route.DIGEST
    return Route.LOG if finding.silenced else BY_NAME[finding.detector].unpaged


def report(
    records: Table,
    findings: Sequence[Finding],
    delivery: DeliveryReport,
    *,
    log_formats_unavailable: int,
    host_history_unavailable: int,
    interfaces_unavailable: int,
) -> BatchReport:
    """The report about a batch; see `BatchReport` for the counts."""
    gaps = Counter(gap.kind for gap in records.gaps)
    samples = records.malformed[:MALFORMED_SAMPLES]
    return BatchReport(
        flows=len(records.flows),
        no_data=gaps[GapKind.NODATA],
        skip_data=gaps[GapKind.SKIPDATA],
        malformed=len(records.malformed),
        malformed_samples=tuple((one_line(bad.line, SAMPLE_CHARACTERS), bad.reason) for bad in samples),
        found=tuple(findings),
        delivery=delivery,
        log_formats_unavailable=log_formats_unavailable,
        host_history_unavailable=host_history_unavailable,
        interfaces_unavailable=interfaces_unavailable,
    )


def delay(records: Table, now: int) -> int | None:
    """Seconds from the end of the newest window to `now`; not negative, although clocks differ a little."""
    span = records.flows.span
    return None if span is None else max(now - span[1], 0)
