"""Claims: which invocation may notify a sink of an incident (findings with the same key over time)."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Final

from msgspec import Struct

from flowwarden.notify.evidence import Evidence
from flowwarden.notify.incident import Event, Incident

MAX_UNANSWERED: Final = 2
"""Attempts to send whose outcome is unknown, because the service or the table did not answer or the function
ended: a notification is sent at most that often. After that it waits, see below."""
UNANSWERED_SECONDS: Final = 600
"""After that, another batch with the same incident may send it."""
REDRIVE_SECONDS: Final = 3600
"""After that, so may the same batch: Lambda retries for an hour at most, so it is run again by hand."""


class ClaimTerms(Struct, frozen=True, kw_only=True):
    """Durations of claims, in seconds."""

    suppression: int
    """Suppression window: how long repeats of an incident are suppressed after a notification, unless the
    alert has its own (`Alert.quiet`)."""
    lease: int
    """How long a claim is exclusive to its owner; after that, any invocation can take it over."""


class ClaimKey(Struct, frozen=True):
    """The subject of a claim: one sink and one incident."""

    sink: str
    """The sink's name."""
    incident: str
    """The alert's key."""


class Owner(Struct, frozen=True):
    """The owner of a claim: one attempt at a batch.

    CloudWatch Logs and Lambda deliver batches at least once, possibly at the same time. So every invocation
    is a separate owner (`attempt`): another one may be about to send.
    """

    batch_id: str
    attempt: str

    def __str__(self) -> str:
        """The stored form: `<batch>/<attempt>`."""
        return f"{self.batch_id}/{self.attempt}"

    def same_batch(self, stored: str) -> bool:
        """Whether a stored owner belongs to the same batch."""
        return stored.partition("/")[0] == self.batch_id


class ClaimState(StrEnum):
    """Outcome of a claim."""

    CLAIMED = "CLAIMED"
    """This invocation must notify."""
    SUPPRESSED = "SUPPRESSED"
    """A notification was sent within the suppression window, and the evidence has not grown since."""
    IN_PROGRESS = "IN_PROGRESS"
    """Another invocation holds an unexpired claim; that invocation or its retry notifies."""
    UNANSWERED = "UNANSWERED"
    """It may have been sent `MAX_UNANSWERED` times, and no attempt was answered."""


class Claim(Struct, frozen=True, kw_only=True):
    """The outcome of a claim, with the history of the incident.

    `suppressed_batches` is the number of batches with the same incident that were suppressed since the last
    notification, which was sent at `last_sent` (Unix seconds). Both are known only after a first one; of a
    suppressed claim, only the number of batches before this one.
    """

    state: ClaimState
    same_batch: bool = False
    """Whether another attempt at the same batch sent the notification, or is sending it."""
    suppressed_batches: int = 0
    last_sent: int | None = None
    joins: bool = False
    """Whether a member joined an incident that was sent for others."""
    joined: tuple[str, ...] = ()
    """Members that joined since the last notification."""
    reported: Evidence | None = None
    """What was reported of the incident, if it goes on."""
    event: Event = Event.OPENED
    """What the notification reports about the incident."""
    earlier: Incident | None = None
    """The incident as it is stored, if this notification updates or reopens it, or is suppressed."""


def digest(*parts: str) -> str:
    """A hash of these parts in this order, as 32 hexadecimal digits."""
    # Text from outside can contain lone surrogates, which UTF-8 does not allow.
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()[:32]
