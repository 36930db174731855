"""The open incidents of the claims in memory, for the dispatcher."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from flowwarden.dispatcher.ports import OpenIncident
from flowwarden.memory.claim_item import DAY, MemoryItem
from flowwarden.memory.claims import MemoryClaims
from flowwarden.notify.claims import MAX_UNANSWERED, UNANSWERED_SECONDS, ClaimKey, Owner

_NEVER: Final = 2**62


class MemoryIncidents:
    """Implements `dispatcher.ports.OpenIncidents` on the same items as the claims."""

    def __init__(self, claims: MemoryClaims) -> None:
        self._claims = claims

    @property
    def next_check(self) -> int:
        """When the first incident is due (Unix seconds); far in the future if none is open."""
        times = [each.check_at for each in self._claims.items.values() if each.check_at is not None]
        return min(times, default=_NEVER)

    def due(self, now: int, most: int) -> Sequence[OpenIncident]:
        """See the port."""
        due = [
            (item.check_at, key.sink, key.incident, item)
            for key, item in self._claims.items.items()
            if item.check_at is not None and item.check_at <= now
        ]
        found = sorted(due, key=lambda each: each[:3])[:most]
        return [_read(ClaimKey(sink, incident), item, now) for _, sink, incident, item in found]

    def take(self, incident: OpenIncident, owner: Owner, now: int) -> bool:
        """See the port."""
        item = self._unchanged(incident)
        if item is None or not item.pending:
            return False
        lease = self._claims.terms.lease
        item.owner, item.lease_until, item.check_at = owner, now + lease, now + 2 * lease
        item.tries += 1
        return True

    def resolve(self, incident: OpenIncident, now: int) -> bool:
        """See the port."""
        item = self._unchanged(incident)
        if item is None or item.pending or item.resolved_at is not None:
            return False
        item.resolved_at, item.no_data_since = now, None
        item.ended_at = item.incident.last_seen if item.incident else now
        return True

    def close(self, incident: OpenIncident) -> bool:
        """See the port."""
        item = self._claims.items[incident.key]
        if item.pending or item.resolved_at is None or item.resolved_at != incident.resolved_at:
            item.note_end(incident.sent_at)
            return False
        item.reported_resolved, item.check_at = True, None
        return True

    def drop(self, incident: OpenIncident, owner: Owner) -> bool:
        """See the port."""
        item = self._claims.items[incident.key]
        if not item.pending or item.owner != owner:
            return False
        item.unsent = item.check_at = None
        return True

    def put_off(self, incident: OpenIncident, check_at: int, no_data_since: int | None, now: int) -> bool:
        """See the port. Nothing expires in memory, so `now` is not needed."""
        del now
        item = self._unchanged(incident)
        if item is None or item.pending != bool(incident.pending) or item.resolved_at != incident.resolved_at:
            return False
        item.check_at, item.no_data_since = check_at, no_data_since
        return True

    def _unchanged(self, incident: OpenIncident) -> MemoryItem | None:
        item = self._claims.items[incident.key]
        return item if _version(item) == incident.version else None


def _version(item: MemoryItem) -> tuple[str, ...]:
    seen = "" if item.incident is None else str(item.incident.last_seen)
    return str(item.owner), seen, str(item.lease_until) if item.pending else ""


def _read(key: ClaimKey, item: MemoryItem, now: int) -> OpenIncident:
    incident = item.incident or (item.unsent.incident if item.unsent else None)
    if incident is None:
        raise AssertionError(f"{key} is due, but neither sent nor pending")
    waits = item.tries >= MAX_UNANSWERED and item.lease_until > now - UNANSWERED_SECONDS
    return OpenIncident(
        key=key,
        version=_version(item),
        pending=item.unsent if item.pending else None,
        claim=MemoryClaims.granted(item, item.unsent.claimed_at or now) if item.unsent else None,
        batch=item.owner.batch_id,
        is_leased=item.pending and item.lease_until <= now + DAY and (item.lease_until > now or waits),
        incident=replace(incident),
        sent_at=item.sent_at,
        suppressed_batches=len(item.suppressed_batches),
        joined=tuple(sorted(item.joined)),
        resolved_at=None if item.pending else item.resolved_at,
        is_reported=item.reported_resolved,
        no_data_since=item.no_data_since,
        check_at=item.check_at or 0,
    )
