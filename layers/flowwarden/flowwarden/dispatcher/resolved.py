"""The notification that an incident is resolved. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from flowwarden.dispatcher.ports import OpenIncident
from flowwarden.notify.incident import Event, Incident
from flowwarden.notify.notification import Composed, Notification
from flowwarden.notify.text import duration, moment, plural, repeat_count
from flowwarden.printable import one_line

DOCUMENT_VERSION: Final = "1"
"""Raised when a member of the JSON document is removed or changes its meaning."""
LISTED: Final = 50
"""Incidents that a notification about several lists."""
_AGAIN: Final = (
    "If it recurs within the suppression window, it is not sent again. After that, it is sent as reopened "
    "for 24 h, and then as a new incident."
)


def render(one: OpenIncident, incident: Incident) -> Notification:
    """The notification that one incident is resolved."""
    return Notification(
        subject=one_line(f"[RESOLVED] {incident.title.removesuffix('.')}"),
        text=Composed.of(
            [f"Resolved: {incident.title}"],
            [
                f"Reason       {_reason(one, incident)}",
                f"Opened       {_moment(incident.opened_at)}",
                f"Last seen    {_moment(incident.last_seen)}",
                f"Last sent    {_moment(one.sent_at)}; {_repeats(one)}",
                f"Subject      {incident.subject}",
                f"Log group    {incident.log_group}",
                *(["Page         held, because the budget for pages was spent"] if incident.held else []),
                *([f"Joined       {', '.join(one.joined)}"] if one.joined else []),
            ],
            [_AGAIN],
            [f"Incident {one.key.incident}, detectors {', '.join(incident.detectors)}"],
        ),
        document=_document(one, incident),
        attributes=incident.attributes | {"event": Event.RESOLVED.value},
    )


def render_several(several: Sequence[tuple[OpenIncident, Incident]]) -> Notification:
    """The notification that several incidents are resolved; at least one."""
    first = several[0][1]
    rest = len(several) - LISTED
    lines = [
        f"  - {each.title} Opened {_moment(each.opened_at)}, last seen {_moment(each.last_seen)}."
        for _, each in several[:LISTED]
    ]
    where: dict[str, Any] = {
        name: first.attributes[name] for name in ("account", "region") if name in first.attributes
    }
    return Notification(
        subject=f"[RESOLVED] {plural(len(several), 'incident')}",
        text=Composed.of(
            [f"Resolved: {plural(len(several), 'incident')}."],
            [*lines, *([f"  and {rest} more"] if rest > 0 else [])],
            [_AGAIN],
        ),
        document={
            "version": DOCUMENT_VERSION,
            "kind": "resolved",
            "event": Event.RESOLVED.value,
            **where,
            "incidents": [_document(one, each) for one, each in several[:LISTED]],
        },
        attributes={"kind": "resolved", "event": Event.RESOLVED.value, "severity": "info"} | where,
    )


def _repeats(one: OpenIncident) -> str:
    return f"{repeat_count(one.suppressed_batches)} suppressed since"


def _reason(one: OpenIncident, incident: Incident) -> str:
    if one.resolved_by is not None:
        return f"resolved by command{f', by {one.resolved_by}' if one.resolved_by else ''}"
    if incident.interfaces:
        return "the interfaces have written records again"
    return f"records of {duration(incident.wait // 60)} without its findings"


def _document(one: OpenIncident, incident: Incident) -> dict[str, Any]:
    return {
        "version": DOCUMENT_VERSION,
        "kind": incident.attributes.get("kind", "incident"),
        "event": Event.RESOLVED.value,
        "incident": one.key.incident,
        "summary": incident.title,
        "subject": incident.subject,
        "severity": incident.severity,
        "detectors": list(incident.detectors),
        "account": incident.attributes.get("account"),
        "region": incident.attributes.get("region"),
        "log_group": incident.log_group,
        "opened_at": incident.opened_at,
        "last_seen": incident.last_seen,
        "last_sent": one.sent_at,
        "reason": _reason(one, incident),
        "suppressed_batches": one.suppressed_batches,
        "joined": list(one.joined),
    }


def _moment(seconds: int | None) -> str:
    return "unknown" if seconds is None else moment(seconds)
