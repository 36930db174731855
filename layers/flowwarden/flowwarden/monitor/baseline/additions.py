"""Additions of a batch to the items of a role's baseline."""

from __future__ import annotations

from flowwarden.monitor.baseline.baseline import EDGES, REFUSED, SHOWN, Edge, kinds_of
from flowwarden.monitor.baseline.shown import number_of
from flowwarden.state.schema import BASELINES
from flowwarden.state.sets import DAY, Addition, fingerprint


def learned(role: str, day: int, edges: frozenset[Edge]) -> Addition:
    """The addition of these edges, and of the kinds that they belong to, to a role's item of a day."""
    rejected = {edge for edge in edges if edge.direction == "refused"}
    numbers = frozenset(fingerprint(*each) for edge in edges - rejected for each in (edge, *kinds_of(edge)))
    sets = {
        EDGES: numbers,
        REFUSED: frozenset(fingerprint(*edge) for edge in rejected),
        SHOWN: frozenset(number for edge in edges if (number := number_of(edge)) is not None),
    }
    added = {name: each for name, each in sets.items() if each}
    return Addition(BASELINES.key_of(role, day), added, BASELINES.kept_until(day * DAY))
