"""The life of an incident: DynamoDB (on moto) and the fake of other tests hold the same facts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws
from msgspec.structs import replace

from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.aws.dynamodb.incidents import DynamoDbIncidents
from flowwarden.notify.claims import ClaimKey, ClaimState, ClaimTerms, Owner
from flowwarden.notify.evidence import Evidence
from flowwarden.notify.incident import REOPEN_SECONDS, Event, Incident, Pending, StoredNotification
from tests.aws.clients import make_state_table, shared

TERMS = ClaimTerms(suppression=14_400, lease=50)
KEY = ClaimKey("sns:pages#1", "0123456789abcdef")
NOW = 1_764_000_000
TABLE = "state"
EVIDENCE = Evidence(gravity=2)
INCIDENT = Incident(
    title="10.0.0.5 scans.",
    severity="high",
    detectors=("scan",),
    subject="10.0.0.5",
    log_group="group",
    last_seen=NOW,
    resolve_after=1800,
    attributes={"kind": "incident"},
)
NOTIFICATION = StoredNotification(subject="s", text="t\n", document={"kind": "incident"}, attributes={})


class Table:
    """Both views of the table, and batches that notify."""

    def __init__(self) -> None:
        self.claims = DynamoDbClaims(shared("dynamodb"), TABLE, TERMS)
        self.incidents = DynamoDbIncidents(shared("dynamodb"), TABLE, TERMS.lease)
        self._batches = 0

    def claim(self, now: int, seen: int | None = None) -> tuple[Owner, Event, ClaimState]:
        """A new batch with the incident."""
        self._batches += 1
        owner = Owner(f"batch-{self._batches}", "1")
        incident = replace(INCIDENT, last_seen=now if seen is None else seen)
        pending = Pending(incident=incident, notification=NOTIFICATION, evidence=EVIDENCE)
        claim = self.claims.claim(KEY, owner, now, None, EVIDENCE, pending)
        self._incident = incident.after(claim.earlier, claim.event, now)
        return owner, claim.event, claim.state

    def send(self, now: int) -> Event:
        """A batch that notifies; returns what it reports."""
        owner, event, state = self.claim(now)
        assert state is ClaimState.CLAIMED
        self.claims.confirm(KEY, owner, now, None, EVIDENCE, self._incident)
        return event

    def resolve(self, now: int) -> bool:
        """Resolve the incident, and report that."""
        (one,) = self.incidents.due(now, 10)
        resolved = self.incidents.resolve(one, now)
        return resolved and self.incidents.close(replace(one, resolved_at=now))


@pytest.fixture
def table() -> Iterator[Table]:
    """An empty table."""
    with mock_aws():
        make_state_table(TABLE)
        yield Table()


def test_a_pending_notification_is_due_after_its_lease(table: Table) -> None:
    """The invocation may still be sending until then; a retry of the batch goes first for another minute."""
    table.claim(NOW)
    assert table.incidents.due(NOW + TERMS.lease + 59, 10) == []
    (one,) = table.incidents.due(NOW + TERMS.lease + 60, 10)
    assert one.pending is not None
    assert (one.key, one.pending.notification, one.is_leased, one.batch) == (
        KEY,
        NOTIFICATION,
        False,
        "batch-1",
    )
    assert one.pending.evidence == EVIDENCE


def test_only_one_run_takes_a_pending_notification_over(table: Table) -> None:
    """The other one read the same item."""
    table.claim(NOW)
    at = NOW + TERMS.lease + 60
    (one,) = table.incidents.due(at, 10)
    assert table.incidents.take(one, Owner(one.batch, "d1"), at)
    assert not table.incidents.take(one, Owner(one.batch, "d2"), at)
    assert table.incidents.due(at, 10) == []


def test_an_open_incident_is_due_when_it_may_be_over(table: Table) -> None:
    """Not before: its wait after the latest traffic."""
    table.send(NOW)
    assert table.incidents.due(NOW + 1799, 10) == []
    (one,) = table.incidents.due(NOW + 1800, 10)
    assert one.pending is None
    assert one.incident == replace(INCIDENT, opened_at=NOW)


def test_a_repeat_stores_when_it_was_seen(table: Table) -> None:
    """A repeat of earlier traffic, which arrives late, does not set it back."""
    table.send(NOW)
    assert table.claim(NOW + 300)[2] is ClaimState.SUPPRESSED
    assert table.claim(NOW + 600, NOW + 100)[2] is ClaimState.SUPPRESSED
    (one,) = table.incidents.due(NOW + 1800, 10)
    assert one.incident is not None
    assert one.incident.last_seen == NOW + 300


def test_a_repeat_between_reading_and_resolving_keeps_it_open(table: Table) -> None:
    """The write compares when it was last seen."""
    table.send(NOW)
    (one,) = table.incidents.due(NOW + 1800, 10)
    table.claim(NOW + 1801)
    assert not table.incidents.resolve(one, NOW + 1802)


def test_a_resolved_incident_is_not_due_any_more(table: Table) -> None:
    """Once that was reported; until then, each run finds it."""
    table.send(NOW)
    (one,) = table.incidents.due(NOW + 1800, 10)
    assert table.incidents.resolve(one, NOW + 1800)
    (again,) = table.incidents.due(NOW + 1800, 10)
    assert again.resolved_at == NOW + 1800
    assert table.incidents.close(again)
    assert table.incidents.due(NOW + 10**6, 10) == []


def test_within_the_window_a_recurrence_reopens_it_silently(table: Table) -> None:
    """It waits longer then, and its end is not reported again."""
    table.send(NOW)
    assert table.resolve(NOW + 1800)
    assert table.claim(NOW + 3600)[2] is ClaimState.SUPPRESSED
    assert table.incidents.due(NOW + 3600 + 7199, 10) == []
    (one,) = table.incidents.due(NOW + 3600 + 7200, 10)
    assert one.incident is not None
    assert (one.incident.reopened, one.resolved_at, one.is_told) == (1, None, True)


def test_after_the_window_a_recurrence_is_sent_as_reopened(table: Table) -> None:
    """For a day after the end; later it is a new incident."""
    table.send(NOW)
    assert table.resolve(NOW + 1800)
    assert table.send(NOW + TERMS.suppression) is Event.REOPENED
    (one,) = table.incidents.due(NOW + TERMS.suppression + 7200, 10)
    assert one.incident is not None
    assert (one.incident.opened_at, one.incident.reopened, one.is_told) == (NOW, 1, False)


def test_after_a_day_a_recurrence_is_a_new_incident(table: Table) -> None:
    """Its wait begins anew."""
    table.send(NOW)
    assert table.resolve(NOW + 1800)
    later = NOW + 1800 + REOPEN_SECONDS
    assert table.send(later) is Event.OPENED
    (one,) = table.incidents.due(later + 1800, 10)
    assert one.incident is not None
    assert (one.incident.opened_at, one.incident.reopened) == (later, 0)


def test_a_later_notification_of_an_open_incident_is_an_update(table: Table) -> None:
    """After the suppression window."""
    table.send(NOW)
    assert table.send(NOW + TERMS.suppression) is Event.UPDATED


def test_a_put_off_incident_is_due_later(table: Table) -> None:
    """With since when its log group is silent, until records come again."""
    table.send(NOW)
    (one,) = table.incidents.due(NOW + 1800, 10)
    assert table.incidents.put_off(one, NOW + 4000, NOW, NOW + 1800)
    assert table.incidents.due(NOW + 3999, 10) == []
    (later,) = table.incidents.due(NOW + 4000, 10)
    assert later.no_data_since == NOW
    assert table.incidents.put_off(later, NOW + 5000, None, NOW + 4000)
    (last,) = table.incidents.due(NOW + 5000, 10)
    assert last.no_data_since is None


@pytest.mark.parametrize(
    "damage",
    [
        {"incident": {"S": "{"}},
        {"state": {"S": "GONE"}},
        {"owner": {"N": "1"}},
        {"incident": {"N": "1"}},
    ],
    ids=str,
)
def test_a_damaged_item_is_not_due_for_ever(table: Table, damage: dict[str, dict[str, str]]) -> None:
    """It leaves the index, and the others are found."""
    table.send(NOW)
    ((name, value),) = damage.items()
    shared("dynamodb").update_item(
        TableName=TABLE,
        Key={"pk": {"S": f"incident#{KEY.sink}#{KEY.incident}"}, "sk": {"S": "claim"}},
        UpdateExpression="SET #name = :value",
        ExpressionAttributeNames={"#name": name},
        ExpressionAttributeValues={":value": value},
    )
    assert table.incidents.due(NOW + 1800, 10) == []
    assert table.incidents._table.due("open", NOW + 10**6, 10) == []  # noqa: SLF001 - the index itself
