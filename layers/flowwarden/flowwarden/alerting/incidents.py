"""Incidents: findings with the same key over time, and who may notify about one."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class ClaimState(StrEnum):
    """Outcome of asking to notify about an incident."""

    CLAIMED = "CLAIMED"
    """This batch must notify."""
    SUPPRESSED = "SUPPRESSED"
    """A notification was sent within the suppression window."""
    IN_PROGRESS = "IN_PROGRESS"
    """Another batch holds an unexpired claim; it notifies, or its retry does."""


class Claim(Struct, frozen=True, kw_only=True):
    """The outcome of a claim, with what happened to the incident before.

    `held_back` is how many batches with the same incident were suppressed since the last notification,
    which was sent at `last_sent` (Unix seconds); both only known where there was one.
    """

    state: ClaimState
    held_back: int = 0
    last_sent: int | None = None
