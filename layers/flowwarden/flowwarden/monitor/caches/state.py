"""What a container remembers of the state table's sets, and one batch's look at them.

The table is written only where a batch adds something to what the container has seen. If it does not answer,
a batch is judged by what the container knows and the batch itself; nothing raises.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flowwarden.errors import StateUnavailable
from flowwarden.monitor.baseline.baseline import EDGES, Baseline, Edge, baseline, keys_before, learned
from flowwarden.monitor.caches.heartbeats import HeartbeatCache
from flowwarden.state.ports import EvidenceStore
from flowwarden.state.sets import Addition, Sets, adds_nothing, merged

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
    """What a container remembers between batches. `for_batch` gives what a batch works with."""

    def __init__(self, store: EvidenceStore) -> None:
        self.store = store
        self.heartbeats = HeartbeatCache()
        self.items: dict[str, Sets] = {}
        self.baselines: dict[tuple[str, int], tuple[int, Baseline]] = {}
        """By role and day: when (Unix seconds) to read it again, and what was read."""
        self.taught: dict[tuple[str, int], set[Edge]] = {}
        """By role and day the edges that this container has written down."""
        self.recalled: dict[tuple[str, ...], dict[str, Sets]] = {}

    def for_batch(self) -> StateView:
        """The state as one batch sees it."""
        return StateView(self)

    def remember(self, key: str, sets: Sets) -> None:
        """Keep what an item holds."""
        self.items.pop(key, None)
        self.items[key] = sets
        _bound(self.items, REMEMBERED)


class StateView:
    """The state as one batch sees it.

    A table that does not answer is not asked again in the same batch: each call that hangs takes seconds of
    those in which pages go out.
    """

    def __init__(self, cache: StateCache) -> None:
        self._cache = cache
        self.failures = 0
        """Calls of this batch that the table did not answer."""

    @property
    def is_away(self) -> bool:
        """Whether the table did not answer in this batch: what is not there may be there all the same."""
        return self.failures > 0

    @property
    def heartbeats(self) -> HeartbeatCache:
        """Which interfaces this container has seen."""
        return self._cache.heartbeats

    def add(self, addition: Addition) -> Sets:
        """Add to an item, and say what is in it then."""
        known = self.known(addition.key)
        if adds_nothing(addition.sets, known):
            return known
        if self.is_away:
            return merged(known, addition.sets)
        try:
            together = merged(known, addition.sets, self._cache.store.add(addition))
        except StateUnavailable:
            # Not remembered: the next batch is to try again.
            self.failures += 1
            return merged(known, addition.sets)
        self._cache.remember(addition.key, together)
        return together

    def known(self, key: str) -> Sets:
        """What this container knows of an item. Asks nothing."""
        return self._cache.items.get(key, {})

    def keep(self, addition: Addition) -> bool:
        """Add to an item, and say whether the table holds it now."""
        self.add(addition)
        return adds_nothing(addition.sets, self.known(addition.key))

    def read(self, keys: Iterable[str]) -> dict[str, Sets]:
        """The items that there are; none if the table does not answer."""
        if self.is_away:
            return {}
        try:
            return dict(self._cache.store.read([*keys]))
        except StateUnavailable:
            self.failures += 1
            return {}

    def read_once(self, keys: Iterable[str]) -> dict[str, Sets]:
        """The same, read once by a container: for items of times that are over."""
        wanted, recalled = tuple(keys), self._cache.recalled
        if wanted not in recalled:
            items = self.read(wanted)
            if self.is_away:
                return items
            recalled[wanted] = items
            _bound(recalled, RECALLED)
        return recalled[wanted]

    def baseline(self, role: str, day: int, now: int) -> Baseline:
        """What is usual for a role on a day; nothing is if the table does not answer.

        Args:
            role: see `network.roles`.
            day: since 1970.
            now: Unix seconds.
        """
        read_again, known = self._cache.baselines.get((role, day), (0, None))
        if known is not None and now < read_again:
            return known
        keys = keys_before(role, day)
        fresh = baseline(day, keys, self.read(keys))
        if self.is_away:
            return known or fresh
        kept = {key: entry for key, entry in self._cache.baselines.items() if entry[0] > now}
        self._cache.baselines = kept | {(role, day): (now + BASELINE_SECONDS, fresh)}
        return fresh

    def learn(self, role: str, day: int, edges: frozenset[Edge]) -> None:
        """Remember edges of a role; each is written once by a container and day, and at most so many."""
        new = edges - self._cache.taught.get((role, day), set())
        if not new:
            return
        addition = learned(role, day, new if len(new) <= MOST_EDGES else _some(new))
        if len(self.known(addition.key).get(EDGES, frozenset())) < MOST_EDGES:
            self.add(addition)
        if self.is_away:
            return
        self._cache.taught.setdefault((role, day), set()).update(new)
        _bound(self._cache.taught, TAUGHT)


def _bound[K, V](entries: dict[K, V], most: int) -> None:
    """Drop the oldest entry if there are too many."""
    if len(entries) > most:
        del entries[next(iter(entries))]


def _some(edges: frozenset[Edge]) -> frozenset[Edge]:
    """As many as are kept, of those of a batch the same ones whatever order they come in."""
    return frozenset(sorted(edges, key=str)[:MOST_EDGES])
