"""The enforcer's work queue in the state table, on moto."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from flowwarden.aws.dynamodb.work_queue import DynamoDbWorkQueue
from flowwarden.enforcer.work_queue import Cursor, WorkItem
from flowwarden.errors import StateUnavailable
from flowwarden.state.schema import WORK, WORK_TTL
from tests.aws.clients import make_state_table, shared

TABLE = "state"
ONE = WorkItem(vpc_id="vpc-1", due=200, reason="new", grace_until=200)


@pytest.fixture
def queue() -> Iterator[DynamoDbWorkQueue]:
    """An empty table."""
    with mock_aws():
        make_state_table(TABLE)
        yield DynamoDbWorkQueue(shared("dynamodb"), TABLE)


def test_items_are_stored_loaded_and_removed(queue: DynamoDbWorkQueue) -> None:
    """One item for each VPC, which a later one replaces; removing is idempotent."""
    two = WorkItem(
        vpc_id="vpc-2", due=300, reason="to be verified", backoff_configuration="0a", backoff_until=400
    )
    for each in (ONE, two, ONE):
        queue.put(each)
    assert queue.load() == ([ONE, two], None)
    for _ in range(2):
        queue.remove("vpc-1")
    assert queue.load() == ([two], None)


def test_the_cursor_is_stored_with_the_vpcs(queue: DynamoDbWorkQueue) -> None:
    """One read returns both."""
    cursor = Cursor(after="vpc-1")
    queue.put(ONE)
    queue.put_cursor(cursor, 100)
    assert queue.load() == ([ONE], cursor)
    queue.put_cursor(None, 100)
    assert queue.load() == ([ONE], None)


def test_an_item_of_another_version_is_ignored(queue: DynamoDbWorkQueue) -> None:
    """Otherwise every event would fail until the item is deleted."""
    queue.put(ONE)
    for sk, item in (("vpc#vpc-8", {}), ("vpc#vpc-9", {"content": {"S": '{"vpc_id": 9}'}})):
        key = {"pk": {"S": WORK}, "sk": {"S": sk}}
        shared("dynamodb").put_item(TableName=TABLE, Item=key | item)
    assert queue.load() == ([ONE], None)


def test_items_expire(queue: DynamoDbWorkQueue) -> None:
    """`WORK_TTL` after they are due."""
    queue.put(ONE)
    (item,) = shared("dynamodb").scan(TableName=TABLE)["Items"]
    assert int(item["expires_at"]["N"]) == 200 + WORK_TTL


def test_an_unreachable_table_raises_state_unavailable() -> None:
    """From every method."""
    with mock_aws():
        queue = DynamoDbWorkQueue(shared("dynamodb"), "no-such-table")
        for call in (
            queue.load,
            lambda: queue.put(ONE),
            lambda: queue.remove("vpc-1"),
            lambda: queue.put_cursor(Cursor(after="vpc-1"), 100),
            lambda: queue.put_cursor(None, 100),
        ):
            with pytest.raises(StateUnavailable, match="no-such-table"):
                call()
