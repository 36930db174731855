"""Lasting incidents: a container remembers which repeats need no claim.

An incident can go on for weeks, such as that of a role whose own rules reject it. After `MAX_SUPPRESSED`
repeats, the state table counts no further ones, and extends the suppression only by more than 1/`SPARED` of
the window, and notes that the incident goes on only from time to time (`Incident.fresh_for`). For so long, a
claim of the same evidence would change nothing.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.notify.alert import Alert
from flowwarden.notify.claims import Claim, ClaimKey, ClaimState
from flowwarden.notify.evidence import MAX_SUPPRESSED, SPARED, Evidence

MOST_REMEMBERED: Final = 1000
"""Maximum incidents; the first one is forgotten when another is added."""


class _Suppressed(Struct, frozen=True):
    """What the repeats of an incident showed that were suppressed."""

    until: int
    """Unix seconds up to which it is remembered."""
    evidence: Evidence


class LastingIncidents:
    """The incidents whose repeats this container need not claim."""

    def __init__(self, suppression: int) -> None:
        """Take the stack's suppression window in seconds."""
        self._suppression = suppression
        self._memory: dict[ClaimKey, _Suppressed] = {}

    def suppress(self, key: ClaimKey, evidence: Evidence | None, now: int) -> bool:
        """Whether a repeat with this evidence is suppressed without a claim; `now` is Unix seconds."""
        known = self._memory.get(key)
        if known is None or evidence is None:
            return False
        if now >= known.until:
            del self._memory[key]
            return False
        return known.evidence.covers(evidence)

    def note(self, key: ClaimKey, alert: Alert, claim: Claim, now: int) -> None:
        """Remember the outcome of a claim, if another one would be neither sent, nor counted, nor join."""
        known = self._memory.pop(key, None)
        is_repeat = claim.state is ClaimState.SUPPRESSED and not claim.same_batch and not claim.joins
        if alert.evidence is None or not is_repeat or claim.suppressed_batches < MAX_SUPPRESSED:
            return
        window = self._suppression if alert.quiet is None else alert.quiet
        if known is None or not known.evidence.is_like(alert.evidence):
            # When it was last seen must also be stored from time to time, or it looks as if it were over.
            spared = window // SPARED
            spared = spared if claim.earlier is None else min(spared, claim.earlier.fresh_for)
            known = _Suppressed(now + spared, alert.evidence)
        self._memory[key] = replace(known, evidence=known.evidence.together(alert.evidence))
        if len(self._memory) > MOST_REMEMBERED:
            del self._memory[next(iter(self._memory))]
