"""PagerDuty, through its Events API v2: an alert for each incident, updated and resolved by its key.

A reopened incident is a new alert with a new key, so that a late event of the earlier one cannot close it.
Its notification also resolves the earlier alerts, in case that was not sent, and so does its end: the page of
the reopening may have been part of a roll-up, which is an alert of its own. PagerDuty ignores a resolve for
which there is no alert, and takes the same event twice without harm.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from flowwarden.notify.alert import Route
from flowwarden.notify.claims import digest
from flowwarden.notify.incident import Event
from flowwarden.notify.notification import Notification
from flowwarden.printable import one_line
from flowwarden.sinks.base import Endpoint, Request, SinkKind
from flowwarden.sinks.secret import member
from flowwarden.sinks.view import View, shortened, view_of

URL: Final = "https://events.pagerduty.com/v2/enqueue"
MAX_BYTES: Final = 512_000
"""PagerDuty's limit for an event is 512 KB."""
MAX_SUMMARY: Final = 1024
"""Characters of the summary."""
MAX_TEXT: Final = 32_768
"""Characters of the text that an alert shows: far more than a page has."""
MOST_EARLIER: Final = 2
"""Earlier alerts of an incident that its notification resolves. The end of each was reported, or its
successor resolved it: only failures of both leave it open."""
CLIENT: Final = "Flow Warden"
SEVERITIES: Final = {"critical": "critical", "high": "error", "error": "error"} | {
    "medium": "warning",
    "warning": "warning",
}
"""PagerDuty's severity for each of ours; `info` for any other."""
SHOWN: Final = (
    "incident", "event", "subject", "account", "account_alias", "region", "vpc", "vpc_name", "interface",
    "side", "service", "because", "likely", "advice", "technique", "detector", "detectors", "log_group",
    "query", "connections", "packets", "bytes", "records", "same_host", "same_cause", "suppressed_batches",
    "limit", "listed", "counts", "trigger",
)  # fmt: skip
"""The members of the document that an alert shows, besides the text."""


class PagerDutySink:
    """Sends events to one integration."""

    name = "pagerduty"
    tracks_incidents = True

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def send(self, notification: Notification) -> None:
        """Send the events of a notification. Raises PublishFailed."""
        self._endpoint.post([_request(each) for each in events(notification)])


def events(notification: Notification) -> list[dict[str, Any]]:
    """The events of a notification, without the routing key."""
    view = view_of(notification)
    if view.is_over:
        return [_resolve(alert) for each in view.resolved or (view,) for alert in (*_earlier(each), each)]
    earlier = _earlier(view) if view.event is Event.REOPENED else ()
    return [*(_resolve(each) for each in earlier), _trigger(view)]


def dedup_key(view: View) -> str:
    """The key of an alert: one for each time that the incident was opened."""
    if not view.incident:
        return digest(view.kind, view.summary, view.account, view.region)
    return f"{view.incident}-{view.reopened}" if view.reopened else view.incident


def _earlier(view: View) -> Iterator[View]:
    """The alerts of the same incident before this one that may still be open, the oldest first."""
    for reopened in range(max(0, view.reopened - MOST_EARLIER), view.reopened):
        yield replace(view, reopened=reopened)


def _resolve(view: View) -> dict[str, Any]:
    return {"event_action": "resolve", "dedup_key": dedup_key(view)}


def _trigger(view: View) -> dict[str, Any]:
    """The event that opens or updates an alert, within the limit of PagerDuty."""
    limit = MAX_TEXT
    while True:
        event = _event(view, limit)
        if len(msgspec.json.encode(event)) <= MAX_BYTES - MAX_SUMMARY:
            return event
        # What is large is the document: its members are left out, and the text says that it is not whole.
        view, limit = replace(view, details={}), limit // 2


def _event(view: View, limit: int) -> dict[str, Any]:
    return {
        "event_action": "trigger",
        "dedup_key": dedup_key(view),
        "client": CLIENT,
        "payload": {
            "summary": one_line(view.summary, MAX_SUMMARY),
            "source": view.subject or view.account or CLIENT,
            "severity": SEVERITIES.get(view.severity, "info"),
            "component": ", ".join(view.detectors) or view.kind,
            "group": " ".join(each for each in (view.account, view.region) if each) or CLIENT,
            "class": view.kind,
            "custom_details": dict(_details(view)) | {"text": shortened(view.text, limit)},
        },
        "links": [{"href": link, "text": title} for title, link in view.links.items()],
    }


def _details(view: View) -> Iterator[tuple[str, Any]]:
    """What an alert shows as a table; nothing that is empty."""
    for name in SHOWN:
        if found := view.details.get(name):
            yield name, found


def _request(event: dict[str, Any]) -> Request:
    def request(secret: str) -> tuple[str, bytes]:
        key = member(secret, "routing_key", alone=True)
        return member(secret, "url", URL), msgspec.json.encode({"routing_key": key, **event})

    return request


KIND: Final = SinkKind(
    name=PagerDutySink.name,
    title="PagerDuty",
    parameter="PagerDutySecret",
    has_secret=True,
    routes=(Route.PAGES,),
    limits=("512 KB an event", "1,024 characters of the summary"),
    needs_end=True,
    make=lambda secret, edges: PagerDutySink(edges.endpoint("PagerDuty", secret, repeatable=True)),
)
