"""What a sink sends, without a service: the requests that it makes for a notification."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from flowwarden.errors import PublishFailed
from flowwarden.notify.notification import Notification
from flowwarden.sinks.base import Request, SinkKind

KEY: Final = "R0123456789ABCDEF0123456789ABCDE"
ADDRESS: Final = "https://hooks.example.test/services/T0/B0/0123456789abcdef"
SECRET: Final = json.dumps({"routing_key": KEY, "url": ADDRESS})


class RecordingEdges:
    """Edges that record what they get."""

    def __init__(self, error: PublishFailed | None = None) -> None:
        self.requests: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        """The documents as they are sent."""
        self.secret = SECRET
        self._error = error

    def endpoint(self, _title: str, _secret: str, *, repeatable: bool) -> RecordingEdges:
        """See `Edges`."""
        assert repeatable in {True, False}
        return self

    def post(self, requests: Sequence[Request]) -> None:
        """See `Endpoint`."""
        for request in requests:
            url, body = request(self.secret)
            self.bodies.append(body)
            self.requests.append({"url": url, "document": json.loads(body)})
        if self._error is not None:
            raise self._error


def requests_of(kind: SinkKind, notification: Notification) -> RecordingEdges:
    """What a sink sends for a notification."""
    edges = RecordingEdges()
    kind.make("configured", edges).send(notification)
    return edges
