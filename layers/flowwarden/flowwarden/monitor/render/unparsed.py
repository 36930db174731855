"""Lost sight as a notification for the operations topic: nothing burns, but nobody watches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from flowwarden.monitor.detectors.unparsed_lines import DETECTOR
from flowwarden.monitor.findings import UnparsedFinding
from flowwarden.monitor.render.page import DOCUMENT_VERSION, Occasion, repeats
from flowwarden.notify.claims import Claim
from flowwarden.notify.notification import Notification, one_line
from flowwarden.records.log_format import LogFormat

TOLD_CHARACTERS: Final = 500
"""Of a line or a reason: whoever writes into the log group decides how long they are."""
FORMATS: Final = 5
"""Log formats that are told one by one."""

ADVICE: Final = (
    "If a flow log was just made: wait ten minutes. Formats are learned again when lines stop fitting.",
    "If lines fit formats alike: nobody can tell them apart. Give one flow log another group or format.",
    "If another account writes them: EC2 does not tell their format. Set the parameter LogFormat to it.",
    "If the lines are no flow records: keep whoever writes them out of this log group.",
    "What was not read meanwhile is still in the log group.",
)


def render(finding: UnparsedFinding, key: str, claim: Claim, occasion: Occasion) -> Notification:
    """The notification about lines that fit none of the log formats, or more than one."""
    return Notification(
        subject=one_line(
            f"[{DETECTOR.severity.upper()}] {finding.summary.removesuffix('.')} ({occasion.region})"
        ),
        text=_text(finding, key, claim, occasion),
        document=_document(finding, key, claim, occasion),
        attributes={
            "kind": DETECTOR.name,
            "severity": DETECTOR.severity,
            "detector": DETECTOR.name,
            "account": occasion.account_id,
            "region": occasion.region,
        },
    )


def _text(finding: UnparsedFinding, key: str, claim: Claim, occasion: Occasion) -> str:
    where = f"{occasion.account_id}, {occasion.region}, {occasion.log_group}, stream {occasion.log_stream}"
    steps = [f"{number}. {step}" for number, step in enumerate(_advice(occasion), start=1)]
    parts = (
        f"{finding.summary}\nFlow Warden does not see what they say: silence means nothing here.",
        f"Where     {where}",
        _part(
            "Why they cannot be read", [f"{_short(why)} ({lines} lines)" for why, lines in finding.reasons]
        ),
        _part("The first of them", [_short(line) for line in finding.samples]),
        _part("Log formats that were tried", _formats(finding.formats)),
        _part("What to do", steps),
        f"{repeats(claim, occasion)}\n{_identity(key)}",
    )
    return "\n\n".join(parts) + "\n"


def _advice(occasion: Occasion) -> tuple[str, ...]:
    described = (
        f"aws ec2 describe-flow-logs --region {occasion.region} "
        f"--filter Name=log-group-name,Values={occasion.log_group} "
        "--query 'FlowLogs[].[FlowLogId,ResourceId,LogFormat]'"
    )
    return (f"See which flow logs write into the log group, in which format: {described}", *ADVICE)


def _identity(key: str) -> str:
    return f"Incident {key}, severity {DETECTOR.severity}, detector {DETECTOR.name}"


def _formats(layouts: Sequence[LogFormat]) -> list[str]:
    told = [f"{len(each.names)} fields: {' '.join(each.names)}" for each in layouts[:FORMATS]]
    rest = len(layouts) - FORMATS
    return [*told, f"and {rest} more"] if rest > 0 else told


def _part(heading: str, lines: Sequence[str]) -> str:
    return "\n".join([heading, *(f"  {line}" for line in lines)])


def _short(text: str) -> str:
    """The text without what a terminal or a mail program would act on, cut where it is too long."""
    plain = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return plain if len(plain) <= TOLD_CHARACTERS else f"{plain[:TOLD_CHARACTERS]}... (cut)"


def _document(finding: UnparsedFinding, key: str, claim: Claim, occasion: Occasion) -> dict[str, Any]:
    return {
        "version": DOCUMENT_VERSION,
        "kind": DETECTOR.name,
        "incident": key,
        "detector": DETECTOR.name,
        "severity": DETECTOR.severity,
        "summary": finding.summary,
        "advice": list(_advice(occasion)),
        "account": occasion.account_id,
        "region": occasion.region,
        "log_group": occasion.log_group,
        "log_stream": occasion.log_stream,
        "lines": finding.lines,
        "unreadable": finding.unreadable,
        "reasons": [{"reason": _short(why), "lines": lines} for why, lines in finding.reasons],
        "samples": [_short(line) for line in finding.samples],
        "formats": [each.to_log_format() for each in finding.formats[:FORMATS]],
        "held_back": claim.held_back,
        "last_sent": claim.last_sent,
    }
