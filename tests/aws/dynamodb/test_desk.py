"""What commands do with the incidents on the table (moto), and what the dispatcher then sends."""

from __future__ import annotations

from typing import Any, Final

import pytest
from moto import mock_aws
from msgspec.structs import replace

from flowwarden.aws.dynamodb.desk import DynamoDbDesk
from flowwarden.dispatcher.desk import UNCOMPARED_SECONDS
from flowwarden.dispatcher.ports import OpenIncident
from flowwarden.notify.claims import ClaimKey
from flowwarden.notify.evidence import Evidence
from flowwarden.notify.incident import ACKNOWLEDGED_SECONDS
from flowwarden.state.schema import INCIDENTS
from flowwarden.unreadable import Unreadable
from tests.aws.clients import make_state_table, shared
from tests.dispatcher.test_dispatch import NOW, TABLE, TERMS, Account, Calls, account

__all__ = ["account"]

LATER: Final = NOW + 600


def desk(notes: Unreadable | None = None) -> DynamoDbDesk:
    """The incidents of the table."""
    return DynamoDbDesk(shared("dynamodb"), TABLE, notes)


def only() -> OpenIncident:
    """The only open incident."""
    (one,) = desk().listed(LATER)
    return one


def test_all_open_incidents_are_listed(account: Account) -> None:
    """More than the dispatcher reads at once, due or not; what is being sent is open, too."""
    account.page(NOW, *(f"k{number}" for number in range(3)))
    account.page(NOW, "unsent", calls=Calls(at=1))
    found = {each.key.incident: each for each in desk().listed(NOW + 1)}
    assert {*found} == {"k0", "k1", "k2", "unsent"}
    assert found["unsent"].pending is not None
    assert found["k0"].incident is not None
    assert found["k0"].reported is not None


def test_an_incident_that_is_over_is_found_by_its_whole_key(account: Account) -> None:
    """It is no longer listed."""
    account.page(NOW, "a")
    assert desk().resolve_by(only(), "alice", LATER)
    account.dispatch(LATER)
    assert desk().listed(LATER) == []
    found = desk().find(ClaimKey(account.sink.name, "a"), LATER)
    assert found is not None
    assert (found.resolved_at, found.resolved_by) == (LATER, "alice")
    assert desk().find(ClaimKey(account.sink.name, "b"), LATER) is None


@pytest.mark.parametrize(("by", "text"), [("alice", "resolved by command, by alice"), ("", "by command")])
def test_the_dispatcher_sends_that_an_incident_was_resolved_by_command(
    account: Account, by: str, text: str
) -> None:
    """At its next run, once, although its log group wrote nothing later."""
    account.page(NOW, "a")
    assert desk().resolve_by(only(), by, LATER)
    for at in (LATER, LATER + 60):
        account.dispatch(at)
    assert account.events == [("a", "page"), ("[RESOLVED] a", "resolved")]
    assert f"{text}\n" in account.sink.sent[-1].text
    assert account.sink.sent[-1].document["reason"].endswith(text)


def test_an_acknowledged_incident_still_resolves(account: Account) -> None:
    """By later records, as any other."""
    account.page(NOW, "a")
    assert desk().acknowledge(only(), "alice", NOW + 1)
    held = only().acknowledged
    assert held is not None
    assert (held.by, held.at, held.until) == ("alice", NOW + 1, NOW + 1 + ACKNOWLEDGED_SECONDS)
    account.records(NOW + 4000)
    account.dispatch(NOW + 4000)
    assert account.events[-1] == ("[RESOLVED] a", "resolved")
    assert "by command" not in account.sink.sent[-1].text


@pytest.mark.parametrize(
    ("reported", "lasts"), [(Evidence(gravity=1), ACKNOWLEDGED_SECONDS), (None, UNCOMPARED_SECONDS)]
)
def test_an_incident_that_cannot_get_worse_is_acknowledged_for_a_day(
    account: Account, reported: Evidence | None, lasts: int
) -> None:
    """Without evidence, further findings with its key could not be distinguished from repeats."""
    account.page(NOW, "a")
    assert desk().acknowledge(replace(only(), reported=reported), "", LATER)
    held = only().acknowledged
    assert held is not None
    assert held.until == LATER + lasts


def test_a_silenced_incident_is_resolved_without_a_notification(account: Account) -> None:
    """As a mute closes it; if it recurs after the window, it is reopened."""
    account.page(NOW, "a")
    one = only()
    assert desk().silence(one, "alice", LATER)
    assert not desk().silence(one, "alice", LATER)
    account.dispatch(LATER + 60)
    assert (account.events, desk().listed(LATER)) == ([("a", "page")], [])
    found = desk().find(one.key, LATER)
    assert found is not None
    assert (found.resolved_at, found.resolved_by, found.is_reported) == (LATER, "alice", True)
    account.page(NOW + TERMS.suppression, "a")
    assert only().incident is not None
    assert account.events == [("a", "page")] * 2


def test_nothing_is_changed_that_changed_since_it_was_read(account: Account) -> None:
    """A later repeat, or another command."""
    account.page(NOW, "a")
    before = only()
    account.page(NOW + 60, "a")
    assert not desk().resolve_by(before, "", LATER)
    assert not desk().acknowledge(before, "", LATER)
    current = only()
    assert desk().resolve_by(current, "", LATER)
    assert not desk().resolve_by(current, "", LATER)
    assert not desk().acknowledge(current, "", LATER)


def test_what_is_being_sent_is_neither_acknowledged_nor_resolved(account: Account) -> None:
    """Its invocation confirms it first."""
    account.page(NOW, "a", calls=Calls(at=1))
    (one,) = desk().listed(NOW + 1)
    assert not desk().acknowledge(one, "", NOW + 1)
    assert not desk().resolve_by(one, "", NOW + 1)


@pytest.mark.parametrize(
    "members",
    [
        {"state": {"S": "OTHER"}},
        {"state": {"N": "1"}},
        {"owner": {"BOOL": True}},
        {"incident": {"S": "{"}},
        {"incident": {"S": '{"title": 7}'}},
        {"incident": {"L": []}},
    ],
)
def test_a_damaged_item_is_left_out_and_the_others_are_listed(
    account: Account, members: dict[str, Any]
) -> None:
    """It is noted, and changes nothing."""
    account.page(NOW, "a", "b")
    partition, sort = INCIDENTS.address(account.sink.name, "b")
    item = shared("dynamodb").get_item(TableName=TABLE, Key={"pk": {"S": partition}, "sk": {"S": sort}})[
        "Item"
    ]
    shared("dynamodb").put_item(TableName=TABLE, Item=item | members)
    notes = Unreadable()
    assert [each.key.incident for each in desk(notes).listed(LATER)] == ["a"]
    assert notes.take().count == 1


def test_members_of_a_command_that_are_damaged_are_left_out(account: Account) -> None:
    """The incident is listed without them."""
    account.page(NOW, "a")
    partition, sort = INCIDENTS.address(account.sink.name, "a")
    key = {"pk": {"S": partition}, "sk": {"S": sort}}
    item = shared("dynamodb").get_item(TableName=TABLE, Key=key)["Item"]
    hostile = {"acknowledged_until": {"N": "9" * 20}, "acknowledged_by": {"N": "1"}, "resolved_by": {"L": []}}
    shared("dynamodb").put_item(TableName=TABLE, Item=item | hostile)
    assert (only().acknowledged, only().resolved_by) == (None, None)


def test_the_index_is_read_to_its_end() -> None:
    """An empty table has none."""
    with mock_aws():
        make_state_table(TABLE)
        assert desk().listed(NOW) == []
