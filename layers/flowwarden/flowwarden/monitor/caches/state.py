"""A container's cache of the state table's sets, and the view of one batch.

The table is written only if a batch adds something to the cached sets. If the table does not answer, a batch
is evaluated with the cache and the batch itself; nothing raises.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import batched
from typing import Final

from flowwarden.errors import StateUnavailable
from flowwarden.monitor.baseline.baseline import EDGES, Baseline, Edge, baseline, keys_before, learned
from flowwarden.monitor.caches.bounded import BoundedCache, size_of_numbers, size_of_sets
from flowwarden.monitor.caches.heartbeats import HeartbeatCache
from flowwarden.state.ports import EvidenceStore
from flowwarden.state.sets import Addition, Sets, adds_nothing, fingerprint, merged
from flowwarden.state.write_budget import WriteBudget

_MIB: Final = 2**20
REMEMBERED: Final = 16 * _MIB
"""Bytes of cached items; beyond that, the oldest are dropped, and written again if needed."""
TAUGHT: Final = 8 * _MIB
"""Bytes of what a container knows to have written, by role and day."""
RECALLED: Final = 8 * _MIB
"""Bytes of cached responses of the table."""
BASELINES: Final = 12 * _MIB
"""Bytes of cached baselines."""
ROLES_READ: Final = 64
"""Roles whose baselines a batch reads; further ones are unknown to it, and the next batch reads them."""
MOST_EDGES: Final = 4000
"""Edges per role and day, approximately, plus as many edge kinds. A DynamoDB item has at most 400 KB, and
each write is charged for the whole item."""
ROLES_TOGETHER: Final = 10
"""Roles whose baselines are read at once: 300 items, three calls."""
_KEY: Final = 100
"""Bytes of a key."""
BASELINE_SECONDS: Final = 6 * 3600
"""How long a role's baseline is used before it is read again. It contains the days before the batch's day;
late batches add little to them."""


class StateCache:
    """The state that a container keeps between batches. `for_batch` returns the view of one batch."""

    def __init__(self, store: EvidenceStore) -> None:
        self.store = store
        self.heartbeats = HeartbeatCache()
        self.items = BoundedCache[str, Sets](REMEMBERED)
        self.baselines = BoundedCache[tuple[str, int], tuple[int, Baseline]](BASELINES)
        """By role and day: when (Unix seconds) to read again, and the baseline."""
        self.taught = BoundedCache[tuple[str, int], frozenset[int]](TAUGHT)
        """By role and day: the fingerprints of the edges that this container has written."""
        self.recalled = BoundedCache[tuple[str, ...], dict[str, Sets]](RECALLED)

    def for_batch(self) -> StateView:
        """The state as one batch sees it."""
        return StateView(self)

    def remember(self, key: str, sets: Sets) -> None:
        """Cache the sets of an item."""
        self.items.put(key, sets, size_of_sets(sets))


class StateView:
    """The state as one batch sees it.

    After a failed call, the table is not called again in the same batch: each call that hangs takes seconds
    from the time for sending pages.
    """

    def __init__(self, cache: StateCache) -> None:
        self._cache = cache
        self._writes = WriteBudget()
        self._roles_read = 0
        self.unread = 0
        """Baselines that this batch did not read, because it needs too many."""
        self.failures = 0
        """Calls of this batch that the table did not answer."""

    @property
    def is_away(self) -> bool:
        """Whether the table failed in this batch; missing items may exist nevertheless."""
        return self.failures > 0

    @property
    def deferred(self) -> int:
        """Writes and baselines for which this batch had no room."""
        return self._writes.deferred + self.unread

    @property
    def claims(self) -> int:
        """The claims for which the detectors' writes leave room."""
        return self._writes.claims

    @property
    def heartbeats(self) -> HeartbeatCache:
        """The interfaces that this container has seen."""
        return self._cache.heartbeats

    def add(self, addition: Addition) -> Sets:
        """Add to an item; return its sets."""
        known = self.known(addition.key)
        if adds_nothing(addition.sets, known):
            return known
        if self.is_away or not self._writes.take(addition.key):
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
        return self._cache.items.get(key) or {}

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
        wanted = tuple(keys)
        known = self._cache.recalled.get(wanted)
        if known is not None:
            return known
        items = self.read(wanted)
        if not self.is_away:
            keys_of = _KEY * len(wanted)
            self._cache.recalled.put(wanted, items, keys_of + sum(map(size_of_sets, items.values())))
        return items

    def baseline(self, role: str, day: int, now: int) -> Baseline | None:
        """The baseline of a role on a day; see `baselines`."""
        return self.baselines([(role, day)], now).get((role, day))

    def baselines(
        self, wanted: Iterable[tuple[str, int]], now: int
    ) -> dict[tuple[str, int], Baseline | None]:
        """The baselines of roles on days; empty ones if the table does not answer.

        Those that are not cached are read together, up to `ROLES_READ` in a batch; the others are None.

        Args:
            wanted: roles, see `network.roles`, and days since 1970.
            now: Unix seconds.
        """
        cached = {each: self._cache.baselines.get(each) for each in dict.fromkeys(wanted)}
        found = {each: entry[1] if entry else None for each, entry in cached.items()}
        due = [each for each, entry in cached.items() if entry is None or now >= entry[0]]
        room = max(0, ROLES_READ - self._roles_read)
        self.unread += len(due[room:])
        return found | self._read_baselines(due[:room], found, now)

    def _read_baselines(
        self,
        due: Sequence[tuple[str, int]],
        known: Mapping[tuple[str, int], Baseline | None],
        now: int,
    ) -> dict[tuple[str, int], Baseline]:
        self._roles_read += len(due)
        fresh: dict[tuple[str, int], Baseline] = {}
        for some in batched(due, ROLES_TOGETHER, strict=False):
            keys = {each: keys_before(*each) for each in some}
            items = self.read([key for each in keys.values() for key in each])
            for each, of_role in keys.items():
                read = baseline(each[1], of_role, {key: items[key] for key in of_role if key in items})
                fresh[each] = (known[each] or read) if self.is_away else read
                if not self.is_away:
                    entry = now + BASELINE_SECONDS, read
                    self._cache.baselines.put(each, entry, read.bytes)
        return fresh

    def learn(self, role: str, day: int, edges: frozenset[Edge]) -> None:
        """Store edges of a role; each is written once per container and day, up to `MOST_EDGES`."""
        written = self._cache.taught.get((role, day)) or frozenset()
        new = {edge: number for edge in edges if (number := fingerprint(*edge)) not in written}
        if not new:
            return
        addition = learned(role, day, frozenset(new) if len(new) <= MOST_EDGES else _some(frozenset(new)))
        is_full = len(self.known(addition.key).get(EDGES, frozenset())) >= MOST_EDGES
        if is_full or self.keep(addition):
            written |= frozenset(new.values())
            self._cache.taught.put((role, day), written, size_of_numbers(written))


def _some(edges: frozenset[Edge]) -> frozenset[Edge]:
    """The first `MOST_EDGES` edges: the same ones for a batch, regardless of order."""
    return frozenset(sorted(edges, key=str)[:MOST_EDGES])
