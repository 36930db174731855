"""The mutes made by command in the state table (moto): what is stored, and what is ignored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from moto import mock_aws

from flowwarden.aws.dynamodb.mute_editing import DynamoDbMuteEditor
from flowwarden.aws.dynamodb.mutes import DynamoDbMutes
from flowwarden.errors import StateUnavailable
from flowwarden.policy.made_mutes import LONGEST_DAYS, MOST_MADE, MadeMute, id_of
from flowwarden.policy.mutes import Mute
from flowwarden.state.schema import MADE_MUTES, MUTES
from flowwarden.state.sets import DAY
from flowwarden.unreadable import Unreadable
from tests.aws.clients import make_state_table, shared

TABLE: Final = "state"
NOW: Final = 1_764_000_000  # 2025-11-24 16:00 UTC
MUTE: Final = Mute(
    detector="scan", subject="10.0.0.5", peer="own", until="2025-12-01T16:00:00Z", reason="approved"
)


@pytest.fixture
def mutes() -> Iterator[DynamoDbMuteEditor]:
    """A table without mutes."""
    with mock_aws():
        make_state_table(TABLE)
        yield DynamoDbMuteEditor(shared("dynamodb"), TABLE)


def made(mute: Mute = MUTE) -> MadeMute:
    """A mute as a command makes it."""
    return MadeMute(id=id_of(mute), mute=mute, made_at=NOW, made_by="alice", incident="0a" * 16)


def put(key: str, **members: Any) -> None:
    """Store an item by hand."""
    shared("dynamodb").put_item(TableName=TABLE, Item={"pk": {"S": MADE_MUTES}, "sk": {"S": key}, **members})


def test_a_stored_mute_is_read_until_it_ends(mutes: DynamoDbMuteEditor) -> None:
    """With everything that the command stored; the table removes it after its end."""
    mutes.put(made())
    end = MUTE.end
    assert end == NOW + 7 * DAY
    assert mutes.load(NOW) == mutes.load(end - 1) == [made()]
    assert mutes.load(end) == []
    (item,) = shared("dynamodb").scan(TableName=TABLE)["Items"]
    assert int(item["expires_at"]["N"]) == end + DAY


def test_the_same_mute_made_again_replaces_it(mutes: DynamoDbMuteEditor) -> None:
    """With another end and reason; one that matches something else is another mute."""
    mutes.put(made())
    longer = Mute(detector="scan", subject="10.0.0.5", peer="own", until="2025-12-20", reason="longer")
    other = Mute(detector="scan", subject="10.0.0.6", until="2025-12-20", reason="other")
    mutes.put(made(longer))
    mutes.put(made(other))
    assert {each.mute for each in mutes.load(NOW)} == {longer, other}


def test_a_removed_mute_is_gone(mutes: DynamoDbMuteEditor) -> None:
    """Only this one, and only once."""
    other = Mute(detector="scan", subject="10.0.0.6", until="2025-12-20", reason="other")
    mutes.put(made())
    mutes.put(made(other))
    assert mutes.remove(made().id)
    assert not mutes.remove(made().id)
    assert [each.mute for each in mutes.load(NOW)] == [other]


def hostile(**members: object) -> dict[str, Any]:
    """An item whose mute has these members."""
    mute = {"detector": "scan", "subject": "10.0.0.5", "until": "2025-12-01", "reason": "x"} | members
    document = {"id": ID, "mute": {name: each for name, each in mute.items() if each is not None}}
    return {"content": {"S": json.dumps(document)}}


ID: Final = "000000000000"
TOO_LATE: Final = "2027-12-01"


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"content": {"N": "1"}},
        {"content": {"S": "[]"}},
        {"content": {"S": "{" * 100_000}},
        {"content": {"S": '{"id": "000000000000", "mute": {"detector": "scan"}}'}},
        hostile(until="never"),
        hostile(until=TOO_LATE),
        hostile(until="soon"),
        hostile(until=""),
        hostile(subject="0.0.0.0/0"),
        hostile(peer="0.0.0.0/0"),
        hostile(service="ssh"),
        hostile(reason=" "),
        hostile(subject=" x"),
        hostile(detector=None),
        hostile(everything="yes"),
        hostile(subject="x" * 1000),
        hostile(),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_hostile_item_is_ignored_and_noted(mutes: DynamoDbMuteEditor, members: dict[str, Any]) -> None:
    """The last one is valid, but is not stored under its own key; the valid mute beside it is used."""
    mutes.put(made())
    put(f"mute#{ID}", **members)
    notes = Unreadable()
    assert DynamoDbMutes(shared("dynamodb"), TABLE, notes).load(NOW) == [made()]
    assert notes.take().count == 1


def test_no_more_than_the_maximum_are_read(mutes: DynamoDbMuteEditor) -> None:
    """That there are more is noted."""
    for number in range(MOST_MADE + 1):
        mute = Mute(detector="scan", subject=f"10.0.0.{number}", until="2025-12-01", reason="x")
        mutes.put(made(mute))
    notes = Unreadable()
    assert len(DynamoDbMutes(shared("dynamodb"), TABLE, notes).load(NOW)) == MOST_MADE
    assert notes.take().count == 1


def test_the_longest_mute_is_read(mutes: DynamoDbMuteEditor) -> None:
    """A day longer is not."""
    mute = Mute(detector="scan", subject="10.0.0.5", until="2026-11-24T16:00:00Z", reason="x")
    assert mute.end == NOW + LONGEST_DAYS * DAY
    mutes.put(made(mute))
    assert mutes.load(NOW) == [made(mute)]
    assert mutes.load(NOW - DAY) == []


def test_a_table_that_does_not_answer_is_an_error() -> None:
    """The monitor goes on with what it knows."""
    with mock_aws(), pytest.raises(StateUnavailable, match="state"):
        DynamoDbMutes(shared("dynamodb"), TABLE).load(NOW)


def test_the_partition_is_that_of_the_schema(mutes: DynamoDbMuteEditor) -> None:
    """And holds nothing else."""
    mutes.put(made())
    (item,) = shared("dynamodb").scan(TableName=TABLE)["Items"]
    assert (item["pk"]["S"], item["sk"]["S"]) == MUTES.address(made().id)
