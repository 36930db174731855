"""The life of an incident: DynamoDB (on moto) and the fake of other tests hold the same facts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws
from msgspec.structs import replace

from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.aws.dynamodb.incidents import DynamoDbIncidents
from flowwarden.aws.dynamodb.lifecycle import OPEN, suppressing
from flowwarden.aws.dynamodb.table import StateTable
from flowwarden.dispatcher.ports import OpenIncident, OpenIncidents
from flowwarden.notify.claim_request import ClaimRequest
from flowwarden.notify.claims import ClaimKey, ClaimState, ClaimTerms, Owner
from flowwarden.notify.evidence import Evidence
from flowwarden.notify.incident import REOPEN_SECONDS, Event, Incident, due_at
from flowwarden.notify.pending import StoredNotification
from flowwarden.notify.ports import Claims
from flowwarden.state import watermarks
from flowwarden.state.sets import DAY, HOUR
from tests.aws.clients import make_state_table, shared
from tests.dispatcher.memory import MemoryIncidents
from tests.notify.fakes import MemoryClaims

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
    reopen_after=TERMS.suppression,
    attributes={"kind": "incident"},
)
DUE = due_at(INCIDENT, NOW)
NOTIFICATION = StoredNotification(subject="s", text="t\n", document={"kind": "incident"}, attributes={})


class Table:
    """Both views of the table, and batches that notify."""

    def __init__(self, claims: Claims, incidents: OpenIncidents) -> None:
        self.claims, self.incidents = claims, incidents
        self._batches = 0

    def claim(self, now: int, seen: int | None = None, **given: Any) -> tuple[Owner, Event, ClaimState]:
        """A new batch with the incident."""
        self._batches += 1
        owner = Owner(f"batch-{self._batches}", "1")
        incident = replace(INCIDENT, last_seen=now if seen is None else seen, **given)
        claim = self.claims.claim(ClaimRequest(KEY, owner, now, None, EVIDENCE, incident, NOTIFICATION))
        self._incident = incident.after(claim.earlier, claim.event, now)
        return owner, claim.event, claim.state

    def send(self, now: int) -> Event:
        """A batch that notifies; returns what it reports."""
        owner, event, state = self.claim(now)
        assert state is ClaimState.CLAIMED
        self.claims.confirm(ClaimRequest(KEY, owner, now, None, EVIDENCE, self._incident))
        return event

    def resolve(self, now: int) -> bool:
        """Resolve the incident, and report that."""
        (one,) = self.incidents.due(now, 10)
        resolved = self.incidents.resolve(one, now)
        return resolved and self.incidents.close(replace(one, resolved_at=now))


def on_dynamodb() -> Table:
    """A new table, on moto."""
    make_state_table(TABLE)
    dynamodb = shared("dynamodb")
    return Table(DynamoDbClaims(dynamodb, TABLE, TERMS), DynamoDbIncidents(dynamodb, TABLE, TERMS.lease))


@pytest.fixture(params=["dynamodb", "memory"])
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    """An empty table of either kind."""
    if request.param == "memory":
        claims = MemoryClaims(TERMS)
        yield Table(claims, MemoryIncidents(claims))
        return
    with mock_aws():
        yield on_dynamodb()


def test_a_pending_notification_is_due_after_its_lease(table: Table) -> None:
    """The invocation may still be sending until then; a retry of the batch goes first for 10 seconds more."""
    table.claim(NOW)
    assert table.incidents.due(NOW + TERMS.lease + 9, 10) == []
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
    """Not before the records that show it can have been processed: its wait after the latest traffic."""
    table.send(NOW)
    assert DUE == watermarks.due_at(NOW + 1800) > NOW + 1800
    assert table.incidents.due(DUE - 1, 10) == []
    (one,) = table.incidents.due(DUE, 10)
    assert one.pending is None
    assert one.incident == replace(INCIDENT, opened_at=NOW)


def test_a_repeat_stores_when_it_was_seen(table: Table) -> None:
    """A repeat of earlier traffic, which arrives late, does not set it back."""
    table.send(NOW)
    assert table.claim(NOW + 300)[2] is ClaimState.SUPPRESSED
    assert table.claim(NOW + 600, NOW + 100)[2] is ClaimState.SUPPRESSED
    (one,) = table.incidents.due(DUE, 10)
    assert one.incident is not None
    assert one.incident.last_seen == NOW + 300


def test_a_repeat_between_reading_and_resolving_keeps_it_open(table: Table) -> None:
    """The write compares when it was last seen."""
    table.send(NOW)
    (one,) = table.incidents.due(DUE, 10)
    table.claim(NOW + 1801)
    assert not table.incidents.resolve(one, NOW + 1802)


def test_a_resolved_incident_is_not_due_any_more(table: Table) -> None:
    """Once that was reported; until then, each run finds it."""
    table.send(NOW)
    (one,) = table.incidents.due(DUE, 10)
    assert table.incidents.resolve(one, DUE)
    (again,) = table.incidents.due(DUE, 10)
    assert again.resolved_at == DUE
    assert table.incidents.close(again)
    assert table.incidents.due(NOW + 10**6, 10) == []


def test_within_the_window_a_recurrence_reopens_it_silently(table: Table) -> None:
    """It waits longer then, and its end is not reported again."""
    table.send(NOW)
    assert table.resolve(DUE)
    assert table.claim(NOW + 3600)[2] is ClaimState.SUPPRESSED
    again = due_at(replace(INCIDENT, last_seen=NOW + 3600, reopened=1), NOW)
    assert table.incidents.due(again - 1, 10) == []
    (one,) = table.incidents.due(again, 10)
    assert one.incident is not None
    assert (one.incident.reopened, one.resolved_at, one.is_reported) == (1, None, True)


def ended_unreported(table: Table) -> OpenIncident:
    """An incident that is over, and whose end its sink has not got yet."""
    table.send(NOW)
    (one,) = table.incidents.due(DUE, 10)
    assert table.incidents.resolve(one, DUE)
    (ended,) = table.incidents.due(DUE, 10)
    assert (ended.resolved_at, ended.is_reported) == (DUE, False)
    return ended


def test_if_its_end_was_not_reported_a_recurrence_continues_it(table: Table) -> None:
    """The sink shows it as open: that is no reopening, and its next end is reported."""
    ended_unreported(table)
    assert table.claim(NOW + 3600)[2] is ClaimState.SUPPRESSED
    again = due_at(replace(INCIDENT, last_seen=NOW + 3600), NOW)
    (one,) = table.incidents.due(again, 10)
    assert one.incident is not None
    assert (one.incident.reopened, one.resolved_at, one.is_reported) == (0, None, False)
    assert table.incidents.resolve(one, again)


def test_if_its_end_was_being_sent_a_recurrence_reopens_it(table: Table) -> None:
    """The end was accepted after the repeat: the same as if it had been stored before."""
    ended = ended_unreported(table)
    assert table.claim(NOW + 3600)[2] is ClaimState.SUPPRESSED
    assert not table.incidents.close(ended)
    (one,) = table.incidents.due(NOW + 10**6, 10)
    assert one.incident is not None
    assert (one.incident.reopened, one.is_reported) == (1, True)
    assert not table.incidents.close(ended)  # a second dispatcher: counted once
    assert table.send(NOW + TERMS.suppression) is Event.REOPENED
    (one,) = table.incidents.due(NOW + 10**6, 10)
    assert one.incident is not None
    assert one.incident.reopened == 1


def test_an_end_that_arrives_after_the_next_notification_is_not_noted(table: Table) -> None:
    """What was sent since says that it is open."""
    ended = ended_unreported(table)
    assert table.send(NOW + TERMS.suppression) is Event.REOPENED
    assert not table.incidents.close(ended)
    (one,) = table.incidents.due(NOW + 10**6, 10)
    assert one.incident is not None
    assert (one.incident.reopened, one.is_reported) == (1, False)


@pytest.mark.parametrize(("reported", "event"), [(True, Event.OPENED), (False, Event.REOPENED)])
def test_more_than_a_day_after_its_end_it_is_new_only_if_that_was_reported(
    table: Table, *, reported: bool, event: Event
) -> None:
    """Else the notification is the first thing that the sink gets since."""
    ended = ended_unreported(table)
    if reported:
        assert table.incidents.close(ended)
    assert table.send(DUE + 2 * DAY) is event


def test_after_the_window_a_recurrence_is_sent_as_reopened(table: Table) -> None:
    """For a day after the end; later it is a new incident."""
    table.send(NOW)
    assert table.resolve(DUE)
    assert table.send(NOW + TERMS.suppression) is Event.REOPENED
    (one,) = table.incidents.due(NOW + TERMS.suppression + HOUR * 3, 10)
    assert one.incident is not None
    assert (one.incident.opened_at, one.incident.reopened, one.is_reported) == (NOW, 1, False)


def test_an_incident_that_was_reopened_silently_is_sent_after_the_window(table: Table) -> None:
    """Its repeats do not extend the window: readers still believe that it is over."""
    table.send(NOW)
    assert table.resolve(DUE)
    for at in range(3600, TERMS.suppression, 3600):
        assert table.claim(NOW + at)[2] is ClaimState.SUPPRESSED
    assert table.send(NOW + TERMS.suppression) is Event.REOPENED
    (one,) = table.incidents.due(NOW + TERMS.suppression + HOUR * 3, 10)
    assert one.incident is not None
    assert (one.incident.reopened, one.is_reported) == (1, False)
    assert table.claim(NOW + 2 * TERMS.suppression - 60)[2] is ClaimState.SUPPRESSED
    assert table.claim(NOW + 3 * TERMS.suppression - 120)[2] is ClaimState.SUPPRESSED  # extended again


def test_a_recurrence_is_sent_although_repeats_extended_the_window(table: Table) -> None:
    """It went on for long, was resolved, and begins again."""
    table.send(NOW)
    for at in range(600, 36_000, 600):
        assert table.claim(NOW + at)[2] is ClaimState.SUPPRESSED
    assert table.resolve(NOW + 36_000 + 7200)
    assert table.send(NOW + 36_000 + 9000) is Event.REOPENED


def test_a_count_over_a_day_is_no_recurrence_while_it_counts_what_was_reported(table: Table) -> None:
    """One more contact reaches its threshold again."""
    table.send(NOW)
    assert table.claim(NOW + TERMS.suppression - 1)[2] is ClaimState.SUPPRESSED
    end = NOW + TERMS.suppression - 1
    assert table.resolve(end + 7200)
    day = {"counted_over": DAY, "reopen_after": TERMS.suppression}
    assert table.claim(end + 7800, **day)[2] is ClaimState.SUPPRESSED
    assert table.claim(end + 8400)[2] is ClaimState.CLAIMED  # other findings show new traffic


def test_repeats_do_not_prolong_how_long_a_count_may_repeat_what_was_reported(table: Table) -> None:
    """A day after the traffic of the resolved incident, a count over a day shows new traffic."""
    table.send(NOW)
    assert table.resolve(DUE)
    day = {"counted_over": DAY, "reopen_after": TERMS.suppression}
    for at in range(3600, DAY, 3600):
        assert table.claim(NOW + at, **day)[2] is ClaimState.SUPPRESSED
    assert table.claim(NOW + DAY + 3600, **day)[2] is ClaimState.CLAIMED


def test_a_recurrence_while_its_end_is_being_sent_is_sent_later(table: Table) -> None:
    """Its readers believe that it is over, so its window does not suppress it for days."""
    table.send(NOW)
    (one,) = table.incidents.due(DUE, 10)
    assert table.incidents.resolve(one, DUE)
    assert table.claim(NOW + 1810)[2] is ClaimState.SUPPRESSED
    assert not table.incidents.close(replace(one, resolved_at=DUE))
    assert table.claim(NOW + TERMS.suppression - 60)[2] is ClaimState.SUPPRESSED
    assert table.send(NOW + TERMS.suppression) is Event.REOPENED


def test_late_traffic_does_not_reopen_it(table: Table) -> None:
    """A batch from before the end arrives hours later, also after the window and more than a day later."""
    table.send(NOW)
    assert table.claim(NOW + 600)[2] is ClaimState.SUPPRESSED
    assert table.resolve(NOW + 4500)
    for late in (5000, TERMS.suppression + 60, 2 * DAY):
        assert table.claim(NOW + late, NOW + 599)[2] is ClaimState.SUPPRESSED
    assert table.incidents.due(NOW + 2 * DAY, 10) == []
    assert table.send(NOW + 2 * DAY) is Event.OPENED


@pytest.mark.parametrize("ahead", [0, 60, 10**6])
def test_no_range_of_a_condition_ends_before_it_begins(ahead: int) -> None:
    """Also if traffic is later than the clock: DynamoDB would refuse the claim. moto would not."""
    seen = replace(INCIDENT, last_seen=NOW + ahead, counted_over=DAY)
    values = suppressing(seen, NOW).values
    assert {int(values[name]["N"]) <= int(values[":ahead"]["N"]) for name in values} == {True}


def test_an_incident_that_goes_on_is_not_over(table: Table) -> None:
    """However many repeats were counted before, the table knows when it was last seen, with few writes."""
    table.send(NOW)
    for at in range(240, 8 * HOUR, 240):
        assert table.claim(NOW + at)[2] is ClaimState.SUPPRESSED
        if at > 2 * HOUR and at % 960 == 0:
            (one,) = table.incidents.due(NOW + at, 10)
            assert one.incident is not None
            assert one.incident.last_seen >= NOW + at - one.incident.wait // 2


def test_after_a_day_a_recurrence_is_a_new_incident(table: Table) -> None:
    """Its wait begins anew."""
    table.send(NOW)
    assert table.resolve(DUE)
    later = DUE + REOPEN_SECONDS
    assert table.send(later) is Event.OPENED
    (one,) = table.incidents.due(due_at(replace(INCIDENT, last_seen=later), later), 10)
    assert one.incident is not None
    assert (one.incident.opened_at, one.incident.reopened) == (later, 0)


def test_a_later_notification_of_an_open_incident_is_an_update(table: Table) -> None:
    """After the suppression window."""
    table.send(NOW)
    assert table.send(NOW + TERMS.suppression) is Event.UPDATED


def test_a_put_off_incident_is_due_later(table: Table) -> None:
    """With since when its log group is silent, until records come again."""
    table.send(NOW)
    (one,) = table.incidents.due(DUE, 10)
    assert table.incidents.put_off(one, NOW + 4000, NOW, DUE)
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
def test_a_damaged_item_is_not_due_for_ever(damage: dict[str, dict[str, str]]) -> None:
    """It leaves the index, and the others are found."""
    with mock_aws():
        leaves_the_index(on_dynamodb(), damage)


def leaves_the_index(table: Table, damage: dict[str, dict[str, str]]) -> None:
    """Check that with this member, the incident is not due."""
    table.send(NOW)
    ((name, value),) = damage.items()
    shared("dynamodb").update_item(
        TableName=TABLE,
        Key={"pk": {"S": f"incident#{KEY.sink}#{KEY.incident}"}, "sk": {"S": "claim"}},
        UpdateExpression="SET #name = :value",
        ExpressionAttributeNames={"#name": name},
        ExpressionAttributeValues={":value": value},
    )
    assert table.incidents.due(DUE, 10) == []
    assert StateTable(shared("dynamodb"), TABLE).due(OPEN, NOW + 10**6, 10) == []
