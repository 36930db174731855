"""EventBridge: an OCSF Detection Finding for each incident, and other notifications as our own document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from flowwarden.notify.alert import Route
from flowwarden.notify.notification import Notification
from flowwarden.sinks import ocsf
from flowwarden.sinks.base import Bus, SinkKind
from flowwarden.sinks.view import CUT, View, view_of

MAX_BYTES: Final = 262_144 - 2048
"""EventBridge's limit for an entry, less its source, its type and the name of the bus."""
SOURCE: Final = "flow-warden"
FINDING: Final = "Detection Finding"
"""The detail type of findings."""
OTHER: Final = "Notification"
"""The detail type of other notifications, such as digests and the reports of the enforcer."""


class EventBridgeSink:
    """Puts events on one bus."""

    name = "eventbridge"
    tracks_incidents = True

    def __init__(self, bus: Bus, now: Callable[[], float]) -> None:
        """Use a bus; `now` is the time in Unix seconds."""
        self._bus = bus
        self._now = now

    def send(self, notification: Notification) -> None:
        """Put the events of a notification on the bus. Raises PublishFailed."""
        view, now = view_of(notification), self._now()
        findings = view.resolved or ((view,) if view.has_life else ())
        for each in findings:
            self._bus.put(SOURCE, FINDING, _finding(each, now))
        if not findings:
            self._bus.put(SOURCE, OTHER, _document(notification))


def _finding(view: View, now: float) -> str:
    """The finding, without our own document if both are too large."""
    whole = msgspec.json.encode(ocsf.finding(view, now))
    if len(whole) <= MAX_BYTES:
        return whole.decode()
    return msgspec.json.encode(ocsf.finding(view, now, whole=False)).decode()


def _document(notification: Notification) -> str:
    """Our own document, with the text; the text alone if both are too large."""
    members = {**notification.attributes, **notification.document, "text": notification.text}
    whole = msgspec.json.encode(members)
    if len(whole) <= MAX_BYTES:
        return whole.decode()
    short = {**notification.attributes, "subject": notification.subject, "left_out": CUT}
    return msgspec.json.encode(short).decode()


KIND: Final = SinkKind(
    name=EventBridgeSink.name,
    title="EventBridge",
    parameter="EventBus",
    has_secret=False,
    routes=(Route.PAGES, Route.OPERATIONS),
    limits=("256 KB an event",),
    needs_end=True,
    make=lambda bus, edges: EventBridgeSink(edges.bus(bus), edges.now),
)
