"""Missing records as a notification for the operations topic: skipped records, silent interfaces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from flowwarden.monitor.findings import InterfaceFinding
from flowwarden.monitor.render.message import Message
from flowwarden.monitor.render.parts import DOCUMENT_VERSION, NOT_INSPECTED, RenderContext
from flowwarden.notify.draft import Draft
from flowwarden.notify.text import moment
from flowwarden.printable import one_line

LISTED: Final = 50
"""The number of interfaces that are listed; the others are counted."""


def draft(finding: InterfaceFinding, key: str, context: RenderContext) -> Draft:
    """The notification about missing records; `key` identifies its incident."""
    message = Message.about(finding, key, context)
    facts = (
        f"Where        {context.account_id}, {context.region}, {context.log_group}",
        *_interfaces(finding),
        _window(finding),
        f"Evidence     {message.text.because}",
    )
    return message.draft(
        finding.detector, facts, (message.what_to_do,), _document(message), opening=(NOT_INSPECTED,)
    )


def _window(finding: InterfaceFinding) -> str:
    window = f"{_time(finding.first)} to {_time(finding.last)}"
    return f"Missing      {window} or later" if finding.interfaces else f"Records of   {window}"


def _time(seconds: int | None) -> str:
    return "unknown" if seconds is None else moment(seconds)


def _interfaces(finding: InterfaceFinding) -> list[str]:
    """The line that lists them; no line if the records name none."""
    rest = len(finding.interfaces) - LISTED
    listed = f"{', '.join(_listed(finding))}{f' and {rest} more' if rest > 0 else ''}"
    return [f"Interfaces   {listed}"] if finding.interfaces else []


def _listed(finding: InterfaceFinding) -> Sequence[str]:
    return [one_line(each) for each in finding.interfaces[:LISTED]]


def _document(message: Message[InterfaceFinding]) -> dict[str, Any]:
    finding, context = message.finding, message.context
    return {
        "version": DOCUMENT_VERSION,
        "kind": finding.detector,
        "incident": message.key,
        "event": None,
        "detector": finding.detector,
        "severity": finding.severity,
        "summary": message.text.summary,
        "subject": finding.subject,
        "because": message.text.because,
        "advice": list(message.steps),
        "runbook": message.runbook,
        "technique": message.technique,
        "account": context.account_id,
        "region": context.region,
        "log_group": context.log_group,
        "log_stream": context.log_stream,
        "interfaces": {"distinct": len(finding.interfaces), "top": list(_listed(finding))},
        "first": finding.first,
        "last": finding.last,
    }
