"""External dependencies of the dispatcher, as Protocols. `aws/` implements them; tests use fakes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from flowwarden.notify.claims import Claim, ClaimKey, Owner
from flowwarden.notify.evidence import Evidence
from flowwarden.notify.incident import Incident
from flowwarden.notify.pending import Pending


class Acknowledgment(Struct, frozen=True, kw_only=True):
    """An incident that is acknowledged is sent again only if it gets worse."""

    until: int
    """Unix seconds."""
    at: int | None = None
    """Unix seconds; None if it cannot be read."""
    by: str = ""
    """As given with the command."""


class OpenIncident(Struct, frozen=True, kw_only=True):
    """An incident that is open or about to be notified, as it is stored for one sink."""

    key: ClaimKey
    version: tuple[object, ...]
    """What must not have changed when it is written: opaque to everything but its store."""
    pending: Pending | None = None
    """A notification that an invocation claimed but has not marked as sent."""
    claim: Claim | None = None
    """What the claim of that invocation showed of earlier notifications."""
    batch: str = ""
    """The batch of that invocation."""
    is_leased: bool = False
    """Whether that invocation may still be sending, or too many attempts were not answered."""
    incident: Incident
    """The incident as it was last sent, or as it is about to be sent for the first time."""
    sent_at: int | None = None
    """Unix seconds of the last notification."""
    suppressed_batches: int = 0
    """Repeats that were suppressed since."""
    joined: tuple[str, ...] = ()
    """Members that joined since."""
    resolved_at: int | None = None
    """Unix seconds since when it is resolved, if the notification about that was not sent yet."""
    is_reported: bool = False
    """Whether a notification reported it as resolved, and none was sent since: it reopened silently."""
    no_data_since: int | None = None
    """Unix seconds of the last records of its log group, if none came later."""
    check_at: int = 0
    """When it is due (Unix seconds)."""
    resolved_by: str | None = None
    """If it was resolved by command: as given with the command."""
    acknowledged: Acknowledgment | None = None
    reported: Evidence | None = None
    """What its notifications reported."""


class OpenIncidents(Protocol):
    """The stored incidents that are open. All methods raise StateUnavailable."""

    def due(self, now: int, most: int) -> Sequence[OpenIncident]:
        """At most `most` incidents that are due at `now` (Unix seconds), those that wait longest first."""

    def take(self, incident: OpenIncident, owner: Owner, now: int) -> bool:
        """Take over a pending notification; False if another invocation did, or sent it."""

    def resolve(self, incident: OpenIncident, now: int) -> bool:
        """Mark an incident as resolved, still to be notified; False if it has changed since it was read."""

    def close(self, incident: OpenIncident) -> bool:
        """Remove an incident whose end was reported from those that are open; False if it was reopened.

        If a repeat reopened it in the meantime and nothing was sent since, notes that its end was reported.
        """

    def drop(self, incident: OpenIncident, owner: Owner) -> bool:
        """Remove a pending notification that `owner` took over, and that other sinks get."""

    def put_off(self, incident: OpenIncident, check_at: int, no_data_since: int | None, now: int) -> bool:
        """Set when the incident is due next; False if it has changed since it was read.

        `no_data_since` (Unix seconds) is stored, or removed if it is None. Its state does not change.
        """
