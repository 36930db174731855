"""What notifying needs from outside, as Protocols. `aws/` implements them; tests use hand-written fakes."""

from __future__ import annotations

from typing import Protocol

from flowwarden.notify.claims import Claim, ClaimKey, Owner
from flowwarden.notify.notification import Notification


class Sink(Protocol):
    """A receiver of notifications, which fits them to the limits of its service."""

    @property
    def name(self) -> str:
        """Such as `sns:flow-warden-pages`. Claims are stored under it, so no two sinks share one."""

    def send(self, notification: Notification) -> None:
        """Hand the notification over. Raises PublishFailed if the service did not take it."""


class Claims(Protocol):
    """Claim-once memory of incidents, by sink, shared by concurrent invocations."""

    def claim(self, key: ClaimKey, owner: Owner, now: int) -> Claim:
        """Try to become the one who notifies the sink of the incident; `now` is Unix seconds.

        Raises StateUnavailable if the table did not answer.
        """

    def confirm(self, key: ClaimKey, owner: Owner, now: int) -> None:
        """Say that the notification claimed by `owner` was sent. Raises StateUnavailable."""

    def release(self, key: ClaimKey, owner: Owner) -> None:
        """Give the claim back unsent, so that any invocation can take it at once. Raises StateUnavailable."""
