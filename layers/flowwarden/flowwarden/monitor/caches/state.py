"""What invocations remember together: the state table's sets, and what this container knows of them already.

The table is written only where a batch adds something to what the container has seen. If it does not answer,
a batch is judged by what the container knows and the batch itself; nothing raises.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flowwarden.errors import StateUnavailable
from flowwarden.monitor.baseline.baseline import EDGES, Baseline, Edge, baseline, keys_before, learned
from flowwarden.records.columnar.tokenizer import Integers
from flowwarden.state.ports import EvidenceStore
from flowwarden.state.sets import DAY, Addition, Sets, adds_nothing, merged

REMEMBERED: Final = 8192
"""Items whose sets a container remembers; beyond, those go that came the longest ago, and are written
again."""
TAUGHT: Final = 128
"""Roles and days of which a container knows what it has written down."""
RECALLED: Final = 32
"""Answers of the table that a container keeps."""
MOST_EDGES: Final = 4000
"""Of a role and day, about; with what these are examples of as many again. An item of DynamoDB has at most
400 KB, and each write pays for all of it."""
BASELINE_SECONDS: Final = 6 * 3600
"""How long a role's baseline is used before it is read again. It holds days before the batch's; late batches
add little to these."""


class StateCache:
    """Adds evidence and recalls baselines. One for a container."""

    def __init__(self, store: EvidenceStore) -> None:
        self._store = store
        self._items: dict[str, Sets] = {}
        self._baselines: dict[tuple[str, int], tuple[int, Baseline]] = {}
        self.unavailable = 0
        """Calls that the table did not answer, ever."""
        self.is_away = False
        """Whether the table did not answer in this batch: what is not there may be there all the same."""
        self._taught: dict[tuple[str, int], frozenset[Edge]] = {}
        """By role and day the edges that this container has written down."""
        self._recalled: dict[tuple[str, ...], dict[str, Sets]] = {}

    def begin(self) -> None:
        """Begin with a batch: a table that does not answer is left alone until the next one.

        Each call that hangs takes seconds of those in which pages go out.
        """
        self.is_away = False

    def _away(self) -> None:
        self.unavailable += 1
        self.is_away = True

    def add(self, addition: Addition) -> Sets:
        """Add to an item, and say what is in it then."""
        known = self._items.get(addition.key, {})
        if adds_nothing(addition.sets, known):
            return known
        together = merged(known, addition.sets)
        if self.is_away:
            return together
        try:
            together = merged(together, self._store.add(addition))
        except StateUnavailable:
            # Not remembered: the next batch is to try again.
            self._away()
            return together
        self._remember(addition.key, together)
        return together

    def known(self, key: str) -> Sets:
        """What this container knows of an item, without asking anybody."""
        return self._items.get(key, {})

    def keep(self, addition: Addition) -> bool:
        """Add to an item, and say whether the table holds it now."""
        self.add(addition)
        return adds_nothing(addition.sets, self.known(addition.key))

    def recall(self, keys: Iterable[str]) -> dict[str, Sets]:
        """The items that there are; none if the table does not answer."""
        if self.is_away:
            return {}
        try:
            return dict(self._store.read([*keys]))
        except StateUnavailable:
            self._away()
            return {}

    def recall_once(self, keys: Iterable[str]) -> dict[str, Sets]:
        """The same, asked once by a container: for items of times that are over."""
        wanted = tuple(keys)
        if wanted not in self._recalled:
            items = self.recall(wanted)
            if self.is_away:
                return items
            self._recalled[wanted] = items
            if len(self._recalled) > RECALLED:
                del self._recalled[next(iter(self._recalled))]
        return self._recalled[wanted]

    def baseline(self, role: str, day: int, now: int) -> Baseline:
        """What is usual for a role on a day; nothing is if the table does not answer."""
        read_again, known = self._baselines.get((role, day), (0, None))
        if known is not None and now < read_again:
            return known
        keys = keys_before(role, day)
        fresh = baseline(day, keys, self.recall(keys))
        if self.is_away:
            return known or fresh
        self._baselines = {key: kept for key, kept in self._baselines.items() if kept[0] > now}
        self._baselines[role, day] = now + BASELINE_SECONDS, fresh
        return fresh

    def learn(self, role: str, day: int, edges: frozenset[Edge]) -> None:
        """Remember edges of a role; each is written once by a container and day, and at most so many."""
        taught = self._taught.get((role, day), frozenset())
        new = edges - taught
        if not new:
            return
        addition = learned(role, day, new if len(new) <= MOST_EDGES else _some(new))
        known = self._items.get(addition.key, {}).get(EDGES, frozenset())
        if len(known) < MOST_EDGES:
            self.add(addition)
        if self.is_away:
            return
        self._taught[role, day] = taught | new
        if len(self._taught) > TAUGHT:
            del self._taught[next(iter(self._taught))]

    def _remember(self, key: str, sets: Sets) -> None:
        self._items.pop(key, None)
        self._items[key] = sets
        if len(self._items) > REMEMBERED:
            del self._items[next(iter(self._items))]


def _some(edges: frozenset[Edge]) -> frozenset[Edge]:
    """As many as are kept, of those of a batch the same ones whatever order they come in."""
    return frozenset(sorted(edges, key=str)[:MOST_EDGES])


def day_of(seconds: int) -> int:
    """The day that a moment is in, counted since 1970."""
    return seconds // DAY


def moment_of(starts: Integers, now: int) -> int:
    """When a batch's traffic was, by the median: a single record with a wrong time decides nothing."""
    told = starts[starts >= 0]
    if not len(told):
        return now
    told.sort()
    lower, upper = told[(len(told) - 1) // 2], told[len(told) // 2]
    return min((int(lower) + int(upper)) // 2, now)
