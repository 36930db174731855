"""Missing records as a notification for the operations topic: nothing burns, but nobody watches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from flowwarden.monitor.findings import InterfaceFinding
from flowwarden.monitor.render.page import DOCUMENT_VERSION, Occasion, moment, repeats
from flowwarden.notify.claims import Claim
from flowwarden.notify.notification import Notification, one_line

LISTED: Final = 50
"""Interfaces that are told one by one; the others are counted."""


def render(finding: InterfaceFinding, key: str, claim: Claim, occasion: Occasion) -> Notification:
    """The notification about missing records."""
    return Notification(
        subject=one_line(
            f"[{finding.severity.upper()}] {finding.summary.removesuffix('.')} ({occasion.region})",
        ),
        text=_text(finding, key, claim, occasion),
        document=_document(finding, key, claim, occasion),
        attributes={
            "kind": finding.detector,
            "severity": finding.severity,
            "detector": finding.detector,
            "account": occasion.account_id,
            "region": occasion.region,
        },
    )


def _text(finding: InterfaceFinding, key: str, claim: Claim, occasion: Occasion) -> str:
    rest = len(finding.interfaces) - LISTED
    steps = (f"  {number}. {step}" for number, step in enumerate(finding.advice, start=1))
    return "\n".join(
        [
            finding.summary,
            "Flow Warden does not see what happens there: silence means nothing here.",
            "",
            f"Where     {occasion.account_id}, {occasion.region}, {occasion.log_group}",
            f"Unseen    {', '.join(_listed(finding))}{f' and {rest} more' if rest > 0 else ''}",
            f"Since     {moment(finding.first)}, until {moment(finding.last)} at least",
            f"Why       {finding.because}",
            "",
            "What to do",
            *steps,
            "",
            repeats(claim, occasion),
            f"Incident {key}, severity {finding.severity}, detector {finding.detector}",
            "",
        ]
    )


def _listed(finding: InterfaceFinding) -> Sequence[str]:
    return [one_line(each) for each in finding.interfaces[:LISTED]]


def _document(finding: InterfaceFinding, key: str, claim: Claim, occasion: Occasion) -> dict[str, Any]:
    return {
        "version": DOCUMENT_VERSION,
        "kind": finding.detector,
        "incident": key,
        "detector": finding.detector,
        "severity": finding.severity,
        "summary": finding.summary,
        "subject": one_line(finding.subject),
        "because": finding.because,
        "advice": list(finding.advice),
        "account": occasion.account_id,
        "region": occasion.region,
        "log_group": occasion.log_group,
        "log_stream": occasion.log_stream,
        "interfaces": {"distinct": len(finding.interfaces), "top": list(_listed(finding))},
        "first": finding.first,
        "last": finding.last,
        "held_back": claim.held_back,
        "last_sent": claim.last_sent,
    }
