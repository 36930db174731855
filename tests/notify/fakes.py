"""In-memory fakes of the notify ports, which can fail."""

from __future__ import annotations

from dataclasses import dataclass, field

from flowwarden.errors import PublishFailed, PublishUnanswered, StateUnavailable
from flowwarden.memory import claims
from flowwarden.memory.claim_item import DAY
from flowwarden.notify.claim_request import ClaimRequest
from flowwarden.notify.claims import Claim, ClaimKey, Owner
from flowwarden.notify.incident import ACKNOWLEDGED_SECONDS
from flowwarden.notify.notification import Notification


class CrashError(BaseException):
    """The function ends: a timeout, out of memory, or a failed machine. No error handler catches it."""


@dataclass
class MemorySink:
    """Stores notifications; can refuse them or crash."""

    sent: list[Notification] = field(default_factory=list)
    refuse: set[str] = field(default_factory=set)
    """Detectors whose notifications are refused."""
    away: bool = False
    """Whether all notifications are refused."""
    name: str = "memory:pages"
    unanswered: bool = False
    """Whether all notifications are sent, but no answer arrives."""
    crash_before: bool = False
    crash_after: bool = False

    def send(self, notification: Notification) -> None:
        """Store the notification, unless configured to refuse it or to crash."""
        if self.crash_before:
            raise CrashError
        if notification.attributes.get("detector") in self.refuse or self.away:
            raise PublishFailed("refused by the test")
        self.sent.append(notification)
        if self.crash_after:
            raise CrashError
        if self.unanswered:
            raise PublishUnanswered("read timeout, by the test")


@dataclass
class MemoryClaims(claims.MemoryClaims):
    """Claims in a dictionary; can be unavailable."""

    away: set[str] = field(default_factory=set)
    """Operations that fail."""
    calls: int = 0

    def claim(self, request: ClaimRequest) -> Claim:
        """Implement the port."""
        self._answer("claim")
        return super().claim(request)

    def confirm(self, request: ClaimRequest) -> None:
        """Implement the port."""
        self._answer("confirm")
        super().confirm(request)

    def release(self, key: ClaimKey, owner: Owner) -> None:
        """Implement the port."""
        self._answer("release")
        super().release(key, owner)

    def acknowledge(self, key: ClaimKey, now: int) -> None:
        """Acknowledge an incident, as the command does."""
        item = self.items[key]
        item.acknowledged_until = now + (DAY if item.reported is None else ACKNOWLEDGED_SECONDS)

    def _answer(self, operation: str) -> None:
        self.calls += 1
        if operation in self.away:
            raise StateUnavailable("unavailable in the test")
