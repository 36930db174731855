"""A container's cache of the state table's sets, and the view of one batch.

The table is written only if a batch adds numbers to the cached sets. If the table does not answer, or its
answers take longer than the batch's budget, the batch is evaluated with the cache and its own data; no error
is raised.

Some findings are reported only once, when a container sees them for the first time. If the notifications of a
batch were not sent, everything that the batch added to the cache is therefore removed (`StateView.forget`).
Items that the batch added to are then not cached at all, so the next delivery of the batch reports them
again. The table keeps the additions; adding them again does not change it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import batched
from typing import Final

from flowwarden.errors import StateUnavailable
from flowwarden.monitor.baseline.additions import learned
from flowwarden.monitor.baseline.baseline import Baseline, Edge, baseline, keys_before
from flowwarden.monitor.budget import UNLIMITED, Budget
from flowwarden.monitor.caches.bounded import BoundedCache, size_of_numbers, size_of_sets
from flowwarden.monitor.caches.heartbeats import GroupHeartbeats, HeartbeatCache
from flowwarden.state.ports import EvidenceStore
from flowwarden.state.sets import Addition, Sets, adds_nothing, fingerprint, merged
from flowwarden.state.write_budget import WriteBudget

_MIB: Final = 2**20
REMEMBERED: Final = 16 * _MIB
"""Maximum bytes of cached items; beyond that, the oldest are dropped, and written again if needed."""
WRITTEN_EDGES: Final = 8 * _MIB
"""Maximum bytes of the edges that a container has written, by role and day."""
RECALLED: Final = 8 * _MIB
"""Maximum bytes of cached responses of the table."""
BASELINES: Final = 12 * _MIB
"""Maximum bytes of cached baselines."""
REFUSED_SOURCES: Final = 4 * _MIB
"""Maximum bytes of the places that refused internet hosts, by host and day: enough for about 10,000 hosts."""
ROLES_READ: Final = 64
"""Maximum roles whose baselines a batch reads; others are unknown to it, and the next batch reads them."""
MOST_EDGES: Final = 4000
"""Approximate maximum of edges per role and day, and of edge kinds. A DynamoDB item has at most 400 KB, and
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

    def __init__(self, store: EvidenceStore, breadth: int = 1) -> None:
        """Begin with an empty cache; a batch has the limits of `breadth` usual ones."""
        self.store = store
        self.breadth = breadth
        self.heartbeats = HeartbeatCache()
        self.items = BoundedCache[str, Sets](REMEMBERED)
        self.baselines = BoundedCache[tuple[str, int], tuple[int, Baseline]](BASELINES)
        """By role and day: when (Unix seconds) to read again, and the baseline."""
        self.knows_a_role = False
        """Whether this container has read the baseline of a role that is learned: other roles may be new."""
        self.written_edges = BoundedCache[tuple[str, int], frozenset[int]](WRITTEN_EDGES)
        """By role and day: the fingerprints of the edges that this container has written."""
        self.refused = BoundedCache[str, frozenset[int]](REFUSED_SOURCES)
        """By day and internet host: the places that refused it."""
        self.recalled = BoundedCache[tuple[str, ...], dict[str, Sets]](RECALLED)

    def for_batch(self, budget: Budget = UNLIMITED) -> StateView:
        """The state as one batch sees it; `budget` limits the time of its calls."""
        return StateView(self, budget)

    def remember(self, key: str, sets: Sets) -> None:
        """Cache the sets of an item."""
        self.items.put(key, sets, size_of_sets(sets))


