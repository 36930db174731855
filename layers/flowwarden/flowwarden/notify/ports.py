"""External dependencies of notify, as Protocols. `aws/` implements them; tests use hand-written fakes."""

from __future__ import annotations

from typing import Protocol

from flowwarden.notify.claim_request import ClaimRequest
from flowwarden.notify.claims import Claim, ClaimKey, Owner
from flowwarden.notify.notification import Notification
from flowwarden.notify.page_budget import Limit, Page


class Sink(Protocol):
    """A receiver of notifications, which fits them to the limits of its service."""

    @property
    def name(self) -> str:
        """A unique name, such as `sns:flow-warden-pages`. Claims are stored under it."""

    def send(self, notification: Notification) -> None:
        """Send the notification. Raises PublishFailed if the service did not accept it."""


def tracks_incidents(sink: Sink) -> bool:
    """Whether the service of a sink tracks incidents, so that each resolved one is sent by itself."""
    return bool(getattr(sink, "tracks_incidents", False))


class Claims(Protocol):
    """Claims on incidents by sink, shared by concurrent invocations."""

    def claim(self, request: ClaimRequest) -> Claim:
        """Try to claim the notification of a sink about an incident. Raises StateUnavailable."""

    def confirm(self, request: ClaimRequest) -> None:
        """Mark the claimed notification as sent, with what it reported.

        With an incident, that is open from now on. Does nothing if another invocation has taken over the
        claim. Raises StateUnavailable.
        """

    def release(self, key: ClaimKey, owner: Owner) -> None:
        """Release an unsent claim, so that any invocation can take it at once. Raises StateUnavailable."""


class PageBudget(Protocol):
    """How many pages each sink still gets singly, shared by concurrent invocations."""

    def take(self, page: Page, now: int) -> Limit | None:
        """Count a page that is about to be sent at `now` (Unix seconds).

        Returns None if it may be sent, again for one that was counted before; else the limit that is reached.
        Then the page is not counted. Raises StateUnavailable.
        """
