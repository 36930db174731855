"""A batch with the records of many interfaces has the limits of many batches."""

from __future__ import annotations

import pytest

from flowwarden.memory.sets import MemoryEvidence
from flowwarden.monitor.caches.interfaces import MOST_NEW, InterfaceCache
from flowwarden.monitor.caches.state import ROLES_READ, StateCache
from flowwarden.state.schema import BASELINES, CONTACTS_HOUR
from flowwarden.state.write_budget import MOST_WRITES, WRITES_PER_CLAIM, WriteBudget
from tests.monitor.fakes_interfaces import FakeDirectory

NOW = 1_800_000_000


def taken(budget: WriteBudget, key: str, most: int = 100_000) -> int:
    """The writes that a budget allows for items of the kind of this key."""
    return sum(budget.take(key) for _ in range(most))


@pytest.mark.parametrize("key", [BASELINES.prefix, CONTACTS_HOUR.prefix])
def test_a_broad_batch_may_write_as_much_as_many(key: str) -> None:
    assert taken(WriteBudget(7), key) == 7 * taken(WriteBudget(), key)


def test_a_broad_batch_may_claim_more() -> None:
    one, broad = WriteBudget().claims, WriteBudget(7).claims
    assert 7 * one <= broad <= 7 * (one + 1)
    assert broad * WRITES_PER_CLAIM < 7 * MOST_WRITES


def test_a_usual_batch_has_its_limits_unless_it_is_broad() -> None:
    assert StateCache(MemoryEvidence()).for_batch().breadth == 1


@pytest.mark.parametrize("breadth", [1, 3])
def test_a_broad_batch_reads_more_roles(breadth: int) -> None:
    state = StateCache(MemoryEvidence(), breadth).for_batch()
    wanted = [(f"role-{number}", 20_000) for number in range(5 * ROLES_READ)]
    found = state.baselines(wanted, NOW)
    assert sum(each is not None for each in found.values()) == breadth * ROLES_READ
    assert state.unread == (5 - breadth) * ROLES_READ


@pytest.mark.parametrize("breadth", [1, 3])
def test_a_broad_batch_queries_more_interfaces(breadth: int) -> None:
    directory = FakeDirectory()
    cache = InterfaceCache(directory, lambda _: None, breadth)
    cache.known([f"eni-{number}" for number in range(5 * MOST_NEW)], NOW)
    assert [len(each) for each in directory.asked] == [breadth * MOST_NEW]
