"""Unparsed lines as a notification for the operations topic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from flowwarden.monitor.findings import UnparsedFinding
from flowwarden.monitor.render.message import Message
from flowwarden.monitor.render.parts import DOCUMENT_VERSION, NOT_INSPECTED, RenderContext
from flowwarden.notify.draft import Draft
from flowwarden.notify.text import plural
from flowwarden.printable import printable
from flowwarden.records.log_format import LogFormat

MAX_CHARACTERS: Final = 500
"""The longest excerpt of a line or a reason: other writers to the log group control their length."""
FORMATS: Final = 5
"""The number of log formats that are listed."""


def draft(finding: UnparsedFinding, key: str, context: RenderContext) -> Draft:
    """The notification about lines that match no log format, or more than one."""
    message = Message.about(finding, key, context)
    where = f"{context.account}, {context.region}, {context.log_group}, stream {context.log_stream}"
    reasons = [f"{_short(why)} ({plural(lines, 'line')})" for why, lines in finding.reasons]
    return message.draft(
        finding.detector,
        (f"Where        {where}",),
        (
            _part("Parse errors", reasons),
            _part("First unparsed lines", [_short(line) for line in finding.samples]),
            _part("Log formats tried", _formats(finding.formats)),
            message.what_to_do,
        ),
        _document(message),
        opening=(NOT_INSPECTED,),
    )


def _formats(layouts: Sequence[LogFormat]) -> list[str]:
    shown = [f"{len(each.names)} fields: {' '.join(each.names)}" for each in layouts[:FORMATS]]
    rest = len(layouts) - FORMATS
    return [*shown, f"and {rest} more"] if rest > 0 else shown


def _part(heading: str, lines: Sequence[str]) -> list[str]:
    return [heading, *(f"  {line}" for line in lines)]


def _short(text: str) -> str:
    """The text, truncated if too long; its spaces are kept, because they may be what is wrong with it."""
    return printable(text, MAX_CHARACTERS)


def _document(message: Message[UnparsedFinding]) -> dict[str, Any]:
    finding, context = message.finding, message.context
    return {
        "version": DOCUMENT_VERSION,
        "kind": finding.detector,
        "incident": message.key,
        "event": None,
        "detector": finding.detector,
        "severity": finding.severity,
        "summary": message.text.summary,
        "advice": list(message.steps),
        "runbook": message.runbook,
        "technique": message.technique,
        "account": context.account_id,
        "region": context.region,
        "log_group": context.log_group,
        "log_stream": context.log_stream,
        "lines": finding.lines,
        "unreadable": finding.unreadable,
        "reasons": [{"reason": _short(why), "lines": lines} for why, lines in finding.reasons],
        "samples": [_short(line) for line in finding.samples],
        "formats": [each.to_log_format() for each in finding.formats[:FORMATS]],
    }
