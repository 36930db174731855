"""What notifying needs from outside, as Protocols. `aws/` implements them; tests use hand-written fakes."""

from __future__ import annotations

from typing import Protocol

from flowwarden.notify.claims import Claim, Owner
from flowwarden.notify.notification import Notification


class Sink(Protocol):
    """A place notifications go."""

    def send(self, notification: Notification) -> None:
        """Hand the notification over. Raises PublishFailed if the service did not take it."""


class Claims(Protocol):
    """Claim-once memory of incidents, shared by concurrent invocations."""

    def claim(self, key: str, owner: Owner, now: int) -> Claim:
        """Try to become the one who notifies about incident `key`; `now` is Unix seconds.

        Raises StateUnavailable if the table did not answer.
        """

    def confirm(self, key: str, owner: Owner, now: int) -> None:
        """Say that the notification claimed by `owner` was sent. Raises StateUnavailable."""

    def release(self, key: str, owner: Owner) -> None:
        """Give the claim back unsent, so that any invocation can take it at once. Raises StateUnavailable."""
