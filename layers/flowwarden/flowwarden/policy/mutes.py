"""Mutes: findings that are counted and logged, but do not notify, until a date.

A mute names the detector, the subject, the other end, the service, the role or the VPC; all the members that
it has must match. It states when it ends and why it exists.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

from msgspec import Struct

NEVER: Final = "never"


class Mute(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One mute. At least one of the first six members must be given."""

    detector: str | None = None
    """Name of a detector."""
    subject: str | None = None
    """The subject of the finding as the page shows it, or a network that contains the subject's address."""
    peer: str | None = None
    """The other ends: an address or network that contains all of them, or their peer class."""
    service: str | None = None
    """The only service of the finding: `tcp/5432`, `icmp`."""
    role: str | None = None
    """The role of the subject."""
    vpc: str | None = None
    """The VPC of the subject."""
    until: str
    """When it ends: the last day in UTC, a time with its zone, or `never`."""
    reason: str
    """Why it exists, for those who review the policy."""

    @property
    def end(self) -> int | None:
        """Unix seconds from which it no longer applies; None if it never ends. Raises ValueError."""
        if self.until == NEVER:
            return None
        return int(moment_of(self.until).timestamp())

    def applies_at(self, now: int) -> bool:
        """Whether it has not ended at this time, in Unix seconds."""
        end = self.end
        return end is None or now < end


@lru_cache(maxsize=4096)  # each batch asks whether the mutes have ended
def moment_of(text: str) -> datetime:
    """The time at which a mute ends; a day ends with the day. Raises ValueError."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError("the time has no zone") from None
        return moment
    try:
        return datetime.combine(day + timedelta(days=1), time(), UTC)
    except OverflowError as error:
        raise ValueError("the day is out of range") from error
