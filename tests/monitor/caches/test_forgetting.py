"""A container remembers what a batch added only once the notifications of the batch are sent."""

from __future__ import annotations

from flowwarden.monitor.caches.state import StateCache
from flowwarden.state.sets import Addition, fingerprint
from tests.monitor.caches.test_state import DAY, ROLE, edge
from tests.monitor.fakes_state import MemoryEvidence

ITEM = Addition("item", {"set": frozenset({1})}, 10**10)


def test_a_forgotten_batch_leaves_the_cache_as_it_was() -> None:
    """Items, learned edges and checked slots; the next batch writes them again."""
    store = MemoryEvidence()
    cache = StateCache(store)
    cache.for_batch().learn(ROLE, DAY, frozenset({edge(1)}))
    group = cache.heartbeats.of("group", 5)
    judged = group.judged
    state = cache.for_batch()
    state.learn(ROLE, DAY, frozenset({edge(1), edge(2)}))
    state.add(ITEM)
    state.judged(group, 6)
    state.forget()
    assert cache.written_edges.get((ROLE, DAY)) == frozenset({fingerprint(*edge(1))})
    assert group.judged == judged < 6
    assert ITEM.key not in cache.items
    cache.for_batch().add(ITEM)
    assert store.written.count("item") == 2


def test_forgetting_a_batch_keeps_what_an_earlier_one_added() -> None:
    """The earlier batch's item stays cached."""
    store = MemoryEvidence()
    cache = StateCache(store)
    cache.for_batch().add(ITEM)
    later = cache.for_batch()
    later.add(ITEM)
    later.forget()
    cache.for_batch().add(ITEM)
    assert store.written == ["item"]
