"""A container's cache of the state table's sets, and the view of one batch.

The table is written only if a batch adds something to the cached sets. If the table does not answer, or its
answers take longer than the batch's budget, a batch is evaluated with the cache and the batch itself; nothing
raises.

What a container has seen decides what it reports: some findings are reported once. So whatever a batch puts
into the cache is taken out again (`StateView.forget`) unless the notifications of the batch are out. The next
delivery of the batch then finds the container as the batch found it; the table may contain more, but only
sets that a repeat does not change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from flowwarden.errors import StateUnavailable
from flowwarden.monitor.baseline.baseline import EDGES, Baseline, Edge, baseline, keys_before, learned
from flowwarden.monitor.budget import UNLIMITED, Budget
from flowwarden.monitor.caches.heartbeats import GroupHeartbeats, HeartbeatCache
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

    def for_batch(self, budget: Budget = UNLIMITED) -> StateView:
        """The state as one batch sees it; `budget` limits the time of its calls."""
        return StateView(self, budget)

    def remember(self, key: str, sets: Sets) -> None:
        """Cache the sets of an item."""
        self.items.pop(key, None)
        self.items[key] = sets
        _bound(self.items, REMEMBERED)


class StateView:
    """The state as one batch sees it.

    A call that fails is made once more. After that, and once the budget is spent, the table is not called
    again: each call that hangs takes seconds from the time for sending pages.
    """

    def __init__(self, cache: StateCache, budget: Budget = UNLIMITED) -> None:
        self._cache = cache
        self._budget = budget
        self._failed = False
        self._undo: list[Callable[[], object]] = []
        """Takes the changes of this batch out of the cache."""
        self.failures = 0
        """Calls of this batch that the table did not answer, or for which no time was left: at most one for
        each budget, because no further call is made."""

    @property
    def is_away(self) -> bool:
        """Whether the table failed in this batch; missing items may exist nevertheless."""
        return self._failed

    @property
    def heartbeats(self) -> HeartbeatCache:
        """The interfaces that this container has seen."""
        return self._cache.heartbeats

    def forget(self) -> None:
        """Take what this batch has put into the cache out again: its notifications are not out."""
        while self._undo:
            self._undo.pop()()

    def resume(self, budget: Budget) -> None:
        """Go on with another budget, for what can wait until the notifications are out."""
        self._failed = self._failed and not self._budget.is_spent
        self._budget = budget

    def add(self, addition: Addition) -> Sets:
        """Add to an item; return its sets."""
        known = self.known(addition.key)
        if adds_nothing(addition.sets, known):
            return known
        stored = self._call(lambda: self._cache.store.add(addition))
        if stored is None:
            return merged(known, addition.sets)  # not cached, so that the next batch retries
        together = merged(known, addition.sets, stored)
        self._cache.remember(addition.key, together)
        self._undo.append(lambda: self._cache.items.pop(addition.key, None))
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
        wanted = [*keys]
        return dict(self._call(lambda: self._cache.store.read(wanted)) or {})

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

    def judged(self, group: GroupHeartbeats, slot: int) -> None:
        """Note that a slot of a log group was checked for silent interfaces."""
        before, group.judged = group.judged, slot
        self._undo.append(lambda: setattr(group, "judged", before))

    def _call[T](self, call: Callable[[], T]) -> T | None:
        """The table's answer; None if it does not answer in this batch."""
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
        taught = self._cache.taught.setdefault((role, day), set())
        taught.update(new)
        self._undo.append(lambda: taught.difference_update(new))
        _bound(self._cache.taught, TAUGHT)


def _bound[K, V](entries: dict[K, V], most: int) -> None:
    """Drop the oldest entry if there are too many."""
    if len(entries) > most:
        del entries[next(iter(entries))]


def _some(edges: frozenset[Edge]) -> frozenset[Edge]:
    """The first `MOST_EDGES` edges: the same ones for a batch, regardless of order."""
    return frozenset(sorted(edges, key=str)[:MOST_EDGES])
