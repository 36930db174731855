"""What a sink sends, without a service: the requests that it makes for a notification."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from flowwarden.errors import PublishFailed
from flowwarden.notify.notification import Notification
from flowwarden.sinks.base import Request, SinkKind

KEY: Final = "R0123456789ABCDEF0123456789ABCDE"
ADDRESS: Final = "https://hooks.example.test/services/T0/B0/0123456789abcdef"
SECRET: Final = json.dumps({"routing_key": KEY, "url": ADDRESS})


VALUES: Final = {"securityhub": "arn:aws:securityhub:eu-west-1:111122223333:product/111122223333/default"}
"""Values of parameters that sinks read."""
NOW: Final = 1_764_028_800.5
"""When everything is sent (Unix seconds)."""


class Recorded:
    """A bus, findings or a topic, which records what it gets."""

    name = "topic"

    def __init__(self, edges: RecordingEdges) -> None:
        self._edges = edges

    def put(self, *given: Any) -> None:
        """See `Bus` and `Findings`."""
        *names, value = given
        about = [json.loads(value)] if names else value
        for each in about:
            self._edges.record({**dict(zip(("source", "kind"), names, strict=False)), "document": each})

    def publish(self, subject: str, message: str, attributes: Mapping[str, str]) -> None:
        """See `Topic`."""
        assert not attributes
        body = json.loads(message)
        assert {*body} == {"default"}
        self._edges.record({"subject": subject, "document": json.loads(body["default"])})


class RecordingEdges:
    """Edges that record what they get."""

    def __init__(self, error: PublishFailed | None = None) -> None:
        self.requests: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        """The documents as they are sent."""
        self.secret = SECRET
        self._error = error

    def record(self, request: dict[str, Any]) -> None:
        """Record a request, or fail."""
        self.requests.append(request)
        if self._error is not None:
            raise self._error

    def endpoint(self, _title: str, _secret: str, *, repeatable: bool) -> RecordingEdges:
        """See `Edges`."""
        assert repeatable in {True, False}
        return self

    def now(self) -> float:
        """See `Edges`."""
        return NOW

    def bus(self, _name: str) -> Recorded:
        """See `Edges`."""
        return Recorded(self)

    def findings(self) -> Recorded:
        """See `Edges`."""
        return Recorded(self)

    def topic(self, _arn: str) -> Recorded:
        """See `Edges`."""
        return Recorded(self)

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
    kind.make(VALUES.get(kind.name, "configured"), edges).send(notification)
    return edges
