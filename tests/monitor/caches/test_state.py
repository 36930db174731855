"""The state as a batch sees it: what a container writes down, and what it knows already."""

from __future__ import annotations

from flowwarden.monitor.baseline.baseline import EDGES, Edge, kinds_of
from flowwarden.monitor.caches.state import MOST_EDGES, TAUGHT, StateCache
from flowwarden.state.schema import BASELINES
from flowwarden.state.sets import fingerprint
from tests.monitor.fakes_state import MemoryEvidence

ROLE, DAY = "tag:Role=web", 20_000
KEY = BASELINES.key_of(ROLE, DAY)


def edge(port: int) -> Edge:
    """A role asks for a port of a network."""
    return Edge("out", 6, port, "10.0.3.0/24")


def held(store: MemoryEvidence) -> frozenset[int]:
    """The numbers that the table has of the day."""
    return store.read([KEY]).get(KEY, {}).get(EDGES, frozenset())


def test_an_edge_is_written_down_once_with_what_it_is_an_example_of() -> None:
    """Whoever brings it again, alone or with others."""
    store = MemoryEvidence()
    book = StateCache(store).for_batch()
    for edges in ({edge(1)}, {edge(1)}, set[Edge]()):
        book.learn(ROLE, DAY, frozenset(edges))
    assert store.writes == 1
    assert held(store) == {fingerprint(*each) for each in (edge(1), *kinds_of(edge(1)))}
    book.learn(ROLE, DAY, frozenset({edge(1), edge(2)}))
    assert store.writes == 2
    assert fingerprint(*edge(2)) in held(store)


def test_what_the_table_did_not_take_is_written_with_the_next_batch() -> None:
    """Nothing is lost that is brought again."""
    store = MemoryEvidence(is_away=True)
    cache = StateCache(store)
    cache.for_batch().learn(ROLE, DAY, frozenset({edge(1)}))
    store.is_away = False
    cache.for_batch().learn(ROLE, DAY, frozenset({edge(1)}))
    assert fingerprint(*edge(1)) in held(store)


def test_a_role_teaches_a_bounded_number_of_edges_a_day() -> None:
    """An item has a size, and somebody might use every port."""
    store = MemoryEvidence()
    book = StateCache(store).for_batch()
    book.learn(ROLE, DAY, frozenset(edge(port) for port in range(3 * MOST_EDGES)))
    assert MOST_EDGES <= len(held(store)) <= 2 * MOST_EDGES
    writes = store.writes
    book.learn(ROLE, DAY, frozenset({edge(65_000)}))
    assert store.writes == writes


def test_a_container_forgets_what_it_taught_the_longest_ago() -> None:
    """Then it writes it again, which changes nothing."""
    store = MemoryEvidence()
    cache = StateCache(store)
    for number in range(TAUGHT + 2):
        cache.for_batch().learn(f"role {number}", DAY, frozenset({edge(1)}))
    assert len(cache.taught) == TAUGHT
