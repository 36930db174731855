"""Builds the configured sinks beside the stack's SNS topics, the same for all functions and commands.

Which addresses may be connected to, and which certificate authorities are trusted, is decided here alone:
tests on loopback pass their own `Https`.
"""

from __future__ import annotations

import ssl
from functools import cache
from typing import Any, Literal

from flowwarden.aws.certificates import authorities
from flowwarden.aws.clients import QUICK_SECONDS, make_client
from flowwarden.aws.delivering import BOTOCORE_ATTEMPTS
from flowwarden.aws.events import EventBus
from flowwarden.aws.secrets import ATTEMPTS, StoredSecret
from flowwarden.aws.security_hub import ImportedFindings
from flowwarden.aws.sns import Topic
from flowwarden.bootstrap.more_sinks import NONE, MoreSinks
from flowwarden.errors import SettingsError
from flowwarden.https.transport import Https
from flowwarden.https.webhook import Clock, Transport, Webhook
from flowwarden.notify.alert import Route
from flowwarden.sinks.base import Edges
from flowwarden.sinks.table import Configured, configured


class AwsEdges:
    """The edges on AWS and the internet."""

    def __init__(self, region: str, clock: Clock, transport: Transport | None = None) -> None:
        """Build sinks in a Region; `transport` makes HTTPS requests, by default only to public addresses."""
        self._region = region
        self._clock = clock
        self._transport = transport or Https(authorities=cache(_trusted), clock=clock.monotonic)

    def now(self) -> float:
        """See `Edges`."""
        return self._clock.unix()

    def bus(self, name: str) -> EventBus:
        """See `Edges`."""
        return EventBus(lambda: self._delivering("events"), name, self._clock.wait)

    def findings(self) -> ImportedFindings:
        """See `Edges`."""
        return ImportedFindings(lambda: self._delivering("securityhub"), self._clock.wait)

    def topic(self, arn: str) -> Topic:
        """See `Edges`."""
        client = make_client("sns", self._region, attempts=BOTOCORE_ATTEMPTS, read_timeout=QUICK_SECONDS)
        return Topic(client, arn, self._clock.wait, may_refuse=True)

    def _delivering(self, service: Literal["events", "securityhub"]) -> Any:  # noqa: ANN401 - no stubs
        return make_client(service, self._region, attempts=BOTOCORE_ATTEMPTS, read_timeout=QUICK_SECONDS)

    def endpoint(self, title: str, secret: str, *, repeatable: bool) -> Webhook:
        """See `Edges`."""
        stored = StoredSecret(
            lambda: make_client(
                "secretsmanager", self._region, attempts=ATTEMPTS, read_timeout=QUICK_SECONDS
            ),
            secret,
        )
        return Webhook(title, stored, self._transport, self._clock, repeatable=repeatable)


def on_aws(setting: str, region: str, clock: Clock) -> MoreSinks:
    """The sinks that the setting `SINKS` switches on. Raises SettingsError."""
    return build(setting, AwsEdges(region, clock)) if setting else NONE


def build(setting: str, edges: Edges) -> MoreSinks:
    """The sinks that the setting switches on, on these edges. Raises SettingsError."""
    found = read(setting)
    sinks = {each.kind.name: each.kind.make(each.value, edges) for each in found}
    return MoreSinks(
        by_route={
            route: tuple(sinks[each.kind.name] for each in found if route in each.routes) for route in Route
        },
        by_name=sinks,
    )


def read(setting: str) -> tuple[Configured, ...]:
    """The sinks that the setting switches on. Raises SettingsError."""
    try:
        return configured(setting)
    except ValueError as error:
        raise SettingsError(f"SINKS={setting!r}: {error}") from error


def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authorities())
