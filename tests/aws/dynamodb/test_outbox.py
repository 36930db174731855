"""The enforcer's unsent reports in the state table, on moto; the fake of other tests behaves the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from botocore.stub import Stubber
from moto import mock_aws
from msgspec.structs import replace

from flowwarden.aws.dynamodb.outbox import DynamoDbOutbox
from flowwarden.enforcer.outbox import OutboxStore, Unsent
from flowwarden.enforcer.registry import ENFORCER, DeletedFlowLog
from flowwarden.errors import StateUnavailable
from flowwarden.notify.notification import Notification
from flowwarden.unreadable import Unreadable
from tests.aws.clients import client, make_state_table, shared
from tests.aws.dynamodb.damage import DAMAGE, DROPPED
from tests.enforcer.fakes import FakeOutbox

TABLE, NOW = "state", 1_764_000_000


def report(key: str = "k", text: str = "text") -> Unsent:
    """A report that was not sent."""
    notification = Notification(
        subject="s",
        text=text,
        document={"counts": {"created": 1}, "vpc": None},
        attributes={"kind": "enforcement"},
    )
    return Unsent(key=key, batch="event", notification=notification)


@pytest.fixture(params=["dynamodb", "memory"])
def outbox(request: pytest.FixtureRequest) -> Iterator[OutboxStore]:
    """Both implementations of the port."""
    if request.param == "memory":
        yield FakeOutbox()
        return
    with mock_aws():
        make_state_table(TABLE)
        yield DynamoDbOutbox(shared("dynamodb"), TABLE)


def test_reports_are_loaded_as_they_were_stored_until_they_are_removed(outbox: OutboxStore) -> None:
    """One for each key; removing one that is not there does nothing."""
    outbox.put(report("a"), NOW)
    outbox.put(report("b"), NOW)
    outbox.put(report("a", "later"), NOW)
    assert sorted(outbox.load(), key=lambda each: each.key) == [report("a", "later"), report("b")]
    outbox.remove("a")
    outbox.remove("a")
    assert list(outbox.load()) == [report("b")]


def test_a_report_expires() -> None:
    """`expires_at` is the table's TTL attribute."""
    with mock_aws():
        make_state_table(TABLE)
        dynamodb = shared("dynamodb")
        DynamoDbOutbox(dynamodb, TABLE).put(report(), NOW)
        (item,) = dynamodb.scan(TableName=TABLE)["Items"]
    assert item["expires_at"] == {"N": str(NOW + 3 * 86_400)}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_report_that_cannot_be_read_is_named_once_and_removed(kind: str) -> None:
    """Nothing can be sent of it; the others stay."""
    with mock_aws():
        make_state_table(TABLE)
        dynamodb, notes = shared("dynamodb"), Unreadable()
        outbox = DynamoDbOutbox(dynamodb, TABLE, notes)
        outbox.put(report("a"), NOW)
        (item,) = dynamodb.scan(TableName=TABLE)["Items"]
        damaged = {} if kind == DROPPED else {"report": DAMAGE[kind]}
        kept = {name: value for name, value in item.items() if name != "report"}
        dynamodb.put_item(TableName=TABLE, Item=kept | damaged | {"sk": {"S": "unsent#x"}})
        assert outbox.load() == [report("a")]
        assert [each.startswith("outbox unsent#x: report ") for each in notes.take().named] == [True]
        assert dynamodb.scan(TableName=TABLE)["Items"] == [item]
        assert outbox.load() == [report("a")]
        assert notes.take().count == 0


def test_a_refused_call_raises_state_unavailable() -> None:
    """From every method: the run goes on without the outbox."""
    stubbed = client("dynamodb")
    outbox = DynamoDbOutbox(stubbed, TABLE)
    calls: list[tuple[str, Callable[[], object]]] = [
        ("query", outbox.load),
        ("update_item", lambda: outbox.put(report(), NOW)),
        ("delete_item", lambda: outbox.remove("a")),
    ]
    for method, call in calls:
        with Stubber(stubbed) as stub:
            stub.add_client_error(method, service_error_code="ThrottlingException")
            with pytest.raises(StateUnavailable):
                call()


def test_a_report_with_another_key_than_its_item_is_removed_and_noted() -> None:
    """It could not be removed, so it would be sent again after each suppression window."""
    with mock_aws():
        make_state_table(TABLE)
        dynamodb, notes = shared("dynamodb"), Unreadable()
        outbox = DynamoDbOutbox(dynamodb, TABLE, notes)
        outbox.put(report("a"), NOW)
        (item,) = dynamodb.scan(TableName=TABLE)["Items"]
        dynamodb.put_item(TableName=TABLE, Item=item | {"sk": {"S": "unsent#b"}})
        assert outbox.load() == [report("a")]
        assert notes.take().named == ("outbox unsent#b: report has another key than its item",)
        assert dynamodb.scan(TableName=TABLE)["Items"] == [item]


def test_the_deletions_of_a_report_are_stored_with_it(outbox: OutboxStore) -> None:
    """They are marked as reported once it is sent."""
    entry = DeletedFlowLog(flow_log_id="fl-0a", vpc_id="vpc-1", managed=True, at=NOW, caller=ENFORCER)
    outbox.put(replace(report(), replaced=(entry,)), NOW)
    assert outbox.load()[0].replaced == (entry,)
