"""In-memory fakes of the notify ports."""

from __future__ import annotations

from dataclasses import dataclass, field

from flowwarden.errors import PublishFailed, PublishUnanswered, StateUnavailable
from flowwarden.notify.claims import (
    MAX_UNANSWERED,
    REDRIVE_SECONDS,
    UNANSWERED_SECONDS,
    Claim,
    ClaimKey,
    ClaimState,
    ClaimTerms,
    Owner,
)
from flowwarden.notify.notification import Notification


class CrashError(BaseException):
    """The function crashes: timeout, memory, or the machine. No error handler catches it."""


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
    """Whether all notifications are sent, and no answer arrives."""
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
class _Item:
    owner: Owner
    lease_until: int
    tries: int = 1
    sent_at: int | None = None
    suppressed_until: int | None = None
    suppressed_batches: set[str] = field(default_factory=set)


@dataclass
class MemoryClaims:
    """Claims in a dictionary."""

    terms: ClaimTerms
    items: dict[ClaimKey, _Item] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)
    """Operations that fail."""
    calls: int = 0

    def claim(self, key: ClaimKey, owner: Owner, now: int) -> Claim:
        """Implement the port."""
        self._answer("claim")
        item = self.items.get(key)
        if item is None:
            self.items[key] = _Item(owner, now + self.terms.lease)
            return Claim(state=ClaimState.CLAIMED)
        same_batch = item.owner.batch_id == owner.batch_id
        if item.suppressed_until is None:
            if item.owner == owner:
                return Claim(
                    state=ClaimState.CLAIMED,
                    suppressed_batches=len(item.suppressed_batches),
                    last_sent=item.sent_at,
                )
            if item.lease_until > now:
                return Claim(state=ClaimState.IN_PROGRESS, same_batch=same_batch)
            wait = REDRIVE_SECONDS if same_batch else UNANSWERED_SECONDS
            if item.tries >= MAX_UNANSWERED and item.lease_until > now - wait:
                return Claim(state=ClaimState.UNANSWERED, same_batch=same_batch)
        elif item.suppressed_until > now or same_batch:
            if not same_batch:
                item.suppressed_batches.add(owner.batch_id)
            return Claim(state=ClaimState.SUPPRESSED, same_batch=same_batch)
        item.owner, item.lease_until, item.suppressed_until = owner, now + self.terms.lease, None
        item.tries += 1
        return Claim(
            state=ClaimState.CLAIMED, suppressed_batches=len(item.suppressed_batches), last_sent=item.sent_at
        )

    def confirm(self, key: ClaimKey, owner: Owner, now: int) -> None:
        """Implement the port."""
        self._answer("confirm")
        item = self.items[key]
        if item.owner == owner:
            item.sent_at, item.suppressed_until, item.suppressed_batches = (
                now,
                now + self.terms.suppression,
                set(),
            )
            item.tries = 0

    def release(self, key: ClaimKey, owner: Owner) -> None:
        """Implement the port."""
        self._answer("release")
        item = self.items[key]
        if item.owner == owner:
            item.lease_until = 0
            item.tries -= 1

    def _answer(self, operation: str) -> None:
        self.calls += 1
        if operation in self.away:
            raise StateUnavailable("unavailable in the test")
