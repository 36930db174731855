"""What became of a batch: counts for metrics, and what a person may want to read in the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from flowwarden.monitor.detectors import internet_rejects, unparsed_lines
from flowwarden.monitor.findings import Finding, TrafficFinding
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.notify.notification import one_line
from flowwarden.records.columnar.flow_table import Table
from flowwarden.records.model import GapKind

MALFORMED_SAMPLES = 3
"""Malformed lines of a batch that are kept to be logged; the others are counted."""

SAMPLE_CHARACTERS = 500
"""Of a malformed line: whoever writes it decides how long it is."""


class BatchReport(Struct, frozen=True, kw_only=True):
    """What became of a batch."""

    flows: int
    no_data: int
    skip_data: int
    malformed: int
    malformed_samples: tuple[tuple[str, str], ...]
    """(line, reason) of the first malformed lines."""
    found: tuple[Finding, ...]
    delivery: DeliveryReport
    """What became of the findings that page."""
    log_formats_unavailable: int
    """1 if the log formats that the lines were read by may be out of date, because EC2 did not tell them."""
    evidence_unavailable: int
    """Calls about what hosts did before that the state table did not answer."""
    interfaces_unavailable: int
    """Questions about network interfaces that EC2 refused: roles may be old or unknown."""

    @property
    def findings(self) -> int:
        """How many there are."""
        return len(self.found)

    @property
    def reported(self) -> list[Finding]:
        """The findings that do not page."""
        return [finding for finding in self.found if not finding.severity.pages]

    @property
    def internet_rejects(self) -> int:
        """Records, not findings."""
        return sum(
            finding.tally.records
            for finding in self.found
            if isinstance(finding, TrafficFinding) and finding.detector == internet_rejects.DETECTOR.name
        )

    @property
    def sight_lost(self) -> int:
        """1 if too many lines could not be read."""
        return int(any(finding.detector == unparsed_lines.DETECTOR.name for finding in self.found))

    @property
    def notifications(self) -> int:
        """How many were sent."""
        return len(self.delivery.sent)

    @property
    def suppressed(self) -> int:
        """How many alerts were not sent, because they repeat one that was."""
        return len(self.delivery.suppressed)

    @property
    def state_unavailable(self) -> int:
        """Calls that the state table did not answer."""
        return self.delivery.state_unavailable + self.evidence_unavailable

    def raise_if_unsent(self) -> None:
        """Make Lambda retry the batch when a notification could not be handed over.

        What was sent is marked so and is not sent again by the retry.

        Raises:
            PublishFailed: at least one notification was not taken.
        """
        self.delivery.raise_if_unsent()


def report(
    records: Table,
    findings: Sequence[Finding],
    delivery: DeliveryReport,
    *,
    log_formats_unavailable: int,
    evidence_unavailable: int,
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
        evidence_unavailable=evidence_unavailable,
        interfaces_unavailable=interfaces_unavailable,
    )
