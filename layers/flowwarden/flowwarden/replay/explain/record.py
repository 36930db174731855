"""Explains one record: watches the batches of a replay for its line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from flowwarden.monitor.detectors import DETECTORS
from flowwarden.monitor.findings import Finding, InterfaceFinding, UnparsedFinding
from flowwarden.monitor.measures.asked import Asked
from flowwarden.monitor.report import BatchReport
from flowwarden.monitor.view import BatchView
from flowwarden.records.line_reader import LineReader
from flowwarden.records.log_format import LogFormat
from flowwarden.records.model import Flow, Gap, GapKind, Malformed
from flowwarden.replay.explain.flow import rows_of, traffic_of
from flowwarden.replay.explain.judge import Seen, flagged, judgments
from flowwarden.replay.explain.model import Context, Judgment, Outcome, RecordExplanation, Traffic
from flowwarden.replay.explain.outcome import Reported, note
from flowwarden.replay.explain.verdict import suppressed, verdict

GAPS: Final = {
    GapKind.NODATA: "NODATA: no traffic in this window; no records are missing",
    GapKind.SKIPDATA: "SKIPDATA: AWS skipped records of this window; the number of missing flows is unknown",
}


class Wanted(Struct, frozen=True):
    """A record to explain."""

    line: str
    layouts: Sequence[LogFormat]
    """The log formats that it may have."""
    where: str
    """File and line, or `the record`."""

    @property
    def record(self) -> Flow | Gap | Malformed:
        """What the reader makes of it."""
        records = LineReader(self.layouts).read([self.line])
        every: list[Flow | Gap | Malformed] = [*records.flows, *records.gaps, *records.malformed]
        return every[0]


class RecordWatch:
    """Watches for a record; `found` is its explanation, once its batch was processed."""

    def __init__(self, wanted: Wanted) -> None:
        """Take the record."""
        self._wanted = wanted
        self._reported: Reported = {}
        self.found: RecordExplanation | None = None

    def see(self, report: BatchReport, view: BatchView) -> None:
        """See a batch, after those before it."""
        note(self._reported, report)
        if self.found is None and self._wanted.line in view.batch.lines:
            self.found = _explained(self._wanted, Seen(report, view, self._reported))


def _explained(wanted: Wanted, seen: Seen) -> RecordExplanation:
    record = Wanted(wanted.line, seen.view.formats, wanted.where).record
    if isinstance(record, Flow):
        rows = rows_of(seen.view, record)
        (directed,) = seen.view.directions.flows(rows[:1])
        asked = Asked(seen.view, rows, directed)
        # Asked before anything else is read, so that the detectors find the state as they left it.
        said = judgments(seen, asked)
        return _explanation(wanted, seen, said, "flow", "", traffic_of(seen.view, int(rows[0]), directed))
    kind, reason = ("gap", GAPS[record.kind]) if isinstance(record, Gap) else ("malformed", record.reason)
    said = [flagged(each, seen) for each in seen.report.found if _is_about(each, record)]
    found = {each.detector for each in said}
    others = [_silent(each.name) for each in DETECTORS if each.name not in found]
    return _explanation(wanted, seen, [*said, *others], kind, reason, None)


def _is_about(finding: Finding, record: Gap | Malformed) -> bool:
    """Whether a finding is about a line without a flow."""
    if isinstance(record, Malformed):
        return isinstance(finding, UnparsedFinding)
    return isinstance(finding, InterfaceFinding) and record.interface_id in finding.interfaces


def _silent(detector: str) -> Judgment:
    return Judgment(detector=detector, flagged=False, outcome=Outcome.NOTHING, why_not="it is no flow")


def _explanation(
    wanted: Wanted, seen: Seen, said: list[Judgment], kind: str, reason: str, traffic: Traffic | None
) -> RecordExplanation:
    return RecordExplanation(
        where=wanted.where,
        line=wanted.line,
        kind=kind,
        reason=reason,
        context=Context.ARCHIVE,
        at=seen.view.now,
        batch=seen.report.flows,
        flagged=any(each.flagged for each in said),
        verdict=verdict(said, traffic),
        suppressed=suppressed(said),
        traffic=traffic,
        judgments=said,
    )
