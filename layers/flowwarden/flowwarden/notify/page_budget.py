"""The budget for pages: how many a sink gets singly per hour and per day (UTC). Pure.

A page is counted by its token, in a set: so a retry, another batch or the dispatcher that sends the same
notification again counts it once. A set of tokens never has more members than its limit.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from flowwarden.notify.claims import ClaimKey, digest
from flowwarden.state.sets import DAY, HOUR

CRITICAL: Final = "critical"
"""The severity with limits of its own."""
TOKEN_DIGITS: Final = 12
"""Hexadecimal digits of a token: each write is billed by the size of the item."""


class Limit(Struct, frozen=True, kw_only=True):
    """One limit, at some time."""

    name: str
    """The set of the pages that it counts."""
    most: int
    """Pages."""
    span: int
    """The seconds in which it allows them: an hour or a day."""
    until: int
    """Unix seconds at which they end."""
    critical: bool
    """Whether it is for critical incidents. Each other limit is for all others."""


class PageLimits(Struct, frozen=True, kw_only=True):
    """The limits of each sink; 0 for no limit."""

    hour: int = 0
    """Pages an hour that are not critical."""
    day: int = 0
    """The same a day."""
    critical_hour: int = 0
    """Critical pages an hour."""

    def at(self, now: int, *, critical: bool) -> tuple[Limit, ...]:
        """The limits for a page that is sent at `now` (Unix seconds); none if there are none."""
        hour = f"{now % DAY // HOUR:02}"
        limits = (
            _limit(f"critical_{hour}", self.critical_hour, HOUR, now, critical=True),
            _limit("of_day", self.day, DAY, now, critical=False),
            _limit(f"hour_{hour}", self.hour, HOUR, now, critical=False),
        )
        return tuple(each for each in limits if each.most and each.critical is critical)


def _limit(name: str, most: int, span: int, now: int, *, critical: bool) -> Limit:
    return Limit(name=name, most=most, span=span, until=(now // span + 1) * span, critical=critical)


class Page(Struct, frozen=True, kw_only=True):
    """A notification that is about to be sent singly to a sink."""

    key: ClaimKey
    last_sent: int | None
    """When the notification of the incident before it was sent (Unix seconds); None if it is the first."""
    critical: bool = False

    @property
    def token(self) -> str:
        """Identifies the notification: the same in each attempt to send it, and another one in the next."""
        return digest(self.key.incident, str(self.last_sent))[:TOKEN_DIGITS]
