"""The state as a batch sees it: what a container writes, and what it has cached."""

from __future__ import annotations

from flowwarden.monitor.baseline.baseline import EDGES, Edge, kinds_of
from flowwarden.monitor.caches.bounded import BoundedCache, size_of_numbers
from flowwarden.monitor.caches.state import MOST_EDGES, StateCache
from flowwarden.state.schema import BASELINES
from flowwarden.state.sets import fingerprint
from tests.monitor.fakes_state import MemoryEvidence

ROLE, DAY = "tag:Role=web", 20_000
KEY = BASELINES.key_of(ROLE, DAY)


def edge(port: int) -> Edge:
    """A role contacts a network on a port."""
    return Edge("out", 6, port, "10.0.3.0/24")


def held(store: MemoryEvidence) -> frozenset[int]:
    """The numbers of the day in the table."""
    return store.read([KEY]).get(KEY, {}).get(EDGES, frozenset())


def test_an_edge_is_written_once_with_its_kinds() -> None:
    """Regardless of which batch repeats it, alone or with others."""
    store = MemoryEvidence()
    book = StateCache(store).for_batch()
    for edges in ({edge(1)}, {edge(1)}, set[Edge]()):
        book.learn(ROLE, DAY, frozenset(edges))
    assert store.writes == 1
    assert held(store) == {fingerprint(*each) for each in (edge(1), *kinds_of(edge(1)))}
    book.learn(ROLE, DAY, frozenset({edge(1), edge(2)}))
    assert store.writes == 2
    assert fingerprint(*edge(2)) in held(store)


def test_a_failed_write_is_retried_with_the_next_batch() -> None:
    """No repeated edge is lost."""
    store = MemoryEvidence(is_away=True)
    cache = StateCache(store)
    cache.for_batch().learn(ROLE, DAY, frozenset({edge(1)}))
    store.is_away = False
    cache.for_batch().learn(ROLE, DAY, frozenset({edge(1)}))
    assert fingerprint(*edge(1)) in held(store)


def test_the_edges_of_a_role_and_day_are_bounded() -> None:
    """An item has a maximum size, and a host could use every port."""
    store = MemoryEvidence()
    book = StateCache(store).for_batch()
    book.learn(ROLE, DAY, frozenset(edge(port) for port in range(3 * MOST_EDGES)))
    assert MOST_EDGES <= len(held(store)) <= 2 * MOST_EDGES
    writes = store.writes
    book.learn(ROLE, DAY, frozenset({edge(65_000)}))
    assert store.writes == writes


def test_a_container_drops_the_oldest_written_edges() -> None:
    """It then writes them again, which changes nothing."""
    store = MemoryEvidence()
    cache = StateCache(store)
    cache.written_edges = BoundedCache(2 * size_of_numbers({1}))
    for number in range(4):
        cache.for_batch().learn(f"role {number}", DAY, frozenset({edge(1)}))
    assert len(cache.written_edges) == 2
