"""Claims in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from flowwarden.memory.claim_item import DAY, MemoryItem
from flowwarden.notify.claim_request import ClaimRequest
from flowwarden.notify.claims import (
    REDRIVE_SECONDS,
    UNANSWERED_SECONDS,
    Claim,
    ClaimKey,
    ClaimState,
    ClaimTerms,
    Owner,
)


@dataclass
class MemoryClaims:
    """Claims in a dictionary. They never expire."""

    terms: ClaimTerms
    items: dict[ClaimKey, MemoryItem] = field(default_factory=dict)

    def claim(self, request: ClaimRequest) -> Claim:
        """Implement the port."""
        key, owner, now = request.key, request.owner, request.now
        item = self.items.get(key)
        if item is None:
            self.items[key] = item = MemoryItem(owner, now + self.terms.lease)
            item.await_sending(request.pending)
            return Claim(state=ClaimState.CLAIMED)
        same_batch = item.owner.batch_id == owner.batch_id
        if item.pending:
            if item.owner == owner:
                return self.granted(item, now)
            wait = REDRIVE_SECONDS if same_batch else UNANSWERED_SECONDS
            if (held := item.held(now, wait)) is not None:
                return Claim(state=held, same_batch=same_batch)
        elif same_batch:
            return Claim(state=ClaimState.SUPPRESSED, same_batch=True)
        elif self._holds(item, request):
            before, known = len(item.suppressed_batches), item.incident
            window = request.quiet or self.terms.suppression
            writes, joins = item.repeat(owner.batch_id, request.evidence, now, window)
            item.see(request.incident, now, writes=writes)
            suppressed = ClaimState.SUPPRESSED
            return Claim(state=suppressed, joins=joins, suppressed_batches=before, earlier=known)
        claim = self.granted(item, now)
        item.owner, item.lease_until, item.pending = owner, now + self.terms.lease, True
        item.tries += 1
        item.await_sending(request.pending)
        return claim

    def _holds(self, item: MemoryItem, request: ClaimRequest) -> bool:
        window, now, evidence = request.quiet or self.terms.suppression, request.now, request.evidence
        if evidence is None:
            return item.suppresses(request.incident, now, window) or item.is_acknowledged(now)
        short = min(window, self.terms.suppression)
        silent = item.suppresses(request.incident, now, window + DAY) or item.is_acknowledged(now)
        return silent and item.has_reported(evidence, now, short)

    @staticmethod
    def granted(item: MemoryItem, now: int) -> Claim:
        """A claim that is granted at `now`, from the item before or after it."""
        within = item.suppressed_until is not None and now < item.suppressed_until
        goes_on = within or item.is_acknowledged(now)
        return Claim(
            state=ClaimState.CLAIMED,
            suppressed_batches=len(item.suppressed_batches),
            last_sent=item.sent_at,
            joined=tuple(sorted(item.joined)),
            reported=item.reported if goes_on else None,
            **item.history(now),
        )

    def confirm(self, request: ClaimRequest) -> None:
        """Implement the port."""
        item = self.items[request.key]
        if item.owner == request.owner:
            quiet = request.quiet or self.terms.suppression
            item.sent_at, item.suppressed_until = request.now, request.now + quiet
            item.suppressed_batches = set()
            item.tries, item.reported, item.joined, item.pending = 0, request.evidence, [], False
            item.open(request.incident, request.now)

    def release(self, key: ClaimKey, owner: Owner) -> None:
        """Implement the port."""
        item = self.items[key]
        if item.owner == owner:
            item.lease_until = 0
            item.tries -= 1
