"""The claim of a sink on an incident, as memory stores it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from flowwarden.notify.claims import MAX_UNANSWERED, ClaimState, Owner
from flowwarden.notify.evidence import (
    JOIN_SECONDS,
    MAX_SUPPRESSED,
    MOST_ASKS,
    MOST_MEMBERS,
    SPARED,
    Evidence,
)
from flowwarden.notify.incident import ACKNOWLEDGED_SECONDS, REOPEN_SECONDS, Event, Incident, due_at
from flowwarden.notify.pending import Pending

DAY = 86_400
RETRY_SECONDS = 10
"""After a lease, for how long a retry of the batch goes before the dispatcher."""


@dataclass
class MemoryItem:
    """The claim of one sink on one incident, and the life of that incident."""

    owner: Owner
    lease_until: int
    tries: int = 1
    sent_at: int | None = None
    suppressed_until: int | None = None
    suppressed_batches: set[str] = field(default_factory=set)
    reported: Evidence | None = None
    joined: list[str] = field(default_factory=list)

    pending: bool = True
    unsent: Pending | None = None
    incident: Incident | None = None
    resolved_at: int | None = None
    ended_at: int | None = None
    """When its traffic was last seen, at the time when it was resolved."""
    check_at: int | None = None
    """When the dispatcher looks at it; None if it is not open."""
    no_data_since: int | None = None
    reported_resolved: bool = False
    """Whether a notification reported it as resolved, and none was sent since."""
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

    def has_reported(self, given: Evidence, now: int, window: int) -> bool:
        """Whether a repeat shows nothing new; see `notify/evidence.py`."""
        reported, sent = self.reported, self.sent_at
        if (
            reported is None
            or sent is None
            or given.gravity > reported.gravity
            or given.amount >= reported.grows_at
        ):
            return False
        if not given.members:
            return True
        if len(self.joined) >= min(reported.crowd, MOST_MEMBERS + 1) or not reported.members:
            return False
        place = all(not set(group).isdisjoint(reported.places) for group in given.asks[:MOST_ASKS])
        knows = set(given.members) <= set(reported.members)
        joins = place and (now < sent + JOIN_SECONDS or len(reported.members) >= MOST_MEMBERS)
        joined = bool(self.joined) and set(given.members) <= {*reported.members, *self.joined}
        waits = joined and (now < sent + max(window, JOIN_SECONDS) or self.is_acknowledged(now))
        free = not given.strict or (len(reported.members) == 1 and not self.joined)
        return (knows and (place or free)) or joins or (place and waits)

    def await_sending(self, pending: Pending | None) -> None:
        """Note what the dispatcher sends if the invocation ends."""
        if pending is not None:
            self.unsent, self.check_at = pending, self.lease_until + RETRY_SECONDS

    def open(self, incident: Incident | None, now: int) -> None:
        """Store the incident after its notification."""
        self.unsent = self.resolved_at = self.no_data_since = self.acknowledged_until = None
        self.ended_at = None
        self.reported_resolved = False
        if incident is not None:
            self.incident = incident
            self.check_at = due_at(incident, now)

    def see(self, incident: Incident | None, now: int, *, writes: bool) -> None:
        """Note a suppressed repeat; it opens a resolved incident again.

        `writes` is whether the item changes in another way, too.
        """
        known = self.incident
        if known is None or incident is None:
            return
        seen = incident.last_seen
        reopens = self.resolved_at is not None and seen > known.last_seen
        if reopens:
            again = replace(known, reopened=known.reopened + self.reported_resolved, last_seen=now)
            self.resolved_at = self.acknowledged_until = None
            self.check_at = due_at(again, now)
        if reopens or writes or seen > known.last_seen + known.fresh_for:
            last = max(known.last_seen, seen)
            counts = reopens and self.reported_resolved
            self.incident = replace(known, last_seen=last, reopened=known.reopened + counts)

    def note_end(self, sent_at: int | None) -> None:
        """Note that its end was reported, if a repeat reopened it before that was stored."""
        silent = not self.pending and self.resolved_at is None and self.sent_at == sent_at
        if silent and not self.reported_resolved and self.incident is not None:
            self.reported_resolved = True
            self.incident = replace(self.incident, reopened=self.incident.reopened + 1)

    def suppresses(self, incident: Incident | None, now: int, window: int) -> bool:
        """Whether a repeat with nothing new is not sent; see `aws.dynamodb.lifecycle`."""
        goes_on = self.suppressed_until is not None and now < self.suppressed_until <= now + window
        if incident is None:
            return goes_on
        sent, seen = self.sent_at or 0, self.incident.last_seen if self.incident else 0
        recent = sent > now - incident.reopen_after
        counted = bool(incident.counted_over) and (self.ended_at or 0) >= now - incident.counted_over
        late = self.resolved_at is not None and seen >= min(incident.last_seen, now)
        return (goes_on and (not self.reported_resolved or recent or counted)) or late

    def history(self, now: int) -> dict[str, Any]:
        """The event and the earlier incident of a claim."""
        if self.incident is None:
            return {}
        if self.resolved_at is None:
            if not self.reported_resolved:
                return {"event": Event.UPDATED, "earlier": self.incident}
            before = max(0, self.incident.reopened - 1)
            return {"event": Event.REOPENED, "earlier": replace(self.incident, reopened=before)}
        if self.reported_resolved and now - self.resolved_at >= REOPEN_SECONDS:
            return {}
        return {"event": Event.REOPENED, "earlier": self.incident}

    def repeat(self, batch: str, given: Evidence | None, now: int, quiet: int) -> tuple[bool, bool]:
        """Count the repeat, and extend the suppression, or let members join.

        Returns whether the item changes, and whether any member joins.
        """
        counts = len(self.suppressed_batches) < MAX_SUPPRESSED
        if counts:
            self.suppressed_batches.add(batch)
        if given is None:
            return counts, False
        before = self.suppressed_until or 0
        joins, ends = self._after(given, now, quiet)
        writes = counts or joins or ends - before > quiet // SPARED
        if writes:
            self.suppressed_until = ends
        return writes, joins

    def _after(self, given: Evidence, now: int, quiet: int) -> tuple[bool, int]:
        known, until = self.reported or given, self.suppressed_until or 0
        others = [each for each in given.members if each not in known.members]
        if not others:
            furthest = (self.sent_at or 0) + max(quiet, known.remind)
            return False, max(until, min(now + quiet, furthest))
        self.joined += [each for each in others if each not in self.joined]
        del self.joined[MOST_MEMBERS:]
        return True, until
