"""Claims that a container remembers: a repeat whose claim would change nothing costs no call.

An incident may go on for weeks, such as a host that its own rules reject. After `MAX_SUPPRESSED` repeats, the
state table counts no further ones, and extends the suppression only by more than 1/`SPARED` of the window. So
for as long, a container that was told that the incident is suppressed does not claim it again, unless the
evidence has grown.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.notify.claims import Claim, ClaimKey, ClaimState, Owner
from flowwarden.notify.evidence import MAX_SUPPRESSED, SPARED, Evidence
from flowwarden.notify.ports import Claims

MOST_REMEMBERED: Final = 1000
"""Incidents, those of the latest claims: some hundred bytes each."""


class _Suppressed(Struct, frozen=True):
    """A repeat that was suppressed."""

    until: int
    """Unix seconds up to which no further one is claimed."""
    evidence: Evidence
    """Its evidence, with the highest gravity and amount of those before."""


class RememberedClaims:
    """The claims of a container."""

    def __init__(self, claims: Claims, suppression: int) -> None:
        """Remember these claims; `suppression` is the stack's suppression window in seconds."""
        self._claims = claims
        self._suppression = suppression
        self._memory: dict[ClaimKey, _Suppressed] = {}

    def claim(
        self,
        key: ClaimKey,
        owner: Owner,
        now: int,
        quiet: int | None = None,
        evidence: Evidence | None = None,
    ) -> Claim:
        """See the port."""
        before = self._memory.get(key)
        if before and evidence and now < before.until and before.evidence.covers(evidence):
            return Claim(state=ClaimState.SUPPRESSED, suppressed_batches=MAX_SUPPRESSED)
        self._memory.pop(key, None)
        claim = self._claims.claim(key, owner, now, quiet, evidence)
        if evidence is not None and _changes_nothing(claim):
            window = self._suppression if quiet is None else quiet
            self._remember(key, _Suppressed(now + window // SPARED, _highest(evidence, before)))
        return claim

    def confirm(
        self,
        key: ClaimKey,
        owner: Owner,
        now: int,
        quiet: int | None = None,
        evidence: Evidence | None = None,
    ) -> None:
        """See the port."""
        self._claims.confirm(key, owner, now, quiet, evidence)

    def release(self, key: ClaimKey, owner: Owner) -> None:
        """See the port."""
        self._claims.release(key, owner)

    def _remember(self, key: ClaimKey, suppressed: _Suppressed) -> None:
        self._memory[key] = suppressed
        if len(self._memory) > MOST_REMEMBERED:
            del self._memory[next(iter(self._memory))]


def _changes_nothing(claim: Claim) -> bool:
    """Whether another repeat with the same evidence would neither be sent nor counted."""
    is_suppressed = claim.state is ClaimState.SUPPRESSED and not claim.joins and not claim.same_batch
    return is_suppressed and claim.suppressed_batches >= MAX_SUPPRESSED


def _highest(evidence: Evidence, before: _Suppressed | None) -> Evidence:
    """The evidence, with the gravity and amount of earlier repeats that were suppressed as well."""
    if before is None or not replace(
        before.evidence, gravity=evidence.gravity, amount=evidence.amount
    ).covers(evidence):
        return evidence
    return replace(
        evidence,
        gravity=max(evidence.gravity, before.evidence.gravity),
        amount=max(evidence.amount, before.evidence.amount),
    )
