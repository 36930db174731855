"""Damaged items of open incidents: they are sent and resolved nevertheless, or end and are counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from flowwarden.aws.dynamodb.incidents import DynamoDbIncidents
from flowwarden.aws.dynamodb.item import is_value
from flowwarden.dispatcher.report import DispatchReport
from flowwarden.unreadable import Unreadable
from tests.aws.clients import shared
from tests.aws.dynamodb.damage import DAMAGE, DROPPED, damage, empty, items
from tests.dispatcher.test_dispatch import NOW, TABLE, TERMS, Account, Calls

pytestmark = pytest.mark.usefixtures("state_table")
DUE = NOW + TERMS.lease + 60


@pytest.fixture
def notes() -> Unreadable:
    """What could not be read."""
    return Unreadable()


@pytest.fixture
def account(notes: Unreadable) -> Account:
    """An account on an empty table."""
    empty()
    made = Account()
    made.incidents = DynamoDbIncidents(shared("dynamodb"), TABLE, TERMS.lease, notes)
    return made


def minutes(account: Account, start: int, most: int = 14) -> DispatchReport:
    """What the runs of some minutes did."""
    total = DispatchReport()
    for minute in range(most):
        report = account.dispatch(start + 60 * minute)
        assert report is not None
        total += report
    return total


@pytest.mark.matrix(12)
@pytest.mark.parametrize("kind", DAMAGE)
@pytest.mark.parametrize("member", ["last_seen", "lease_until", "tries", "sent_at"])
def test_a_pending_notification_is_sent_once_whatever_its_item_contains(
    account: Account, notes: Unreadable, member: str, kind: str
) -> None:
    """It is not due for ever, and a damaged lease holds nothing."""
    account.page(NOW, "a", calls=Calls(at=1), batch="b")
    (item,) = items()
    damage(item, member, kind)
    done = minutes(account, DUE)
    assert account.events == [("a", "page")]
    assert (done.resent, done.unsent) == (1, ())
    assert done.due <= 3
    if kind not in {DROPPED, "a far time", "a huge number"} and member == "lease_until":
        assert notes.take().count >= 1


@pytest.mark.matrix(12)
@pytest.mark.parametrize("kind", DAMAGE)
@pytest.mark.parametrize("member", ["last_seen", "lease_until", "suppressed_until", "reopened"])
def test_an_open_incident_is_resolved_once_whatever_its_item_contains(
    account: Account, member: str, kind: str
) -> None:
    """By what can still be read of it."""
    account.page(NOW, "a")
    (item,) = items()
    damage(item, member, kind)
    account.records(NOW + 30 * 3600 - 600)
    done = minutes(account, NOW + 30 * 3600, 3)
    assert account.events == [("a", "page"), ("[RESOLVED] a", "resolved")]
    assert (done.resolved, done.unsent) == (1, ())


@pytest.mark.matrix(10)
@pytest.mark.parametrize("kind", DAMAGE)
@pytest.mark.parametrize("member", ["state", "owner", "pending"])
def test_an_item_that_cannot_be_read_is_due_once_and_counted(
    account: Account, notes: Unreadable, member: str, kind: str
) -> None:
    """Nothing shows what would have to be sent, or for which batch."""
    account.page(NOW, "a", calls=Calls(at=1), batch="b")
    (item,) = items()
    if member == "owner" and "S" in (DAMAGE[kind] or {}):
        pytest.skip("any text is an owner")
    damage(item, member, kind)
    assert minutes(account, DUE, 5).due == 0
    assert account.events == []
    assert notes.take().count >= 1
    (item,) = items()
    assert not {"open", "check_at"} & item.keys()


def test_an_item_that_was_written_meanwhile_is_not_forgotten(account: Account) -> None:
    """Another invocation has repaired it since it was read."""
    account.page(NOW, "a", calls=Calls(at=1), batch="b")
    (item,) = items()
    damage(item, "state", "junk")
    client: Any = _Client(lambda: account.page(DUE, "a", calls=Calls(at=1), batch="c"))
    assert DynamoDbIncidents(client, TABLE, TERMS.lease).due(DUE, 10) == []
    (item,) = items()
    assert {"open", "check_at", "pending"} <= item.keys()
    account.dispatch(DUE + TERMS.lease + 660)
    assert account.events == [("a", "page")]


class _Client:
    """A client of the table, which another invocation writes after each item was read."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        self._meanwhile = meanwhile

    def get_item(self, **arguments: Any) -> Any:
        """The item, as it was before the write."""
        found = shared("dynamodb").get_item(**arguments)
        self._meanwhile()
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(shared("dynamodb"), name)


@pytest.mark.parametrize("kind", [each for each in DAMAGE if each != DROPPED])
def test_every_value_of_dynamodb_can_be_compared(kind: str) -> None:
    """Alone, in a list and in a structure."""
    value = DAMAGE[kind]
    assert all(map(is_value, (value, {"L": [value]}, {"M": {"x": value}})))


@pytest.mark.parametrize(
    "member",
    [None, 5, "x", {}, {"N": 5}, {"N": []}, {"S": None}, {"SS": []}, {"SS": [1]}, {"X": "y"},
     {"S": "a", "N": "1"}, {"L": [{"N": []}]}, {"M": {"x": 1}}, {"BOOL": "true"}, {"L": {}}, {"M": []}],
)  # fmt: skip
def test_what_is_no_value_is_not_sent_back(member: object) -> None:
    """The SDK would refuse the write, and each run would begin with it."""
    assert not is_value(member)
