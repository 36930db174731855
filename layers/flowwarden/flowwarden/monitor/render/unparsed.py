"""Unparsed lines as a notification for the operations topic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from flowwarden.monitor.findings import UnparsedFinding
from flowwarden.monitor.render.message import Message
from flowwarden.monitor.render.parts import DOCUMENT_VERSION, Occasion, repeats
from flowwarden.notify.claims import Claim
from flowwarden.notify.notification import Notification
from flowwarden.records.log_format import LogFormat

TOLD_CHARACTERS: Final = 500
"""Of a line or a reason: whoever writes into the log group decides how long they are."""
FORMATS: Final = 5
"""Log formats that are told one by one."""


def render(finding: UnparsedFinding, key: str, claim: Claim, occasion: Occasion) -> Notification:
    """The notification about lines that fit none of the log formats, or more than one."""
    message = Message.about(finding, key, claim, occasion)
    return Notification(
        subject=message.subject,
        text=_text(message),
        document=_document(message),
        attributes=message.attributes(finding.detector),
    )


def _text(message: Message[UnparsedFinding]) -> str:
    finding, occasion = message.finding, message.occasion
    where = f"{occasion.account_id}, {occasion.region}, {occasion.log_group}, stream {occasion.log_stream}"
    reasons = [f"{_short(why)} ({lines} lines)" for why, lines in finding.reasons]
    parts = (
        f"{message.text.summary}\nFlow Warden does not see what they say: silence means nothing here.",
        f"Where     {where}",
        _part("Why they cannot be read", reasons),
        _part("The first of them", [_short(line) for line in finding.samples]),
        _part("Log formats that were tried", _formats(finding.formats)),
        message.what_to_do,
        f"{repeats(message.claim, occasion)}\n{message.identity}",
    )
    return "\n\n".join(parts) + "\n"


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


def _document(message: Message[UnparsedFinding]) -> dict[str, Any]:
    finding, occasion = message.finding, message.occasion
    return {
        "version": DOCUMENT_VERSION,
        "kind": finding.detector,
        "incident": message.key,
        "detector": finding.detector,
        "severity": finding.severity,
        "summary": message.text.summary,
        "advice": list(message.steps),
        "technique": message.technique,
        "account": occasion.account_id,
        "region": occasion.region,
        "log_group": occasion.log_group,
        "log_stream": occasion.log_stream,
        "lines": finding.lines,
        "unreadable": finding.unreadable,
        "reasons": [{"reason": _short(why), "lines": lines} for why, lines in finding.reasons],
        "samples": [_short(line) for line in finding.samples],
        "formats": [each.to_log_format() for each in finding.formats[:FORMATS]],
        "held_back": message.claim.held_back,
        "last_sent": message.claim.last_sent,
    }
