"""The write units that the evaluation counts are those that the table would bill."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws
from msgspec.structs import replace

from benchmarks.cost.metered import Client, Meter
from benchmarks.evaluation.billing import INDEX, bytes_of_sets, index_units, number_bytes, units
from benchmarks.evaluation.memory import Claims, Evidence, Incidents
from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.aws.dynamodb.incidents import DynamoDbIncidents
from flowwarden.dispatcher.ports import OpenIncidents
from flowwarden.notify.claim_request import ClaimRequest
from flowwarden.notify.claims import ClaimState, Owner, digest
from flowwarden.notify.ports import Claims as ClaimsPort
from flowwarden.state.schema import HEARTBEATS, INCIDENTS
from flowwarden.state.sets import Addition
from tests.aws.clients import make_state_table, shared
from tests.aws.dynamodb.test_lifecycle import EVIDENCE, INCIDENT, KEY, NOTIFICATION, NOW, TERMS

LARGE = replace(NOTIFICATION, text="".join(digest(str(number)) for number in range(200)))
REPEATS = 24


def test_units_are_whole_kilobytes() -> None:
    """An item that does not exist costs one, too."""
    assert [units(size) for size in (0, 1, 1024, 1025, 5000)] == [1, 1, 1, 2, 5]


def test_an_index_is_billed_for_what_it_removes_and_for_what_it_adds() -> None:
    """Nothing if the time at which the item is due did not change."""
    assert [index_units(*each) for each in ((None, 5), (5, None), (5, 6), (5, 5), (None, None))] == [
        *(1, 1, 2, 0, 0),
    ]


def test_long_numbers_take_more_bytes() -> None:
    """Interfaces with the hash of their log group have 30 digits."""
    assert number_bytes(HEARTBEATS, "interfaces") == 16
    key = HEARTBEATS.key_of(1, 2)
    assert bytes_of_sets(key, {"interfaces": frozenset(range(70))}) > 1024


def test_writes_are_counted_by_kind_of_item() -> None:
    """The larger the item, the more."""
    table = Evidence()
    key = HEARTBEATS.key_of(1, 2)
    for numbers in ({1}, {*range(90)}):
        table.add(Addition(key, {"interfaces": frozenset(numbers)}, NOW))
    assert table.write_units == {HEARTBEATS.name: 1 + 2}


def life(claims: ClaimsPort, incidents: OpenIncidents) -> Iterator[None]:
    """An incident from its page to its end; a step each."""
    owner = Owner(digest("first") * 2, digest("attempt"))
    first = ClaimRequest(KEY, owner, NOW, None, EVIDENCE, INCIDENT, LARGE)
    claim = claims.claim(first)
    yield
    claims.confirm(replace(first, incident=INCIDENT.after(claim.earlier, claim.event, NOW)))
    yield
    for number in range(1, REPEATS):
        owner = Owner(digest(str(number)) * 2, digest("attempt"))
        incident = replace(INCIDENT, last_seen=NOW + number)
        again = replace(first, owner=owner, now=NOW + number, incident=incident)
        assert claims.claim(again).state is ClaimState.SUPPRESSED
        yield
    at = NOW + 4 * TERMS.suppression
    (one,) = incidents.due(at, 10)
    assert incidents.put_off(one, at, None, at)
    yield
    (one,) = incidents.due(at, 10)
    assert incidents.resolve(one, at)
    yield
    assert incidents.close(replace(one, resolved_at=at))
    yield


@pytest.mark.usefixtures("table")
def test_an_incident_costs_in_memory_what_it_costs_in_the_table() -> None:
    """Each step: also refused writes, the size of the notification, and the index."""
    claims, meter = Claims(TERMS), Meter()
    client: Any = Client(shared("dynamodb"), meter, {})
    table = DynamoDbClaims(client, "state", TERMS), DynamoDbIncidents(client, "state", TERMS.lease)
    memory = life(claims, Incidents(claims))
    for step, _ in enumerate(life(*table)):
        next(memory)
        assert claims.write_units.total() == meter.write_units, f"after step {step}"
    assert set(claims.write_units) == {INCIDENTS.name, INDEX}


@pytest.fixture
def table() -> Iterator[None]:
    """The state table, on moto."""
    with mock_aws():
        make_state_table("state")
        yield
