"""The notification that an incident is resolved. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from flowwarden.dispatcher.ports import OpenIncident
from flowwarden.notify.evidence import SEVERITIES
from flowwarden.notify.incident import REOPENED, Event
from flowwarden.notify.notification import Composed, Notification
from flowwarden.notify.text import duration, moment, plural, repeat_count
from flowwarden.printable import one_line

DOCUMENT_VERSION: Final = "1"
"""Raised when a member of the JSON document is removed or changes its meaning."""
KIND: Final = "resolved"
"""The attribute `kind` of a notification about incidents of several kinds."""
_HELD: Final = "held, because the budget for pages was spent"
_AGAIN: Final = (
    "If it recurs within the suppression window, it is not sent again. After that, it is sent as reopened "
    "for 24 h, and then as a new incident."
)


def render(one: OpenIncident) -> Notification:
    """The notification that one incident is resolved."""
    incident = one.incident
    return Notification(
        subject=one_line(f"[RESOLVED] {incident.title.removesuffix('.')}"),
        text=Composed.of(
            [f"Resolved: {incident.title}"],
            [
                f"Reason       {_reason(one)}",
                f"Opened       {_moment(incident.opened_at)}",
                f"Last seen    {_moment(incident.last_seen)}",
                f"Last sent    {_moment(one.sent_at)}; {_repeats(one)}",
                f"Subject      {incident.subject}",
                f"Log group    {incident.log_group}",
                *([f"Page         {_HELD}"] if incident.held else []),
                *([f"Joined       {', '.join(one.joined)}"] if one.joined else []),
            ],
            [_AGAIN],
            [f"Incident {one.key.incident}, detectors {', '.join(incident.detectors)}"],
        ),
        document=_document(one),
        attributes=incident.attributes | {"event": Event.RESOLVED.value},
    )


def render_several(several: Sequence[OpenIncident], more: int) -> Notification:
    """The notification that several incidents are resolved.

    It has the severity of the gravest one, and the other attributes that all of them have: a subscription
    whose filter passed their pages gets it, too.

    Args:
        several: the incidents, at least one; all are listed.
        more: how many others are resolved, which the next notification lists.
    """
    labels = _labels(several)
    count = plural(len(several), "incident")
    return Notification(
        subject=f"[RESOLVED] {count}",
        text=Composed.of(
            [f"Resolved: {count}."],
            [line for one in several for line in _listed(one)],
            [f"{more} more are resolved: the next notification lists them." if more else ""],
            [_AGAIN],
        ),
        document={
            "version": DOCUMENT_VERSION,
            **labels,
            "incidents": [_document(one) for one in several],
            "more": more,
        },
        attributes=labels,
    )


def _listed(one: OpenIncident) -> Iterator[str]:
    incident = one.incident
    yield (
        f"  - [{incident.severity.upper()}] {incident.title} Opened {_moment(incident.opened_at)}, "
        f"last seen {_moment(incident.last_seen)}; {_repeats(one)}."
    )
    if incident.held:
        yield f"    Its page was {_HELD}."


def _labels(several: Sequence[OpenIncident]) -> dict[str, str]:
    """The attributes of a notification about several incidents."""
    first, *others = [each.incident.attributes for each in several]
    common = {name: text for name, text in first.items() if all(each.get(name) == text for each in others)}
    severities = {each.incident.severity for each in several}
    gravest = next((each for each in reversed(SEVERITIES) if each in severities), SEVERITIES[0])
    return {"kind": KIND} | common | {"event": Event.RESOLVED.value, "severity": gravest}


def _repeats(one: OpenIncident) -> str:
    return f"{repeat_count(one.suppressed_batches)} suppressed since"


def _reason(one: OpenIncident) -> str:
    incident = one.incident
    if one.resolved_by is not None:
        return f"resolved by command{f', by {one.resolved_by}' if one.resolved_by else ''}"
    if incident.interfaces:
        return "the interfaces have written records again"
    return f"records of {duration(incident.wait // 60)} without its findings"


def _document(one: OpenIncident) -> dict[str, Any]:
    incident = one.incident
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
        "reason": _reason(one),
        "suppressed_batches": one.suppressed_batches,
        "joined": list(one.joined),
        "held": incident.held,
        **({REOPENED: incident.reopened} if incident.reopened else {}),
    }


def _moment(seconds: int | None) -> str:
    return "unknown" if seconds is None else moment(seconds)
