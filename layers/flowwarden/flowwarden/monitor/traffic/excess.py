"""Failures beyond answers: how many more places failed a host than answered it. Pure.

The arithmetic over the sets of a window of `host_activity`: servers inside and on the internet are counted
apart, and a place that did both answered.
"""

from __future__ import annotations

from typing import Final

from flowwarden.state.schema import CONTACTS_HOUR
from flowwarden.state.sets import DAY, HOUR, Sets, distinct

(
    FAILED, FAILED_USUAL, FAILED_NETWORKS, FAILED_OUTSIDE, ANSWERED, ANSWERED_BY, ANSWERED_OUTSIDE,
    ADMINISTERED, SESSIONS,
) = CONTACTS_HOUR.sets  # fmt: skip
"""Sets of a window: places (server, protocol, port) that failed the host and that answered it, inside and
outside; servers inside that failed it at a service that its role usually asks for elsewhere, and the networks
that these are in; servers inside that answered it; servers that it asked for remote administration; and the
connections that it had for that."""

USUAL_WEIGHTS: Final = {HOUR: 0.2, DAY: 0.1}
"""Bastions, deployment tools and peers of a cluster keep asking for hosts that were replaced: a stale list
has dozens, and a day of many releases brings several. They stand in the few networks that such hosts get
addresses of; a sweep for a service goes through many."""

_NOTHING: Final[frozenset[int]] = frozenset()


def excess(sets: Sets, span: int) -> float:
    """By how many places more failed than answered within a span (seconds)."""
    answered, outside = sets.get(ANSWERED, _NOTHING), sets.get(ANSWERED_OUTSIDE, _NOTHING)
    failed = distinct(sets.get(FAILED, _NOTHING) - answered) + _usual(sets, span)
    inside = failed - distinct(sets.get(ANSWERED_BY, _NOTHING))
    abroad = distinct(sets.get(FAILED_OUTSIDE, _NOTHING) - outside) - distinct(outside)
    return max(inside, 0) + max(abroad, 0)


def _usual(sets: Sets, span: int) -> float:
    """What the servers count that failed at services which are usual elsewhere."""
    servers = distinct(sets.get(FAILED_USUAL, _NOTHING) - sets.get(ANSWERED_BY, _NOTHING))
    networks = min(distinct(sets.get(FAILED_NETWORKS, _NOTHING)), servers)
    return networks + USUAL_WEIGHTS[span] * (servers - networks)


def failures(sets: Sets) -> float:
    """How many places failed, answered or not at other times."""
    return sum(distinct(sets.get(name, _NOTHING)) for name in (FAILED, FAILED_USUAL, FAILED_OUTSIDE))
