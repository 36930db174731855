"""Excess failures: by how much the places that failed a host outnumber those that answered it. Pure.

A place is a server, a protocol and a port. Calculated from the sets of a window of `host_activity`: internal
and internet servers are counted separately, and a place that both failed and answered counts as answered.
"""

from __future__ import annotations

from typing import Final

from flowwarden.state.schema import CONTACTS_HOUR
from flowwarden.state.sets import DAY, HOUR, Sets, distinct

(
    FAILED, FAILED_USUAL, FAILED_NETWORKS, FAILED_OUTSIDE, ANSWERED, ANSWERED_BY, ANSWERED_OUTSIDE,
    ADMINISTERED, SESSIONS, DENIED,
) = CONTACTS_HOUR.sets  # fmt: skip
"""Sets of a window, in this order: failed internal places (server, protocol, port); internal servers that
failed at a service that the role usually contacts elsewhere, and their networks; failed internet places;
answered internal places; internal servers that answered; answered internet places; servers contacted for
remote administration, and sessions with them, see `administration` and `sessions`; services on the internet
that the host's own rules deny."""

USUAL_WEIGHTS: Final = {HOUR: 0.2, DAY: 0.1}
"""The weight of each further server that fails in a network. Bastions, deployment tools and cluster peers
keep contacting replaced hosts: a stale list contains dozens, and a day with many releases adds several. Such
hosts are in a few networks; a sweep for a service covers many."""

_NOTHING: Final[frozenset[int]] = frozenset()


def excess(sets: Sets, span: int) -> float:
    """The number of places by which failures exceed answers within a window of `span` seconds, 0 at least."""
    answered, outside = sets.get(ANSWERED, _NOTHING), sets.get(ANSWERED_OUTSIDE, _NOTHING)
    failed = distinct(sets.get(FAILED, _NOTHING) - answered) + _usual(sets, span)
    inside = failed - distinct(sets.get(ANSWERED_BY, _NOTHING))
    outside_excess = distinct(sets.get(FAILED_OUTSIDE, _NOTHING) - outside) - distinct(outside)
    failures = max(inside, 0) + max(outside_excess, 0)
    # Denials alone do not make a scanner: they count at most as much as other failures.
    return failures + min(distinct(sets.get(DENIED, _NOTHING)), failures)


def _usual(sets: Sets, span: int) -> float:
    """The weight of servers that failed at services which are usual elsewhere."""
    servers = distinct(sets.get(FAILED_USUAL, _NOTHING) - sets.get(ANSWERED_BY, _NOTHING))
    networks = min(distinct(sets.get(FAILED_NETWORKS, _NOTHING)), servers)
    return networks + USUAL_WEIGHTS[span] * (servers - networks)


def rank(span: int, window: tuple[Sets, int]) -> tuple[float, int]:
    """A sort key for windows, each with its begin: the most significant is the greatest."""
    sets, _ = window
    return excess(sets, span), sum(map(len, sets.values()))


def failures(sets: Sets) -> float:
    """The number of places that failed, whether or not they answered at other times."""
    return sum(distinct(sets.get(name, _NOTHING)) for name in (FAILED, FAILED_USUAL, FAILED_OUTSIDE))
