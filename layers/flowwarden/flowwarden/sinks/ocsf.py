"""A notification about an incident as an OCSF Detection Finding (class 2004), with its activity. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any, Final

from flowwarden.notify.incident import Event
from flowwarden.sinks.view import CUT, View, shortened

VERSION: Final = "1.3.0"
"""The version of OCSF."""
PRODUCT: Final = "Flow Warden"
CLASS: Final = 2004
ACTIVITIES: Final = {
    Event.OPENED: (1, "Create"),
    Event.UPDATED: (2, "Update"),
    Event.REOPENED: (2, "Update"),
    Event.RESOLVED: (3, "Close"),
}
STATUSES: Final = {
    Event.OPENED: (1, "New"),
    Event.UPDATED: (2, "In Progress"),
    Event.REOPENED: (1, "New"),
    Event.RESOLVED: (4, "Resolved"),
}
SEVERITIES: Final = {"info": (1, "Informational"), "medium": (3, "Medium"), "high": (4, "High")} | {
    "critical": (5, "Critical"),
}
MAX_TEXT: Final = 32_768
"""Characters of the text."""
_IP, _HOST, _RULE = 2, 1, 1
"""Types of observables, and of analytics."""


def finding(view: View, now: float, *, whole: bool = True) -> dict[str, Any]:
    """The finding of an incident at `now` (Unix seconds); `whole`: with the document."""
    activity, name = ACTIVITIES.get(view.event or Event.UPDATED, ACTIVITIES[Event.UPDATED])
    status, status_name = STATUSES.get(view.event or Event.UPDATED, STATUSES[Event.UPDATED])
    severity, severity_name = SEVERITIES.get(view.severity, SEVERITIES["medium"])
    return {
        "activity_id": activity,
        "activity_name": name,
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Detection Finding",
        "type_uid": CLASS * 100 + activity,
        "type_name": f"Detection Finding: {name}",
        "severity_id": severity,
        "severity": severity_name,
        "status_id": status,
        "status": status_name,
        "time": int(now * 1000),
        "message": view.summary,
        "metadata": {
            "version": VERSION,
            "product": {"name": PRODUCT, "vendor_name": PRODUCT},
            "event_code": view.event.value if view.event else view.kind,
        },
        "cloud": {"provider": "AWS", "account": {"uid": view.account}, "region": view.region},
        "finding_info": dict(_info(view)),
        "observables": [*_observables(view)],
        "remediation": {
            "desc": " ".join(view.advice) or "See the runbook.",
            "references": [view.runbook] if view.runbook else [],
        },
        "unmapped": dict(view.details) if whole else {"left_out": CUT},
    }


def _info(view: View) -> Iterator[tuple[str, Any]]:
    yield "uid", view.incident
    yield "title", view.summary
    yield "desc", shortened(view.text, MAX_TEXT) or view.summary
    yield "types", ["Network flow"]
    analytic = ", ".join(view.detectors) or view.kind
    yield "analytic", {"type_id": _RULE, "type": "Rule", "name": analytic, "uid": analytic}
    if view.technique:
        yield "attacks", [{"technique": {"uid": view.technique}, "version": "15"}]
    if view.first is not None:
        yield "first_seen_time", view.first * 1000
    if view.last is not None:
        yield "last_seen_time", view.last * 1000
    if view.runbook:
        yield "src_url", view.runbook


def _observables(view: View) -> Iterator[dict[str, Any]]:
    if view.subject:
        kind = (_IP, "IP Address") if _is_address(view.subject) else (_HOST, "Hostname")
        yield {"name": "subject", "type_id": kind[0], "type": kind[1], "value": view.subject}


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
