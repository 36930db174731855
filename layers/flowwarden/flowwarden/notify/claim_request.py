"""What an invocation passes with a claim, and again when it confirms the claim. Pure."""

from __future__ import annotations

from msgspec import Struct

from flowwarden.notify.claims import ClaimKey, Owner
from flowwarden.notify.draft import Draft
from flowwarden.notify.evidence import Evidence
from flowwarden.notify.incident import Incident
from flowwarden.notify.pending import Pending, StoredNotification


class ClaimRequest(Struct, frozen=True):
    """A claim that is requested, or whose notification was sent."""

    key: ClaimKey
    """The sink and the incident."""
    owner: Owner
    """The caller."""
    now: int
    """Unix seconds."""
    quiet: int | None = None
    """Seconds for which repeats of the incident are suppressed; None for the stack's setting."""
    evidence: Evidence | None = None
    """What the alert rests on, see `Alert.evidence`; with a confirmation, all that was reported."""
    incident: Incident | None = None
    """The incident, if it has a life (`Alert.incident`)."""
    notification: StoredNotification | Draft | None = None
    """Stored with the claim, so that the dispatcher can send it. A confirmation does not need it."""

    @property
    def pending(self) -> Pending | None:
        """What the dispatcher needs to send it, if the invocation ends before; None if it has no life."""
        if self.incident is None or self.notification is None:
            return None
        return Pending(
            incident=self.incident,
            notification=self.notification,
            claimed_at=self.now,
            quiet=self.quiet,
            evidence=self.evidence,
        )
