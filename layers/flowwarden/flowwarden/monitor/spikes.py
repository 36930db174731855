"""Spikes of what the internet is refused: each slot held against the day before it."""

from __future__ import annotations

from collections.abc import Sequence

from flowwarden.monitor.caches.state import StateCache
from flowwarden.monitor.detectors import internet_rejects, reject_spike
from flowwarden.monitor.detectors.reject_spike import TRIED, Place
from flowwarden.monitor.findings import Finding
from flowwarden.network.direction import Directions
from flowwarden.records.columnar.tokenizer import Integers
from flowwarden.state.schema import ATTEMPTS
from flowwarden.state.sets import distinct


def inspect(
    evidence: StateCache,
    directions: Directions,
    noise: Integers,
    counted: Sequence[Finding],
    *,
    times: int,
    now: int,
) -> list[Finding]:
    """A finding for each slot in which a host refuses what it never did.

    The day before is read only where so many attempts could be one, and once by a container and slot.

    Args:
        evidence: what is remembered.
        directions: of the batch.
        noise: the rows of what internet hosts were refused.
        counted: what `internet_rejects` finds in these; it tells all of a host already.
        times: by how many times more than usual it has to be; the user's.
        now: Unix seconds.
    """
    found = reject_spike.attempts(directions, noise, now)
    most = sorted(found.items(), key=lambda each: (-len(each[1]), each[0]))[: ATTEMPTS.per_batch]
    told = {finding.subject: finding for finding in counted}
    findings = []
    for (place, slot), rows in most:
        count = distinct(evidence.add(reject_spike.addition(place, slot, directions, rows))[TRIED])
        if reject_spike.may_be_one(count, times) and _is_news(evidence, place, slot, count, times):
            server = int(directions.server[rows[0]])
            about = told.get(place[1]) or internet_rejects.about(directions, server, noise)
            findings.append(reject_spike.report(about, count, times))
    return findings


def _is_news(evidence: StateCache, place: Place, slot: int, count: float, times: int) -> bool:
    """Whether so many attempts are a spike, by what is remembered of the day before."""
    wanted = reject_spike.keys(place, slot)
    before = {wanted[key]: distinct(sets[TRIED]) for key, sets in evidence.recall_once(wanted).items()}
    return reject_spike.is_spike(slot, count, before, times)
