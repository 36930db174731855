"""Incidents: findings with the same key over time, and who may notify about one."""

from __future__ import annotations

import hashlib
from enum import StrEnum

from msgspec import Struct


class ClaimTerms(Struct, frozen=True, kw_only=True):
    """How long claims hold, in seconds."""

    quiet: int
    """After a notification was sent, repeats of the incident are suppressed for this long."""
    lease: int
    """A claim is its owner's alone for this long; then anybody may take it over."""


class ClaimKey(Struct, frozen=True):
    """What is claimed: to notify one sink of one incident."""

    sink: str
    """The sink's name."""
    incident: str
    """The alert's key."""


class Owner(Struct, frozen=True):
    """Who claims: one attempt at a batch.

    Batches are delivered at least once, by CloudWatch Logs and by Lambda, and at the same time if it comes to
    that, so every invocation is an owner of its own (`attempt`): the other one may be about to send.
    """

    batch_id: str
    attempt: str

    def __str__(self) -> str:
        """As it is stored: `<batch>/<attempt>`."""
        return f"{self.batch_id}/{self.attempt}"

    def same_batch(self, stored: str) -> bool:
        """Whether a stored owner worked on the same batch."""
        return stored.partition("/")[0] == self.batch_id


class ClaimState(StrEnum):
    """Outcome of asking to notify about an incident."""

    CLAIMED = "CLAIMED"
    """This batch must notify."""
    SUPPRESSED = "SUPPRESSED"
    """A notification was sent within the suppression window."""
    IN_PROGRESS = "IN_PROGRESS"
    """Another invocation holds an unexpired claim; it notifies, or its retry does."""


class Claim(Struct, frozen=True, kw_only=True):
    """The outcome of a claim, with what happened to the incident before.

    `held_back` is how many batches with the same incident were suppressed since the last notification,
    which was sent at `last_sent` (Unix seconds); both only known where there was one.
    """

    state: ClaimState
    same_batch: bool = False
    """Whether what was sent, or is being sent, is by another attempt at this very batch."""
    held_back: int = 0
    last_sent: int | None = None


def digest(*parts: str) -> str:
    """32 hexadecimal digits that only these parts in this order have."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