class StateView:
    """The state as one batch sees it.

    A call that fails is made once more. After that, and once the budget is spent, the table is not called
    again: each call without an answer takes seconds of the time for sending notifications.
    """

    def __init__(self, cache: StateCache, budget: Budget = UNLIMITED) -> None:
        self._cache = cache
        self._budget = budget
        self._failed = False
        self._undo: list[Callable[[], object]] = []
        """Functions that undo the changes of this batch in the cache."""
        self._writes = WriteBudget(cache.breadth)
        self._roles_read = 0
        self.unread = 0
        """Baselines and other items that this batch did not read, because it needs too many."""
        self.failures = 0
        """Calls of this batch that failed, or for which no time was left: at most one for each budget, since
        no further call is made."""

    @property
    def is_away(self) -> bool:
        """Whether the table failed in this batch; missing items may exist nevertheless."""
        return self._failed

    @property
    def breadth(self) -> int:
        """By how much the limits of this batch exceed the usual ones, because it has as many interfaces."""
        return self._cache.breadth

    @property
    def knows_a_role(self) -> bool:
        """Whether this container has read the baseline of a role that is learned."""
        return self._cache.knows_a_role

    @property
    def deferred(self) -> int:
        """Writes, and items to read, beyond the limits of this batch."""
        return self._writes.deferred + self.unread

    @property
    def claims(self) -> int:
        """The number of claims for which the writes of detectors leave room."""
        return self._writes.claims

    @property
    def heartbeats(self) -> HeartbeatCache:
        """The interfaces that this container has seen."""
        return self._cache.heartbeats

    def forget(self) -> None:
        """Undo the changes of this batch in the cache, because its notifications were not sent."""
        while self._undo:
            self._undo.pop()()

    def resume(self, budget: Budget) -> None:
        """Continue with another budget, for calls that can wait until the notifications are sent."""
        self._failed = self._failed and not self._budget.is_spent
        self._budget = budget

    def add(self, addition: Addition) -> Sets:
        """Add to an item; return its sets, as far as they are known."""
        known = self.known(addition.key)
        if adds_nothing(addition.sets, known):
            return known
        if self.is_away or not self._writes.take(addition.key):
            return merged(known, addition.sets)  # not cached, so the next batch with these numbers retries
        stored = self.call(lambda: self._cache.store.add(addition))
        if stored is None:
            return merged(known, addition.sets)
        together = merged(known, addition.sets, stored)
        self._cache.remember(addition.key, together)
        # A function that refers to this view would be a cycle, so that garbage collection must free the view.
        self._undo.append(partial(self._cache.items.pop, addition.key, None))
        return together

    def known(self, key: str) -> Sets:
        """The cached sets of an item. Reads nothing."""
        return self._cache.items.get(key) or {}

    def refused(self, key: str) -> frozenset[int]:
        """The places of which this container knows that they refused an internet host, by `scanner_key`."""
        return self._cache.refused.get(key) or frozenset()

    def remembered(self, key: str, places: frozenset[int]) -> frozenset[int]:
        """Remember the places that refused an internet host, only in this container; return all of them."""
        refused, before = self._cache.refused, self.refused(key)
        together = before | places
        refused.put(key, together, size_of_numbers(together))
        self._undo.append(lambda: refused.put(key, before, size_of_numbers(before)))
        return together

    def keep(self, addition: Addition) -> bool:
        """Add to an item; return whether the table now contains the addition."""
        self.add(addition)
        return adds_nothing(addition.sets, self.known(addition.key))

    def read(self, keys: Iterable[str]) -> dict[str, Sets]:
        """The existing items; none if the table does not answer."""
        wanted = [*keys]
        return dict(self.call(lambda: self._cache.store.read(wanted)) or {})

    def look_up(self, keys: Iterable[str]) -> dict[str, Sets]:
        """The existing items, which are then cached; makes no call if there are no keys."""
        wanted = [*keys]
        items = self.read(wanted) if wanted else {}
        for key, sets in items.items():
            self._cache.remember(key, merged(self.known(key), sets))
            self._undo.append(partial(self._cache.items.pop, key, None))
        return items

    def read_once(self, keys: Iterable[str]) -> dict[str, Sets]:
        """The existing items, read once per container; for items of past times, which no longer change."""
        wanted = tuple(keys)
        known = self._cache.recalled.get(wanted)
        if known is not None:
            return known
        items = self.read(wanted)
        if not self.is_away:
            keys_of = _KEY * len(wanted)
            self._cache.recalled.put(wanted, items, keys_of + sum(map(size_of_sets, items.values())))
        return items

    def judged(self, group: GroupHeartbeats, slot: int) -> None:
        """Note that a slot of a log group was checked for silent interfaces."""
        before, group.judged = group.judged, slot
        self._undo.append(lambda: setattr(group, "judged", before))

    def may_write(self, key: str) -> bool:
        """Whether an item with this key may be written by `call`; counts the write."""
        return not self.is_away and self._writes.take(key)

    def call[T](self, call: Callable[[], T]) -> T | None:
        """The table's answer, at the second attempt if the first fails; None if there is none."""
        if self._failed:
            return None
        before = self._budget.left
        answer = self._attempt(call)
        if answer is None and self._budget.allows_repeat(before):
            answer = self._attempt(call)
        self._failed = answer is None
        self.failures += self._failed
        return answer

    def _attempt[T](self, call: Callable[[], T]) -> T | None:
        if self._budget.is_spent:
            return None
        try:
            with self._budget.spending():
                return call()
        except StateUnavailable:
            return None

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
        room = max(0, ROLES_READ * self.breadth - self._roles_read)
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
                    self._cache.knows_a_role |= not read.learning
        return fresh

    def learn(self, role: str, day: int, edges: frozenset[Edge]) -> None:
        """Store edges of a role; each is written once per container and day, up to `MOST_EDGES`."""
        written = self._cache.written_edges.get((role, day)) or frozenset()
        new = {edge: number for edge in edges if (number := fingerprint(*edge)) not in written}
        if not new:
            return
        addition = learned(role, day, frozenset(new) if len(new) <= MOST_EDGES else _some(frozenset(new)))
        is_full = max(map(len, self.known(addition.key).values()), default=0) >= MOST_EDGES
        if is_full or self.keep(addition):
            self._teach((role, day), written, written | frozenset(new.values()))

    def _teach(self, key: tuple[str, int], before: frozenset[int], written: frozenset[int]) -> None:
        written_edges = self._cache.written_edges
        written_edges.put(key, written, size_of_numbers(written))
        self._undo.append(lambda: written_edges.put(key, before, size_of_numbers(before)))


def _some(edges: frozenset[Edge]) -> frozenset[Edge]:
    """`MOST_EDGES` of the edges: always the same ones, regardless of their order."""
    return frozenset(sorted(edges, key=str)[:MOST_EDGES])
