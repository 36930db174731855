"""What the digests say, in the state table: DynamoDB (on moto) and the fake behave the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from flowwarden.aws.dynamodb.digests import DynamoDbDigests
from flowwarden.dispatcher.digest_day import Day
from flowwarden.state import digests
from flowwarden.state.digests import BATCHES, GROUPS, NOTHING, SOURCES, Content
from flowwarden.state.ports import DigestStore
from flowwarden.unreadable import Unreadable
from tests.aws.clients import client, make_state_table
from tests.aws.dynamodb.damage import DAMAGE, TABLE, damage, dynamodb, empty, items, members
from tests.monitor.fakes_state import MemoryDigests

LATER = 1_764_086_400
KEY = digests.key_of(7)
BOTH = frozenset({1, 2}), frozenset({"a", "b"})


@pytest.fixture(params=["dynamodb", "memory"])
def store(request: pytest.FixtureRequest) -> Iterator[DigestStore]:
    """Both implementations of the port."""
    if request.param == "memory":
        yield MemoryDigests()
        return
    with mock_aws():
        make_state_table(TABLE)
        yield DynamoDbDigests(client("dynamodb"), TABLE)


def content(*texts: str, batches: tuple[int, ...] = ()) -> Content:
    """Texts and numbers to add."""
    return Content({BATCHES: frozenset(batches)}, {GROUPS: frozenset(texts)})


def whole(found: Content) -> tuple[frozenset[int], frozenset[str]]:
    """The numbers and texts."""
    return found.numbers.get(BATCHES, frozenset()), found.texts.get(GROUPS, frozenset())


def test_an_addition_returns_the_union(store: DigestStore) -> None:
    """Repeated additions change nothing; empty sets block nothing."""
    store.add(KEY, content("a", batches=(1,)), LATER)
    store.add(KEY, content("b"), LATER)
    for _ in range(2):
        assert whole(store.add(KEY, content("a", batches=(2,)), LATER)) == BOTH
    assert whole(store.read([KEY])[KEY]) == BOTH


def test_missing_items_are_left_out(store: DigestStore) -> None:
    """Also with more keys than one call accepts."""
    store.add(digests.key_of(133), content("a"), LATER)
    assert list(store.read([digests.key_of(hour) for hour in range(150)])) == [digests.key_of(133)]


@pytest.mark.matrix(5)
@pytest.mark.usefixtures("state_table")
@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_item_is_read_as_far_as_possible_and_takes_additions(kind: str) -> None:
    """Whatever member is damaged; what is read can be used."""
    empty()
    notes = Unreadable()
    store = DynamoDbDigests(dynamodb(), TABLE, notes)
    good = Content({BATCHES: frozenset([1])}, {GROUPS: frozenset(["a"]), SOURCES: frozenset(["b"])})
    store.add(KEY, good, LATER)
    for member in members(items()[0], kind):
        empty()
        store.add(KEY, good, LATER)
        damage(items()[0], member, kind)
        found = store.read([KEY])[KEY]
        assert digests.groups_of(found, NOTHING) == {}
        assert Day.of([found]).sources == ()
        assert "c" in store.add(KEY, content("c"), LATER).texts[GROUPS]
        assert "c" in store.read([KEY])[KEY].texts[GROUPS]
