"""What a sink declares: one value in its file, from which wiring, docs and tests derive."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from flowwarden.notify.alert import Route
from flowwarden.notify.ports import Sink

type Request = Callable[[str], tuple[str, bytes]]
"""Creates the URL and the JSON document of a request from the secret. Raises PublishRefused if the secret is
not usable."""


class Endpoint(Protocol):
    """A service outside AWS; `https/webhook.py` implements it."""

    def post(self, requests: Sequence[Request]) -> None:
        """Send documents in their order. Raises PublishFailed."""


class Bus(Protocol):
    """A bus of EventBridge; `aws/events.py` implements it."""

    def put(self, source: str, kind: str, detail: str) -> None:
        """Put an event on it: its source, its detail type and its detail as JSON. Raises PublishFailed."""


class Findings(Protocol):
    """The findings of a product in Security Hub; `aws/security_hub.py` implements it."""

    def put(self, findings: Sequence[Mapping[str, Any]]) -> None:
        """Create or update findings by their `Id`. Raises PublishFailed."""


class Topic(Protocol):
    """An SNS topic; `aws/sns.py` implements it."""

    name: str

    def publish(self, subject: str, message: str, attributes: Mapping[str, str]) -> None:
        """Publish a message with a text for each protocol. Raises PublishFailed."""


class Edges(Protocol):
    """What sinks are built on; `bootstrap/sinks.py` implements it."""

    def now(self) -> float:
        """Unix seconds."""

    def bus(self, name: str) -> Bus:
        """A bus of the account and Region."""

    def findings(self) -> Findings:
        """The findings in the account and Region."""

    def topic(self, arn: str) -> Topic:
        """A topic."""

    def endpoint(self, title: str, secret: str, *, repeatable: bool) -> Endpoint:
        """A service outside AWS.

        Args:
            title: its name.
            secret: the name of its secret.
            repeatable: whether it takes the same document twice without harm.
        """


class SinkKind(Struct, frozen=True, kw_only=True):
    """One kind of sink, beside the SNS topics of the stack."""

    name: str
    """Its name in claims, settings and docs: stable."""
    title: str
    """The name of the service."""
    parameter: str
    """The parameter of the template that configures it; it is off while that is empty."""
    has_secret: bool
    """Whether the value of the parameter is the name of a secret."""
    routes: tuple[Route, ...]
    """What it gets, unless the parameter `SinkRoutes` says otherwise."""
    limits: tuple[str, ...]
    """The limits of the service that it keeps, in words."""
    needs_end: bool = False
    """Whether the service shows an incident as open until it gets its end."""
    make: Callable[[str, Edges], Sink]
    """Builds it from the value of the parameter."""
