"""Spikes of what the internet is refused: each slot held against the day before it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flowwarden.detection import reject_spike
from flowwarden.detection.evidence import distinct
from flowwarden.detection.findings import Finding
from flowwarden.detection.reject_spike import TRIED, Place
from flowwarden.network.direction import Directions
from flowwarden.records.tokens import Integers
from flowwarden.services.evidence import EvidenceBook

MOST_SLOTS: Final = 12
"""Hosts and slots that a batch remembers, those with most attempts first, at a write each."""


def inspect(
    evidence: EvidenceBook, directions: Directions, noise: Integers, rejects: Iterable[Finding], now: int
) -> list[Finding]:
    """A finding for each slot in which a host refuses what it never did.

    The day before is read only where so many attempts could be one, and once by a container and slot.

    Args:
        evidence: what is remembered.
        directions: of the batch.
        noise: the rows of what internet hosts were refused.
        rejects: what `internet_rejects` finds about these.
        now: Unix seconds.
    """
    found = reject_spike.attempts(directions, noise, now)
    about = {each.subject: each for each in rejects}
    most = sorted(found.items(), key=lambda each: (-len(each[1]), each[0]))[:MOST_SLOTS]
    counts = ((place, _count(evidence, place, slot, directions, rows)) for (place, slot), rows in most)
    return [reject_spike.report(about[host], count) for (_, host), count in counts if count is not None]


def _count(
    evidence: EvidenceBook, place: Place, slot: int, directions: Directions, rows: Integers
) -> float | None:
    """How many attempts a host has refused in a slot, if that is a spike."""
    count = distinct(evidence.add(reject_spike.addition(place, slot, directions, rows))[TRIED])
    if not reject_spike.may_be_one(count):
        return None
    wanted = reject_spike.keys(place, slot)
    before = {wanted[key]: distinct(sets[TRIED]) for key, sets in evidence.recall_once(wanted).items()}
    return count if reject_spike.is_spike(slot, count, before) else None
