"""The registry of flow logs in the state table, on moto."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from botocore.stub import Stubber
from moto import mock_aws

from flowwarden.aws.dynamodb.registry import DynamoDbRegistry
from flowwarden.aws.dynamodb.table import ATTEMPTS, PAUSE_SECONDS
from flowwarden.enforcer.creation import Creation, ManagedFlowLog
from flowwarden.enforcer.deletion_call import DeletionCall
from flowwarden.enforcer.registry import DeletedFlowLog, Entry, KnownFlowLog
from flowwarden.enforcer.triggers.cloudtrail import ApiCaller
from flowwarden.errors import StateUnavailable
from flowwarden.state.schema import DELETED_FLOW_LOGS, REGISTRY
from tests.aws.clients import client, make_state_table, shared
from tests.enforcer.cases import DESIRED

TABLE = "state"
CALLER = ApiCaller(event_name="DeleteFlowLogs", actor="eve")
MANAGED = ManagedFlowLog(flow_log_id="fl-1", vpc_id="vpc-1", at=100)
ENTRIES: tuple[Entry, ...] = (
    Creation(client_token="0a", vpc_id="vpc-1", flow_log=DESIRED, at=100),  # noqa: S106  an idempotency token
    DeletedFlowLog(flow_log_id="fl-1", at=200, caller=CALLER),
    DeletionCall(call_id="d1", at=200, caller=CALLER, flow_log_ids=("fl-3", "fl-4")),
    KnownFlowLog(flow_log_id="fl-2", resource_ids=("subnet-1",), vpc_id="vpc-1", reported=("duplicate",)),
    MANAGED,
)


@pytest.fixture
def registry() -> Iterator[DynamoDbRegistry]:
    """An empty table."""
    with mock_aws():
        make_state_table(TABLE)
        yield DynamoDbRegistry(shared("dynamodb"), TABLE)


def items() -> dict[str, dict[str, object]]:
    """The items of the registry, by sort key."""
    found = shared("dynamodb").scan(TableName=TABLE)["Items"]
    return {item["sk"]["S"]: dict(item) for item in found if item["pk"]["S"] == REGISTRY}


def test_entries_are_stored_loaded_and_removed(registry: DynamoDbRegistry) -> None:
    """One item for each entry, which a later one replaces; removing is idempotent."""
    for each in (*ENTRIES, MANAGED):
        registry.put(each)
    one_by_one = items()
    assert registry.load() == list(ENTRIES)
    registry.put(*ENTRIES)
    assert items() == one_by_one, "as together"
    for _ in range(2):
        registry.remove(MANAGED)
    assert registry.load() == list(ENTRIES[:-1])


def test_the_record_of_a_flow_log_never_expires(registry: DynamoDbRegistry) -> None:
    """The table would forget that the stack created it; what was deleted may be forgotten."""
    for each in ENTRIES:
        registry.put(each)
    found = items()
    expiring = {"creation#0a", "deleted#fl-1", "deletion-call#d1"}
    assert {key for key, item in found.items() if "expires_at" in item} == expiring
    assert found["deleted#fl-1"]["expires_at"] == {"N": str(200 + DELETED_FLOW_LOGS.ttl)}


@pytest.mark.parametrize(
    ("sk", "item"),
    [
        ("managed#fl-8", {}),
        ("managed#fl-8", {"content": {"S": "{"}}),
        ("managed#fl-8", {"content": {"N": "8"}}),
        ("managed#fl-8", {"content": {"S": '{"flow_log_id": "fl-8", "vpc_id": 8, "at": 0}'}}),
        ("managed#fl-8", {"content": {"S": '{"flow_log_id": "fl-9", "vpc_id": "vpc-1", "at": 0}'}}),
        ("known#fl-8", {"content": {"S": "[]"}}),
        ("deleted#fl-8", {"content": {"S": '{"flow_log_id": "fl-8"}'}}),
        ("creation#0b", {"content": {"S": '{"client_token": "0b"}'}}),
        ("other", {"content": {"S": "{}"}}),
    ],
)
def test_an_item_that_cannot_be_read_is_ignored(
    registry: DynamoDbRegistry, sk: str, item: dict[str, dict[str, str]]
) -> None:
    """Its flow log is unmanaged then; the others are read."""
    registry.put(MANAGED)
    key = {"pk": {"S": REGISTRY}, "sk": {"S": sk}}
    shared("dynamodb").put_item(TableName=TABLE, Item=key | item)
    assert registry.load() == [MANAGED]


def test_without_the_table_each_call_says_so(registry: DynamoDbRegistry) -> None:
    """The caller must not mistake that for an empty registry."""
    shared("dynamodb").delete_table(TableName=TABLE)
    with pytest.raises(StateUnavailable):
        registry.load()
    with pytest.raises(StateUnavailable):
        registry.put(MANAGED)
    with pytest.raises(StateUnavailable):
        registry.remove(MANAGED)


def test_items_that_a_call_leaves_unprocessed_are_written_by_the_next_ones() -> None:
    """Three calls at most; each contains only what the one before left, and follows after a longer pause."""
    sent: list[int] = []
    waited: list[float] = []
    for times in (2, 3):
        calls = client("dynamodb")
        with Stubber(calls) as stub:
            for left in (3, 2, 1)[:times]:
                requests = [{"PutRequest": {"Item": {"pk": {"S": f"left {left}"}}}}] * left
                stub.add_response("batch_write_item", {"UnprocessedItems": {TABLE: requests}})
            if times < ATTEMPTS:
                stub.add_response("batch_write_item", {"UnprocessedItems": {}})
            calls.meta.events.register(
                "before-parameter-build.dynamodb.BatchWriteItem",
                lambda params, **_: sent.append(len(params["RequestItems"][TABLE])),
            )
            with nullcontext() if times < ATTEMPTS else pytest.raises(StateUnavailable, match="unprocessed"):
                DynamoDbRegistry(calls, TABLE, wait=waited.append).put(*ENTRIES)
    assert sent == [5, 3, 2, 5, 3, 2]
    assert waited == [PAUSE_SECONDS, 2 * PAUSE_SECONDS] * 2


def test_one_kind_of_entry_is_read_alone(registry: DynamoDbRegistry) -> None:
    """The others are not read: an account can have thousands."""
    registry.put(*ENTRIES)
    for each in ENTRIES:
        assert registry.load(type(each)) == [each]
