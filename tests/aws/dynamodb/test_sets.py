"""Evidence in the state table: DynamoDB (on moto) and the fake behave the same."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from botocore.stub import Stubber
from moto import mock_aws

from flowwarden.aws.dynamodb.sets import DynamoDbEvidence
from flowwarden.aws.dynamodb.table import ATTEMPTS, PAUSE_SECONDS
from flowwarden.errors import StateUnavailable
from flowwarden.state.ports import EvidenceStore
from flowwarden.state.sets import Addition
from tests.aws.clients import client, make_state_table
from tests.monitor.fakes_state import MemoryEvidence

TABLE, LATER = "state", 1_764_086_400


@pytest.fixture(params=["dynamodb", "memory"])
def store(request: pytest.FixtureRequest) -> Iterator[EvidenceStore]:
    """Both implementations of the port."""
    if request.param == "memory":
        yield MemoryEvidence()
        return
    with mock_aws():
        make_state_table(TABLE)
        yield DynamoDbEvidence(client("dynamodb"), TABLE)


def addition(key: str = "a", **sets: set[int]) -> Addition:
    """An addition of these sets."""
    return Addition(key, {name: frozenset(numbers) for name, numbers in sets.items()}, LATER)


def test_an_addition_returns_the_union(store: EvidenceStore) -> None:
    """Including numbers of other writers; items are independent."""
    store.add(addition("b", failed={9}))
    assert store.add(addition(failed={1, 2}, answered={2**48 - 1})) == {
        "failed": {1, 2}, "answered": {2**48 - 1},
    }  # fmt: skip
    assert store.add(addition(failed={2, 3})) == {"failed": {1, 2, 3}, "answered": {2**48 - 1}}


def test_an_empty_set_adds_nothing_and_does_not_block_other_sets(store: EvidenceStore) -> None:
    """DynamoDB has no empty sets, and would reject the whole write."""
    assert store.add(addition(failed={1}, sessions=set())) == {"failed": {1}}
    assert store.read(["a"]) == {"a": {"failed": {1}}}


@pytest.mark.matrix(4)
@pytest.mark.parametrize("seed", range(5))
def test_order_and_repetition_of_additions_change_nothing(store: EvidenceStore, seed: int) -> None:
    """Writers deliver at least once, in any order."""
    random = Random(seed)  # noqa: S311 - shuffles
    additions = [addition(failed={number, number % 7}) for number in range(20)] * 2
    random.shuffle(additions)
    for each in additions:
        store.add(each)
    assert store.read(["a"]) == {"a": {"failed": frozenset(range(20))}}


def test_missing_items_are_left_out(store: EvidenceStore) -> None:
    """Also with more keys than one BatchGetItem accepts."""
    store.add(addition("k7", edges={1}))
    store.add(addition("k133", edges={2}))
    found = store.read([f"k{number}" for number in range(150)])
    assert found == {"k7": {"edges": {1}}, "k133": {"edges": {2}}}


def test_an_item_expires_when_it_is_no_longer_used() -> None:
    """TTL reads `expires_at`."""
    with mock_aws():
        make_state_table(TABLE)
        dynamodb = client("dynamodb")
        DynamoDbEvidence(dynamodb, TABLE).add(addition(failed={1}))
        (item,) = dynamodb.scan(TableName=TABLE)["Items"]
    assert item["expires_at"] == {"N": str(LATER)}


def test_an_unreachable_table_raises_state_unavailable() -> None:
    """The caller continues without the table."""
    dynamodb = client("dynamodb")
    with Stubber(dynamodb) as stub:
        stub.add_client_error("update_item", "ProvisionedThroughputExceededException")
        stub.add_client_error("batch_get_item", "ThrottlingException")
        evidence = DynamoDbEvidence(dynamodb, TABLE)
        with pytest.raises(StateUnavailable, match="table state"):
            evidence.add(addition(failed={1}))
        with pytest.raises(StateUnavailable, match="table state"):
            evidence.read(["a"])


def test_unprocessed_keys_do_not_count_as_missing() -> None:
    """A throttled table returns a part; with half a baseline, the other half would look new.

    The keys are read again after a pause, because the table would leave them unprocessed again at once.
    """
    waited: list[float] = []
    dynamodb = client("dynamodb")
    left = {TABLE: {"Keys": [{"pk": {"S": "a"}, "sk": {"S": "sets"}}]}}
    with Stubber(dynamodb) as stub:
        for _ in range(ATTEMPTS):
            stub.add_response("batch_get_item", {"Responses": {TABLE: []}, "UnprocessedKeys": left})
        with pytest.raises(StateUnavailable, match="unprocessed"):
            DynamoDbEvidence(dynamodb, TABLE, wait=waited.append).read(["a"])
    assert waited == [PAUSE_SECONDS, 2 * PAUSE_SECONDS]
