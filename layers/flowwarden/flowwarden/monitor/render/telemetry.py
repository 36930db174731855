"""A blind spot as a notification for the operations topic: nothing burns, but nobody watches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from flowwarden.monitor.blind_spots import BlindSpot
from flowwarden.monitor.render.page import DOCUMENT_VERSION, Occasion, moment, repeats
from flowwarden.notify.claims import Claim, digest
from flowwarden.notify.notification import Notification, one_line

LISTED: Final = 50
"""Interfaces that are told one by one; the others are counted."""


def blind_spot_key(spot: BlindSpot, occasion: Occasion) -> str:
    """The incident: one for what it is about, in a log group."""
    return digest(occasion.account_id, occasion.region, spot.detector, occasion.log_group, spot.subject)


def summarize(spot: BlindSpot) -> str:
    """One sentence. Ids of interfaces are what stands in a line, and anybody may write one."""
    return one_line(spot.summary)


def render(spot: BlindSpot, claim: Claim, occasion: Occasion) -> Notification:
    """The notification about a blind spot."""
    return Notification(
        subject=one_line(
            f"[{spot.severity.upper()}] {summarize(spot).removesuffix('.')} ({occasion.region})",
        ),
        text=_text(spot, claim, occasion),
        document=_document(spot, claim, occasion),
        attributes={
            "kind": spot.detector,
            "severity": spot.severity,
            "detector": spot.detector,
            "account": occasion.account_id,
            "region": occasion.region,
        },
    )


def _text(spot: BlindSpot, claim: Claim, occasion: Occasion) -> str:
    rest = len(spot.interfaces) - LISTED
    steps = (f"  {number}. {step}" for number, step in enumerate(spot.advice, start=1))
    return "\n".join(
        [
            summarize(spot),
            "Flow Warden does not see what happens there: silence means nothing here.",
            "",
            f"Where     {occasion.account_id}, {occasion.region}, {occasion.log_group}",
            f"Unseen    {', '.join(_listed(spot))}{f' and {rest} more' if rest > 0 else ''}",
            f"Since     {moment(spot.first)}, until {moment(spot.last)} at least",
            f"Why       {spot.because}",
            "",
            "What to do",
            *steps,
            "",
            repeats(claim, occasion),
            f"Incident {blind_spot_key(spot, occasion)}, severity {spot.severity}, detector {spot.detector}",
            "",
        ]
    )


def _listed(spot: BlindSpot) -> Sequence[str]:
    return [one_line(each) for each in spot.interfaces[:LISTED]]


def _document(spot: BlindSpot, claim: Claim, occasion: Occasion) -> dict[str, Any]:
    return {
        "version": DOCUMENT_VERSION,
        "kind": spot.detector,
        "incident": blind_spot_key(spot, occasion),
        "detector": spot.detector,
        "severity": spot.severity,
        "summary": summarize(spot),
        "subject": one_line(spot.subject),
        "because": spot.because,
        "advice": list(spot.advice),
        "account": occasion.account_id,
        "region": occasion.region,
        "log_group": occasion.log_group,
        "log_stream": occasion.log_stream,
        "interfaces": {"distinct": len(spot.interfaces), "top": list(_listed(spot))},
        "first": spot.first,
        "last": spot.last,
        "held_back": claim.held_back,
        "last_sent": claim.last_sent,
    }
