"""The state table."""

from __future__ import annotations

from moto import mock_aws

from flowwarden.aws.dynamodb.lifecycle import OPEN
from tests.aws.clients import make_state_table, shared
from tests.template import stack


def test_the_table_is_on_demand_encrypted_restorable_and_has_a_ttl() -> None:
    table = stack.properties("StateTable")
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"] == {"SSEEnabled": True}


def test_an_item_is_found_by_pk_and_sk() -> None:
    table = stack.properties("StateTable")
    assert table["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    assert {each["AttributeName"]: each["AttributeType"] for each in table["AttributeDefinitions"]} == {
        "pk": "S",
        "sk": "S",
        OPEN: "S",
        "check_at": "N",
    }


def test_open_incidents_are_found_by_when_they_are_due_and_the_index_contains_only_keys() -> None:
    """The items of other kinds do not have its keys, so they are not in it."""
    (index,) = stack.properties("StateTable")["GlobalSecondaryIndexes"]
    assert index == {
        "IndexName": OPEN,
        "KeySchema": [
            {"AttributeName": OPEN, "KeyType": "HASH"},
            {"AttributeName": "check_at", "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }


def test_tests_use_the_same_table() -> None:
    """The one on moto."""
    with mock_aws():
        make_state_table("state")
        made = shared("dynamodb").describe_table(TableName="state")["Table"]
    (index,) = made["GlobalSecondaryIndexes"]
    (declared,) = stack.properties("StateTable")["GlobalSecondaryIndexes"]
    assert {name: index[name] for name in declared} == declared
    assert made["KeySchema"] == stack.properties("StateTable")["KeySchema"]
