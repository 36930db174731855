"""Changes of rules in the state table (moto): what is stored, read, and ignored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from moto import mock_aws
from msgspec.structs import replace

from flowwarden.aws.dynamodb.recent_changes import DynamoDbRecentChanges
from flowwarden.aws.dynamodb.rule_changes import DynamoDbRuleChanges
from flowwarden.errors import RulesUnavailable
from flowwarden.state.rule_changes import RuleChange
from flowwarden.state.schema import MOST_CHANGES, RULE_CHANGES
from flowwarden.state.sets import DAY
from flowwarden.unreadable import Unreadable
from tests.aws.clients import make_state_table, shared

TABLE: Final = "state"
NOW: Final = 1_764_000_000
CHANGE: Final = RuleChange(
    resource="sg-1", call="RevokeSecurityGroupIngress", call_id="e-1", at=NOW - 60, actor="ada", what="tcp/22"
)


@contextmanager
def allow() -> Iterator[None]:
    """Allow every request."""
    yield


@pytest.fixture
def store() -> Iterator[DynamoDbRuleChanges]:
    """A table without changes."""
    with mock_aws():
        make_state_table(TABLE)
        yield DynamoDbRuleChanges(shared("dynamodb"), TABLE)


def recent(*resources: str, unreadable: Unreadable | None = None) -> list[RuleChange]:
    """The changes of the last day."""
    found = DynamoDbRecentChanges(lambda: shared("dynamodb"), TABLE, unreadable)
    return found.of(resources or ("sg-1",), NOW - DAY, allow)


def test_a_stored_change_is_read_for_a_day(store: DynamoDbRuleChanges) -> None:
    """Stored twice, it is one; the table removes it a day after the call."""
    store.store([CHANGE])
    store.store([CHANGE])
    assert recent() == [CHANGE]
    (item,) = shared("dynamodb").scan(TableName=TABLE)["Items"]
    assert int(item["expires_at"]["N"]) == CHANGE.at + DAY


def test_a_change_of_another_resource_or_of_the_day_before_is_not_read(store: DynamoDbRuleChanges) -> None:
    """A longer id begins with the same characters."""
    store.store([replace(CHANGE, resource="sg-11"), replace(CHANGE, at=NOW - DAY - 1)])
    assert recent() == []


def test_the_latest_changes_of_a_resource_are_read_first(store: DynamoDbRuleChanges) -> None:
    """Of a resource that is changed every minute, only the latest ones."""
    store.store([replace(CHANGE, at=NOW - 60 * each, call_id=f"e-{each}") for each in range(1, 21)])
    store.store([replace(CHANGE, resource="acl-1", at=NOW - 90)])
    found = recent("sg-1", "acl-1")
    assert [each.at for each in found] == [NOW - 60, NOW - 90, *(NOW - 60 * each for each in range(2, 6))]
    assert len([each for each in found if each.resource == "sg-1"]) == MOST_CHANGES


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"content": {"N": "5"}},
        {"content": {"S": "{"}},
        {"content": {"S": '{"resource": "sg-1"}'}},
        {"content": {"S": '{"resource": "sg-2", "call": "X", "call_id": "e-1", "at": 1}'}},
    ],
)
def test_an_item_that_is_not_a_change_is_ignored_and_noted(
    store: DynamoDbRuleChanges, members: dict[str, Any]
) -> None:
    """The others are read."""
    store.store([CHANGE])
    partition, key = RULE_CHANGES.address("sg-1", NOW - 30, "e-9")
    shared("dynamodb").put_item(TableName=TABLE, Item={"pk": {"S": partition}, "sk": {"S": key}, **members})
    unreadable = Unreadable()
    assert recent(unreadable=unreadable) == [CHANGE]
    assert unreadable.take().count == 1


def test_without_the_table_the_reason_is_short() -> None:
    """It is shown on a page."""
    with mock_aws(), pytest.raises(RulesUnavailable, match="the state table did not return"):
        recent()
