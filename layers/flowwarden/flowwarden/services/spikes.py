"""Spikes of what the internet is refused: each slot held against the day before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flowwarden.detection import reject_spike
from flowwarden.detection.evidence import distinct
from flowwarden.detection.findings import Finding
from flowwarden.detection.reject_spike import TRIED, Place
from flowwarden.network.direction import DirectedFlow
from flowwarden.services.evidence import EvidenceBook

MOST_SLOTS: Final = 12
"""Hosts and slots that a batch remembers, those with most attempts first, at a write each."""


def inspect(evidence: EvidenceBook, flows: Sequence[DirectedFlow], now: int) -> list[Finding]:
    """A finding for each slot in which a host refuses what it never did; `now` is Unix seconds.

    The day before is read only where so many attempts could be one, which is seldom.
    """
    found = reject_spike.attempts(flows, now)
    most = sorted(found.items(), key=lambda each: (-len(each[1]), each[0]))[:MOST_SLOTS]
    findings = (_judge(evidence, place, slot, group) for (place, slot), group in most)
    return [finding for finding in findings if finding is not None]


def _judge(evidence: EvidenceBook, place: Place, slot: int, group: Sequence[DirectedFlow]) -> Finding | None:
    count = distinct(evidence.add(reject_spike.addition(place, slot, group))[TRIED])
    if not reject_spike.may_be_one(count):
        return None
    wanted = reject_spike.keys(place, slot)
    before = {wanted[key]: distinct(sets[TRIED]) for key, sets in evidence.recall(wanted).items()}
    return reject_spike.report(group, count) if reject_spike.is_spike(slot, count, before) else None
