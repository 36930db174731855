"""unparsed-lines: too many lines of flow logs cannot be parsed.

What: a batch in which no line can be parsed, or in which at least `MIN_LINES` lines and a share of
    `MIN_SHARE` cannot.
Why: records that are not parsed are not inspected, so the absence of alerts proves nothing. If a flow log has
    another format, all of its lines are unparsable: a batch of its stream fails entirely, or by half if two
    flow logs share the interface. Quiet interfaces send batches of few lines. One or two malformed lines
    among valid ones are only counted. Of a delivery with very many lines in an odd spelling, those beyond
    30,000 are not parsed either: there is no time to read them one by one.
False positives: another application writes other data to the log group. Such data does not belong there.
Events: unparsed-lines.json, indistinguishable-formats.json; no finding in malformed-lines.json.
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
from flowwarden.policy.detection import Thresholds
from flowwarden.records.columnar.flow_table import Table
from flowwarden.records.log_format import is_header
from flowwarden.records.model import Malformed, Records
from flowwarden.records.values import MASKED
from flowwarden.state.sets import HOUR

MIN_LINES: Final = 5
"""Fewer unparsable lines among valid ones are isolated malformed lines."""
MIN_SHARE: Final = 0.1
"""Below this share, the rest of the batch shows that the formats are right; a busy stream can contain some
junk."""
IP_ADDRESS: Final = "IpAddress"
"""The data identifier of CloudWatch Logs for addresses."""
SHOWN: Final = 3
"""The number of reasons and sample lines in a finding."""


def unreadable(records: Records | Table) -> list[Malformed]:
    """The malformed lines that should contain a record."""
    return [bad for bad in records.malformed if bad.line.strip() and not is_header(bad.line)]


def detect(view: BatchView, _state: StateView, _thresholds: Thresholds) -> list[UnparsedFinding]:
    """One finding if too many lines of the batch cannot be parsed."""
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
            reasons=tuple(Counter(each.reason for each in bad).most_common(SHOWN)),
            samples=tuple(each.line for each in bad[:SHOWN]),
            formats=tuple(view.formats),
        )
    ]


def text(finding: UnparsedFinding) -> Text:
    """The finding in words."""
    masked = any(MASKED in reason for reason, _ in finding.reasons)
    cause = ": a data protection policy masks the addresses" if masked else ""
    lines = f"{finding.unreadable:,} of {finding.lines:,} lines"
    return Text(
        summary=f"{lines} in {finding.subject} cannot be parsed{cause}.",
        brief=f"{lines} cannot be parsed{cause}: {finding.subject}",
        words={"masked": IP_ADDRESS if masked else None},
    )


_DESCRIBE: Final = (
    "aws ec2 describe-flow-logs --region {region} --filter Name=log-group-name,Values={log_group} "
    "--query 'FlowLogs[].[FlowLogId,ResourceId,LogFormat]'"
)

_POLICIES: Final = (
    "aws logs get-data-protection-policy --region {region} --log-group-identifier {log_group}; "
    "for the policy of the account: aws logs describe-account-policies --region {region} "
    "--policy-type DATA_PROTECTION_POLICY"
)

DETECTOR: Final = Detector(
    name="unparsed-lines",
    summary="many lines cannot be parsed: unknown log format",
    severity=Severity.MEDIUM,
    about_flows=False,
    route=Route.OPERATIONS,
    resolve_after=HOUR // 2,
    finds=("unreadable-lines",),
    runbook=(
        f"A data protection policy masks the addresses: remove {{masked}} from the policy: {_POLICIES}",
        f"List the flow logs that write to the log group, with their formats: {_DESCRIBE}",
        "If a flow log was just created: wait 10 min. Formats are relearned when lines no longer match.",
        "If lines match several formats: use another log group or another format for one of the flow logs.",
        "If another account writes the lines: EC2 does not report their format. Set the parameter LogFormat.",
        "If the lines are not flow records: find their writer and direct it to another log group.",
        "The unparsed records are still in the log group.",
    ),
    detect=detect,
    text=text,
)
