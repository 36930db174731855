"""In-memory fakes of the notify ports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

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
from flowwarden.notify.evidence import JOIN_SECONDS, MOST_ASKS, MOST_MEMBERS, Evidence
from flowwarden.notify.incident import ACKNOWLEDGED_SECONDS, REOPEN_SECONDS, Event, Incident, Pending
from flowwarden.notify.notification import Notification

DAY = 86_400
RETRY_SECONDS = 60
"""After a lease, for how long a retry of the batch goes before the dispatcher."""


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
class _Item:
    owner: Owner
    lease_until: int
    tries: int = 1
    sent_at: int | None = None
    suppressed_until: int | None = None
    suppressed_batches: set[str] = field(default_factory=set)
    told: Evidence | None = None
    joined: list[str] = field(default_factory=list)

    pending: bool = True
    unsent: Pending | None = None
    incident: Incident | None = None
    resolved_at: int | None = None
    check_at: int | None = None
    """When the dispatcher looks at it; None if it is not open."""
    no_data_since: int | None = None
    acknowledged_until: int | None = None

    def is_acknowledged(self, now: int) -> bool:
        """Whether it is sent again only if it gets worse."""
        until = self.acknowledged_until
        return until is not None and now < until <= now + ACKNOWLEDGED_SECONDS and self.resolved_at is None

    def held(self, now: int, wait: int) -> ClaimState | None:
        """The state of a claim by another owner while this one is pending; None if it may take over."""
        if self.lease_until > now:
            return ClaimState.IN_PROGRESS
        waits = self.tries >= MAX_UNANSWERED and self.lease_until > now - wait
        return ClaimState.UNANSWERED if waits else None

    def has_told(self, given: Evidence, now: int, window: int) -> bool:
        """Whether a repeat shows nothing new; see `notify/evidence.py`."""
        told, sent = self.told, self.sent_at
        if told is None or sent is None or given.gravity > told.gravity or given.amount >= told.grows_at:
            return False
        if not given.members:
            return True
        if len(self.joined) >= min(told.crowd, MOST_MEMBERS + 1) or not told.members:
            return False
        place = all(not set(group).isdisjoint(told.places) for group in given.asks[:MOST_ASKS])
        knows = set(given.members) <= set(told.members)
        joins = place and (now < sent + JOIN_SECONDS or len(told.members) >= MOST_MEMBERS)
        joined = bool(self.joined) and set(given.members) <= {*told.members, *self.joined}
        waits = joined and (now < sent + max(window, JOIN_SECONDS) or self.is_acknowledged(now))
        free = not given.strict or len(told.members) == 1
        return (knows and (place or free)) or joins or (place and waits)

    def await_sending(self, pending: Pending | None) -> None:
        """Note what the dispatcher sends if the invocation ends."""
        if pending is not None:
            self.unsent, self.check_at = pending, self.lease_until + RETRY_SECONDS

    def open(self, incident: Incident | None, now: int) -> None:
        """Store the incident after its notification."""
        self.unsent = self.resolved_at = self.no_data_since = self.acknowledged_until = None
        if incident is not None:
            self.incident = incident
            self.check_at = max(incident.last_seen + incident.wait, now)

    def see(self, pending: Pending | None, now: int) -> None:
        """Note a suppressed repeat; it opens a resolved incident again."""
        if self.incident is None or pending is None:
            return
        seen = max(self.incident.last_seen, pending.incident.last_seen)
        self.incident = replace(self.incident, last_seen=seen)
        if self.resolved_at is not None:
            self.incident = replace(self.incident, reopened=self.incident.reopened + 1)
            self.resolved_at = self.acknowledged_until = None
            self.check_at = now + self.incident.wait

    def history(self, now: int) -> dict[str, Any]:
        """The event and the earlier incident of a claim."""
        if self.incident is None:
            return {}
        if self.resolved_at is None:
            return {"event": Event.UPDATED, "earlier": self.incident}
        if now - self.resolved_at >= REOPEN_SECONDS:
            return {}
        return {"event": Event.REOPENED, "earlier": self.incident}

    def repeat(self, given: Evidence, now: int, quiet: int) -> bool:
        """Extend the suppression, or let members join; returns whether any joins."""
        assert self.told is not None
        assert self.sent_at is not None
        assert self.suppressed_until is not None
        others = [each for each in given.members if each not in self.told.members]
        if not others:
            furthest = self.sent_at + max(quiet, self.told.remind)
            self.suppressed_until = max(self.suppressed_until, min(now + quiet, furthest))
        self.joined += [each for each in others if each not in self.joined]
        del self.joined[MOST_MEMBERS:]
        return bool(others)


@dataclass
class MemoryClaims:
    """Claims in a dictionary."""

    terms: ClaimTerms
    items: dict[ClaimKey, _Item] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)
    """Operations that fail."""
    calls: int = 0

    def claim(
        self,
        key: ClaimKey,
        owner: Owner,
        now: int,
        quiet: int | None = None,
        evidence: Evidence | None = None,
        pending: Pending | None = None,
    ) -> Claim:
        """Implement the port."""
        self._answer("claim")
        window = quiet or self.terms.suppression
        item = self.items.get(key)
        if item is None:
            self.items[key] = item = _Item(owner, now + self.terms.lease)
            item.await_sending(pending)
            return Claim(state=ClaimState.CLAIMED)
        same_batch = item.owner.batch_id == owner.batch_id
        if item.pending:
            if item.owner == owner:
                return self._claimed(item, now)
            wait = REDRIVE_SECONDS if same_batch else UNANSWERED_SECONDS
            if (held := item.held(now, wait)) is not None:
                return Claim(state=held, same_batch=same_batch)
        elif same_batch:
            return Claim(state=ClaimState.SUPPRESSED, same_batch=True)
        elif self._holds(item, now, window, evidence):
            before = len(item.suppressed_batches)
            item.suppressed_batches.add(owner.batch_id)
            joins = evidence is not None and item.repeat(evidence, now, window)
            item.see(pending, now)
            return Claim(state=ClaimState.SUPPRESSED, joins=joins, suppressed_batches=before)
        claim = self._claimed(item, now)
        item.owner, item.lease_until, item.pending = owner, now + self.terms.lease, True
        item.tries += 1
        item.await_sending(pending)
        return claim

    def _holds(self, item: _Item, now: int, window: int, evidence: Evidence | None) -> bool:
        assert item.suppressed_until is not None
        if evidence is None:
            return now < item.suppressed_until <= now + window or item.is_acknowledged(now)
        short = min(window, self.terms.suppression)
        within = now < item.suppressed_until <= now + window + DAY
        return (within or item.is_acknowledged(now)) and item.has_told(evidence, now, short)

    def _claimed(self, item: _Item, now: int) -> Claim:
        within = item.suppressed_until is not None and now < item.suppressed_until
        goes_on = within or (not item.pending and item.is_acknowledged(now))
        return Claim(
            state=ClaimState.CLAIMED,
            suppressed_batches=len(item.suppressed_batches),
            last_sent=item.sent_at,
            joined=tuple(sorted(item.joined)),
            told=item.told if goes_on else None,
            **item.history(now),
        )

    def confirm(
        self,
        key: ClaimKey,
        owner: Owner,
        now: int,
        quiet: int | None = None,
        evidence: Evidence | None = None,
        incident: Incident | None = None,
    ) -> None:
        """Implement the port."""
        self._answer("confirm")
        item = self.items[key]
        if item.owner == owner:
            item.sent_at, item.suppressed_until, item.suppressed_batches = (
                now,
                now + (quiet or self.terms.suppression),
                set(),
            )
            item.tries, item.told, item.joined, item.pending = 0, evidence, [], False
            item.open(incident, now)

    def release(self, key: ClaimKey, owner: Owner) -> None:
        """Implement the port."""
        self._answer("release")
        item = self.items[key]
        if item.owner == owner:
            item.lease_until = 0
            item.tries -= 1

    def acknowledge(self, key: ClaimKey, now: int) -> None:
        """Acknowledge an incident, as the command does."""
        item = self.items[key]
        item.acknowledged_until = now + (DAY if item.told is None else ACKNOWLEDGED_SECONDS)

    def _answer(self, operation: str) -> None:
        self.calls += 1
        if operation in self.away:
            raise StateUnavailable("unavailable in the test")
