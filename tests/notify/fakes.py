"""Stand-ins for the monitor's ports, with their behaviour in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from flowwarden.errors import PublishFailed, StateUnavailable
from flowwarden.notify.claims import Claim, ClaimKey, ClaimState, ClaimTerms, Owner
from flowwarden.notify.notification import Notification


class CrashError(BaseException):
    """The function is gone: time-out, memory, or the machine. No handler of errors sees it."""


@dataclass
class MemorySink:
    """Keeps what it is sent; can refuse or crash."""

    sent: list[Notification] = field(default_factory=list)
    refuse: set[str] = field(default_factory=set)
    """Detectors whose notifications are not taken."""
    away: bool = False
    """Whether no notification is taken."""
    name: str = "memory:pages"
    crash_before: bool = False
    crash_after: bool = False

    def send(self, notification: Notification) -> None:
        """Take the notification, unless told otherwise."""
        if self.crash_before:
            raise CrashError
        if notification.attributes.get("detector") in self.refuse or self.away:
            raise PublishFailed("refused by the test")
        self.sent.append(notification)
        if self.crash_after:
            raise CrashError


@dataclass
class _Item:
    owner: Owner
    lease_until: int
    sent_at: int | None = None
    quiet_until: int | None = None
    held_back: set[str] = field(default_factory=set)


@dataclass
class MemoryClaims:
    """Claims in a dictionary."""

    terms: ClaimTerms
    items: dict[ClaimKey, _Item] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)
    """Operations that the table does not answer."""
    calls: int = 0

    def claim(self, key: ClaimKey, owner: Owner, now: int) -> Claim:
        """As the port says."""
        self._answer("claim")
        item = self.items.get(key)
        if item is None:
            self.items[key] = _Item(owner, now + self.terms.lease)
            return Claim(state=ClaimState.CLAIMED)
        same_batch = item.owner.batch_id == owner.batch_id
        if item.quiet_until is None:
            if item.owner == owner:
                return Claim(state=ClaimState.CLAIMED, held_back=len(item.held_back), last_sent=item.sent_at)
            if item.lease_until > now:
                return Claim(state=ClaimState.IN_PROGRESS, same_batch=same_batch)
        elif item.quiet_until > now or same_batch:
            if not same_batch:
                item.held_back.add(owner.batch_id)
            return Claim(state=ClaimState.SUPPRESSED, same_batch=same_batch)
        item.owner, item.lease_until, item.quiet_until = owner, now + self.terms.lease, None
        return Claim(state=ClaimState.CLAIMED, held_back=len(item.held_back), last_sent=item.sent_at)

    def confirm(self, key: ClaimKey, owner: Owner, now: int) -> None:
        """As the port says."""
        self._answer("confirm")
        item = self.items[key]
        if item.owner == owner:
            item.sent_at, item.quiet_until, item.held_back = now, now + self.terms.quiet, set()

    def release(self, key: ClaimKey, owner: Owner) -> None:
        """As the port says."""
        self._answer("release")
        item = self.items[key]
        if item.owner == owner:
            item.lease_until = 0

    def _answer(self, operation: str) -> None:
        self.calls += 1
        if operation in self.away:
            raise StateUnavailable("away by the test")
