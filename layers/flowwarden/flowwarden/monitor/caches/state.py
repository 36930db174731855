"""A container's cache of the state table's sets, and the view of one batch.

The table is written only if a batch adds something to the cached sets. If the table does not answer, a batch
is evaluated with the cache and the batch itself; nothing raises.
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
"""Cached items; beyond that, the oldest are dropped, and written again if needed."""
TAUGHT: Final = 128
"""Roles and days for which a container knows what it has written."""
RECALLED: Final = 32
"""Cached responses of the table."""
MOST_EDGES: Final = 4000
"""Edges per role and day, approximately, plus as many edge kinds. A DynamoDB item has at most 400 KB, and
each write is charged for the whole item."""
BASELINE_SECONDS: Final = 6 * 3600
"""How long a role's baseline is used before it is read again. It contains the days before the batch's day;
late batches add little to them."""


class StateCache:
    """The state that a container keeps between batches. `for_batch` returns the view of one batch."""

    def __init__(self, store: EvidenceStore) -> None:
        self.store = store
        self.heartbeats = HeartbeatCache()
        self.items: dict[str, Sets] = {}
        self.baselines: dict[tuple[str, int], tuple[int, Baseline]] = {}
        """By role and day: when (Unix seconds) to read again, and the baseline."""
        self.taught: dict[tuple[str, int], set[Edge]] = {}
        """By role and day: the edges that this container has written."""
        self.recalled: dict[tuple[str, ...], dict[str, Sets]] = {}

    def for_batch(self) -> StateView:
        """The state as one batch sees it."""
        return StateView(self)

    def remember(self, key: str, sets: Sets) -> None:
        """Cache the sets of an item."""
        self.items.pop(key, None)
        self.items[key] = sets
        _bound(self.items, REMEMBERED)


class StateView:
    """The state as one batch sees it.

    After a failed call, the table is not called again in the same batch: each call that hangs takes seconds
    from the time for sending pages.
    """

    def __init__(self, cache: StateCache) -> None:
        self._cache = cache
        self.failures = 0
        """Calls of this batch that the table did not answer."""

    @property
    def is_away(self) -> bool:
        """Whether the table failed in this batch; missing items may exist nevertheless."""
        return self.failures > 0

    @property
    def heartbeats(self) -> HeartbeatCache:
        """The interfaces that this container has seen."""
        return self._cache.heartbeats

    def add(self, addition: Addition) -> Sets:
        """Add to an item; return its sets."""
        known = self.known(addition.key)
        if adds_nothing(addition.sets, known):
            return known
        if self.is_away:
            return merged(known, addition.sets)
        try:
            together = merged(known, addition.sets, self._cache.store.add(addition))
        except StateUnavailable:
            # Not cached, so that the next batch retries.
            self.failures += 1
            return merged(known, addition.sets)
        self._cache.remember(addition.key, together)
        return together

    def known(self, key: str) -> Sets:
        """The cached sets of an item. Reads nothing."""
        return self._cache.items.get(key, {})

    def keep(self, addition: Addition) -> bool:
        """Add to an item; return whether the table now contains the addition."""
        self.add(addition)
        return adds_nothing(addition.sets, self.known(addition.key))

    def read(self, keys: Iterable[str]) -> dict[str, Sets]:
        """The existing items; none if the table does not answer."""
        if self.is_away:
            return {}
        try:
            return dict(self._cache.store.read([*keys]))
        except StateUnavailable:
            self.failures += 1
            return {}

    def read_once(self, keys: Iterable[str]) -> dict[str, Sets]:
        """The same, read once per container; for items of past times."""
        wanted, recalled = tuple(keys), self._cache.recalled
        if wanted not in recalled:
            items = self.read(wanted)
            if self.is_away:
                return items
            recalled[wanted] = items
            _bound(recalled, RECALLED)
        return recalled[wanted]

    def baseline(self, role: str, day: int, now: int) -> Baseline:
        """The baseline of a role on a day; empty if the table does not answer.

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
        """Store edges of a role; each is written once per container and day, up to `MOST_EDGES`."""
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
    """The first `MOST_EDGES` edges: the same ones for a batch, regardless of order."""
    return frozenset(sorted(edges, key=str)[:MOST_EDGES])
