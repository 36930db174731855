"""A notification that is about to be sent, as the state table stores it with its claim. Pure."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from flowwarden.notify.claims import Claim, ClaimState
from flowwarden.notify.draft import Draft
from flowwarden.notify.evidence import Evidence
from flowwarden.notify.incident import Incident
from flowwarden.notify.notification import Composed, Notification


class StoredNotification(Struct, frozen=True, kw_only=True, tag="whole", tag_field="stored"):
    """A notification without a history. `Notification` would fold texts of several lines."""

    subject: str
    text: str
    document: dict[str, Any]
    attributes: dict[str, str]

    @classmethod
    def of(cls, notification: Notification) -> StoredNotification:
        """The same notification."""
        return cls(
            subject=notification.subject,
            text=notification.text,
            document=notification.document,
            attributes=notification.attributes,
        )

    def restored(self) -> Notification:
        """The notification, with everything escaped again: the stored text may come from elsewhere."""
        lines = {
            name: Composed.of(each.split("\n"), end="")
            for name, each in self.document.items()
            if isinstance(each, str) and "\n" in each
        }
        return Notification(
            subject=self.subject,
            text=self.text,
            document=self.document | lines,
            attributes=self.attributes,
        )


class Pending(Struct, frozen=True, kw_only=True):
    """A notification that is about to be sent. If its invocation ends first, the dispatcher sends it."""

    incident: Incident
    notification: StoredNotification | Draft
    claimed_at: int | None = None
    """Unix seconds."""
    quiet: int | None = None
    """See `Alert.quiet`."""
    evidence: Evidence | None = None
    """See `Alert.evidence`."""

    @property
    def rendered(self) -> Notification | Draft:
        """The notification as the invocation rendered it, see `Alert.render`."""
        stored = self.notification
        return stored if isinstance(stored, Draft) else stored.restored()

    @property
    def subject(self) -> str:
        """The subject of the notification, without its history."""
        stored = self.rendered
        blank = Claim(state=ClaimState.CLAIMED)
        return stored.completed(blank, self.evidence).subject if isinstance(stored, Draft) else stored.subject
