"""unparsed-lines: lines of flow logs arrive, and too many of them cannot be read.

What: a batch of which nothing can be read, or at least `MIN_LINES` lines and `MIN_SHARE` of it not.
Why: what is not read is not inspected: silence from it means nothing. A flow log of another format makes all
    of its lines unreadable, so a stream's batch is unreadable whole, or by the half if two flow logs share
    the interface; quiet interfaces send batches of few lines. A poison line or two among good ones is no
    more than a count.
False positives: something other than flow records is written into the log group. It does not belong there.
Events: unparsed-lines.json, formats-alike.json; poison-line.json is none.
ATT&CK: none; these are faults.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors.base import Detector
from flowwarden.monitor.findings import Severity, UnparsedFinding
from flowwarden.monitor.text import Text
from flowwarden.monitor.view import BatchView
from flowwarden.notify.alert import Route
from flowwarden.notify.notification import one_line
from flowwarden.policy.detection import Thresholds
from flowwarden.records.columnar.flow_table import Table
from flowwarden.records.log_format import is_header
from flowwarden.records.model import Malformed, Records

MIN_LINES: Final = 5
"""Fewer unreadable lines among readable ones are poison lines."""
MIN_SHARE: Final = 0.1
"""Below it, the rest of the batch shows that the formats are right; a busy stream may carry some junk."""
TOLD: Final = 3
"""Reasons and lines that are told."""


def unreadable(records: Records | Table) -> list[Malformed]:
    """The malformed lines that should hold a record."""
    return [bad for bad in records.malformed if bad.line.strip() and not is_header(bad.line)]


def detect(view: BatchView, _state: StateView, _thresholds: Thresholds) -> list[UnparsedFinding]:
    """One finding for a batch of which too much cannot be read."""
    records = view.records
    bad = unreadable(records)
    lines = len(records.flows) + len(records.gaps) + len(bad)
    if not bad or (len(bad) < lines and (len(bad) < MIN_LINES or len(bad) < MIN_SHARE * lines)):
        return []
    return [
        UnparsedFinding(
            detector=DETECTOR.name,
            severity=DETECTOR.severity,
            subject=view.batch.log_group,
            lines=lines,
            unreadable=len(bad),
            reasons=tuple(Counter(each.reason for each in bad).most_common(TOLD)),
            samples=tuple(each.line for each in bad[:TOLD]),
            formats=tuple(view.formats),
        )
    ]


def text(finding: UnparsedFinding) -> Text:
    """The finding in words."""
    group = one_line(finding.subject)
    return Text(
        summary=f"Sight lost: {finding.unreadable:,} of {finding.lines:,} lines in {group} cannot be read."
    )


_DESCRIBE: Final = (
    "aws ec2 describe-flow-logs --region {region} --filter Name=log-group-name,Values={log_group} "
    "--query 'FlowLogs[].[FlowLogId,ResourceId,LogFormat]'"
)

DETECTOR: Final = Detector(
    name="unparsed-lines",
    summary="many lines cannot be read: an unknown log format",
    severity=Severity.MEDIUM,
    route=Route.OPERATIONS,
    finds=("unreadable-lines",),
    runbook=(
        f"See which flow logs write into the log group, in which format: {_DESCRIBE}",
        "If a flow log was just made: wait ten minutes. Formats are learned again when lines stop fitting.",
        "If lines fit formats alike: nobody can tell them apart. Give one flow log another group or format.",
        "If another account writes them: EC2 does not tell their format. Set the parameter LogFormat to it.",
        "If the lines are no flow records: keep whoever writes them out of this log group.",
        "What was not read meanwhile is still in the log group.",
    ),
    detect=detect,
    text=text,
)
