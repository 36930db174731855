"""Acknowledged incidents: on DynamoDB (moto), and the fake of other tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from moto import mock_aws
from msgspec import Struct
from msgspec.structs import replace

from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.aws.dynamodb.desk import DynamoDbDesk
from flowwarden.dispatcher.desk import UNCOMPARED_SECONDS
from flowwarden.notify.claim_request import ClaimRequest
from flowwarden.notify.claims import Claim, ClaimKey, ClaimState, ClaimTerms, Owner
from flowwarden.notify.evidence import GROWTH, JOIN_SECONDS, Evidence
from flowwarden.notify.incident import ACKNOWLEDGED_SECONDS, Event, Incident
from flowwarden.notify.notification import Notification
from flowwarden.notify.pending import StoredNotification
from flowwarden.notify.ports import Claims
from flowwarden.state.schema import INCIDENTS
from flowwarden.unreadable import CLOCKS
from tests.aws.clients import make_state_table, shared
from tests.notify.fakes import MemoryClaims

TERMS: Final = ClaimTerms(suppression=3600, lease=50)
KEY: Final = ClaimKey("sns:pages", "0a" * 16)
NOW: Final = 1_764_000_000
AT: Final = NOW + 60
"""When the incident is acknowledged."""
LATER: Final = AT + 20 * 86_400
"""Long after the suppression window."""
TABLE: Final = "state"
HOST: Final = Evidence(gravity=2, amount=5)
INCIDENT: Final = Incident(
    title="A host scans.",
    severity="high",
    detectors=("scan",),
    subject="10.0.0.5",
    log_group="group",
    last_seen=NOW,
    resolve_after=1800,
    attributes={},
)
_SENT: Final = StoredNotification.of(Notification(subject="s", text="t\n", document={}, attributes={}))


class Stored(Struct):
    """Claims, and the command that acknowledges."""

    claims: Claims
    acknowledge: Callable[[int], bool]
    number: int = 0

    def page(self, now: int, evidence: Evidence | None = HOST) -> Claim:
        """Claim as a new batch, and confirm what is claimed."""
        self.number += 1
        owner = Owner(f"batch-{self.number}", "1")
        incident = replace(INCIDENT, last_seen=now)
        claim = self.claims.claim(ClaimRequest(KEY, owner, now, None, evidence, incident, _SENT))
        if claim.state is ClaimState.CLAIMED:
            reported = evidence and evidence.together(claim.reported, claim.joined)
            self.claims.confirm(ClaimRequest(KEY, owner, now, None, reported, incident))
        return claim

    def is_sent(self, now: int, evidence: Evidence | None = HOST) -> bool:
        """Whether a repeat is sent."""
        return self.page(now, evidence).state is ClaimState.CLAIMED


def on_table() -> Stored:
    """The incident on the table."""
    desk = DynamoDbDesk(shared("dynamodb"), TABLE)

    def acknowledge(now: int) -> bool:
        (one,) = desk.listed(now)
        return desk.acknowledge(one, "alice", now)

    return Stored(DynamoDbClaims(shared("dynamodb"), TABLE, TERMS), acknowledge)


def in_memory() -> Stored:
    """The incident in the fake."""
    claims = MemoryClaims(TERMS)

    def acknowledge(now: int) -> bool:
        claims.acknowledge(KEY, now)
        return True

    return Stored(claims, acknowledge)


@pytest.fixture(params=[on_table, in_memory])
def stored(request: pytest.FixtureRequest) -> Iterator[Stored]:
    """Both implementations, without incidents."""
    with mock_aws():
        make_state_table(TABLE)
        yield request.param()


def sent_and_acknowledged(stored: Stored, evidence: Evidence | None = HOST) -> None:
    """An incident was sent, and acknowledged a minute later."""
    assert stored.is_sent(NOW, evidence)
    assert stored.acknowledge(AT)


def test_an_incident_without_evidence_is_acknowledged_for_a_day(stored: Stored) -> None:
    """Nothing shows whether it gets worse, as for notifications to operations."""
    sent_and_acknowledged(stored, None)
    for at in (NOW + TERMS.suppression, AT + UNCOMPARED_SECONDS - 1):
        assert not stored.is_sent(at, None)
    assert stored.is_sent(AT + UNCOMPARED_SECONDS, None)


@pytest.mark.parametrize("evidence", [HOST, Evidence(gravity=2, members=("a", "b"))])
def test_an_acknowledged_incident_is_not_sent_again(stored: Stored, evidence: Evidence) -> None:
    """Also long after the suppression window, for as long as it is acknowledged, and no longer."""
    sent_and_acknowledged(stored, evidence)
    assert not stored.is_sent(AT + 1, evidence)
    for at in (NOW + TERMS.suppression, LATER, AT + ACKNOWLEDGED_SECONDS - 1):
        assert not stored.is_sent(at, evidence)


def test_an_acknowledgment_ends_after_its_days(stored: Stored) -> None:
    """An incident that goes on is sent again, with the number of its repeats."""
    sent_and_acknowledged(stored)
    assert not stored.is_sent(LATER)
    claim = stored.page(AT + ACKNOWLEDGED_SECONDS)
    assert (claim.state, claim.suppressed_batches, claim.event) == (ClaimState.CLAIMED, 1, Event.UPDATED)


def test_without_an_acknowledgment_it_is_sent_after_the_window(stored: Stored) -> None:
    """The control."""
    assert stored.is_sent(NOW)
    assert stored.is_sent(LATER)


@pytest.mark.parametrize(
    "worse",
    [
        Evidence(gravity=3, amount=5),
        Evidence(gravity=2, amount=5 * GROWTH),
        Evidence(gravity=2, amount=5, members=("another",)),
    ],
    ids=["graver", "tenfold", "a new member"],
)
def test_an_incident_that_gets_worse_is_sent(stored: Stored, worse: Evidence) -> None:
    """Within the window and after it; the acknowledgment ends with that notification."""
    first = Evidence(gravity=2, amount=5, members=("one",) if worse.members else ())
    sent_and_acknowledged(stored, first)
    assert not stored.is_sent(LATER, first)
    claim = stored.page(LATER + 1, worse)
    assert (claim.state, claim.event, claim.reported is not None) == (ClaimState.CLAIMED, Event.UPDATED, True)
    assert not stored.is_sent(LATER + 2, first)
    assert stored.is_sent(LATER + 2 + TERMS.suppression, worse)


def test_members_that_joined_before_stay_members(stored: Stored) -> None:
    """Without the acknowledgment, the page after the window would list them."""
    one, two = (Evidence(gravity=2, members=(name,)) for name in ("one", "two"))
    assert stored.is_sent(NOW, one)
    assert not stored.is_sent(NOW + 30, two)
    assert stored.acknowledge(AT)
    assert not stored.is_sent(LATER, two)
    assert stored.is_sent(LATER, Evidence(gravity=2, members=("three",)))


def test_a_joining_member_is_sent_after_the_window_without_an_acknowledgment(stored: Stored) -> None:
    """The control."""
    one, two = (Evidence(gravity=2, members=(name,)) for name in ("one", "two"))
    assert stored.is_sent(NOW, one)
    assert not stored.is_sent(NOW + 30, two)
    assert stored.is_sent(NOW + max(TERMS.suppression, JOIN_SECONDS), two)


@pytest.fixture
def table() -> Iterator[Stored]:
    """The table alone."""
    with mock_aws():
        make_state_table(TABLE)
        yield on_table()


def change(expression: str, **values: Any) -> None:
    """Change the item by hand."""
    partition, sort = INCIDENTS.address(KEY.sink, KEY.incident)
    shared("dynamodb").update_item(
        TableName=TABLE,
        Key={"pk": {"S": partition}, "sk": {"S": sort}},
        UpdateExpression=expression,
        ExpressionAttributeValues={f":{name}": each for name, each in values.items()},
    )


@pytest.mark.parametrize(
    "until",
    [
        {"N": str(LATER + ACKNOWLEDGED_SECONDS + CLOCKS + 1)},
        {"N": "9" * 30},
        {"N": "-1"},
        {"S": str(LATER + 60)},
        {"BOOL": True},
    ],
)
def test_a_damaged_acknowledgment_suppresses_nothing(table: Stored, until: dict[str, Any]) -> None:
    """A time that no command stores, or a member of another type."""
    sent_and_acknowledged(table)
    change("SET acknowledged_until = :until", until=until)
    assert table.is_sent(LATER)


def test_a_resolved_incident_is_no_longer_acknowledged(table: Stored) -> None:
    """It still resolves; if it recurs after the window, it pages as reopened."""
    sent_and_acknowledged(table)
    desk = DynamoDbDesk(shared("dynamodb"), TABLE)
    (one,) = desk.listed(LATER)
    assert desk.resolve(one, LATER)
    found = desk.find(KEY, LATER)
    assert found is not None
    assert (found.resolved_at, found.acknowledged) == (LATER, None)
    claim = table.page(LATER + 1)
    assert (claim.state, claim.event) == (ClaimState.CLAIMED, Event.REOPENED)
