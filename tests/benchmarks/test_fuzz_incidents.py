"""Damaged items of incidents and digests: whichever member is damaged, it hurts one incident only."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, Final

import pytest
from msgspec.structs import replace

from benchmarks.fuzz import incidents
from benchmarks.fuzz.incident_items import (
    LOG_GROUP,
    NOW,
    OVER,
    STATES,
    WAITING,
    Contents,
    digest,
    drawn,
    incident,
    members_of,
    pending,
)
from flowwarden.aws.dynamodb.claims import DynamoDbClaims
from flowwarden.aws.dynamodb.desk import DynamoDbDesk
from flowwarden.aws.dynamodb.digests import DynamoDbDigests
from flowwarden.notify.claim_request import ClaimRequest
from flowwarden.notify.claims import ClaimKey, Owner
from flowwarden.notify.evidence import Evidence
from flowwarden.notify.incident import Incident
from flowwarden.state import digests
from flowwarden.state.digests import Content
from flowwarden.state.schema import DIGESTS, INCIDENTS
from tests.aws.dynamodb.damage import DAMAGE, TABLE, dynamodb, empty, items, members
from tests.examples import PROFILES
from tests.matrix import some

KEY: Final = ClaimKey("sns", "a")


def intact() -> Contents:
    """A table without damage."""
    none = {OVER: members_of(OVER, "SENT", "/intact"), WAITING: members_of(WAITING, "PENDING")}
    none[OVER].pop("reported_resolved")
    return replace(
        drawn(Random(0)),  # noqa: S311 - not for secrets
        incidents=none, digest=digest(), budget={}, slots={}, mutes=[], holds=False,
        refuses=False, is_full=False,
    )  # fmt: skip


def with_damage(state: str, member: str, damage: str) -> Contents:
    """The table with another incident, one member of which is damaged."""
    found = members_of(KEY.incident, state)
    del found[member]
    kept = found if DAMAGE[damage] is None else found | {member: DAMAGE[damage]}
    table = intact()
    return replace(table, incidents={f"{16:032x}": kept, **table.incidents})


EVERY: Final = [
    (state, member, damage) for state in STATES for member in members_of("a", state) for damage in DAMAGE
]


@pytest.mark.matrix
@pytest.mark.hypothesis
def test_no_damaged_item_harms_another_incident_or_is_shown_raw() -> None:
    """Each member in each way; `make reliability` tries all, and fuzzed documents in them."""
    for each in some(EVERY, 4 * PROFILES["ci"], "damage"):
        assert [*incidents.check(with_damage(*each))] == [], each


@pytest.mark.parametrize("state", STATES)
def test_an_item_that_allows_no_write_stops_no_run(state: str) -> None:
    """Such as one that is as large as an item can be: it leaves the index of open incidents."""
    table = intact()
    found = {f"{16:032x}": members_of(KEY.incident, state), **table.incidents}
    assert [*incidents.check(replace(table, incidents=found, is_full=True))] == []


def test_an_intact_table_has_no_problem_and_both_incidents_are_notified() -> None:
    """If one of them were not, the check would find it."""
    table = intact()
    assert [*incidents.check(table)] == []
    lost = replace(table, incidents={OVER: table.incidents[OVER]})
    assert [each.what for each in incidents.check(lost)] == [f"{WAITING} is not notified"]


@pytest.fixture(scope="module")
def stored() -> Iterator[list[dict[str, Any]]]:
    """Items of incidents in each of their states, as the adapters store them, and of a digest."""
    # Imported here, because few tests need boto3.
    from moto import mock_aws  # noqa: PLC0415

    from tests.aws.clients import make_state_table  # noqa: PLC0415

    with mock_aws():
        make_state_table(TABLE)
        empty()
        yield [each for after in (send, repeat, acknowledge, silence, wait, end) for each in after()]


def send() -> list[dict[str, Any]]:
    """A pending notification, and one that was sent, with members."""
    claims = _claims()
    owner, reported = Owner("batch", "attempt"), Evidence(gravity=1, members=("x",), places=("p",))
    claims.claim(_request(owner, NOW, reported))
    before = items()
    claims.confirm(ClaimRequest(KEY, owner, NOW, None, reported, incident()))
    return [*before, *items()]


def repeat() -> list[dict[str, Any]]:
    """Another member joins."""
    joining = Evidence(gravity=1, members=("y",), places=("p",))
    _claims().claim(_request(Owner("other", "attempt"), NOW + 1, joining))
    return items()


def acknowledge() -> list[dict[str, Any]]:
    """By command."""
    _desk().acknowledge(_found(), "maria", NOW + 2)
    return items()


def silence() -> list[dict[str, Any]]:
    """Without data."""
    _desk().put_off(_found(), NOW + 10, NOW, NOW + 3)
    return items()


def wait() -> list[dict[str, Any]]:
    """Resolved by command, still to be notified."""
    _desk().resolve_by(_found(), "maria", NOW + 4)
    return items()


def end() -> list[dict[str, Any]]:
    """Notified as resolved, and a digest."""
    _desk().close(_found())
    numbers = {name: frozenset([1]) for name in DIGESTS.sets}
    content = Content(numbers, {name: frozenset(["[]"]) for name in DIGESTS.texts})
    DynamoDbDigests(dynamodb(), TABLE).add(digests.key_of(1), content, NOW)
    return items()


def _claims() -> DynamoDbClaims:
    return DynamoDbClaims(dynamodb(), TABLE, incidents.TERMS)


def _desk() -> DynamoDbDesk:
    return DynamoDbDesk(dynamodb(), TABLE)


def _found() -> Any:
    return _desk().find(KEY, NOW + 5)


def _request(owner: Owner, now: int, evidence: Evidence) -> ClaimRequest:
    waiting = pending(KEY.incident)
    return ClaimRequest(KEY, owner, now, None, evidence, waiting.incident, waiting.notification)


def test_exactly_the_members_of_an_incident_are_damaged(stored: list[dict[str, Any]]) -> None:
    """So the fuzzer cannot miss a new or renamed member."""
    written = {
        name for each in stored if each["pk"]["S"].startswith(INCIDENTS.prefix) for name in members(each)
    }
    assert {name for state in STATES for name in members_of("a", state)} == written


def test_exactly_the_members_of_a_digest_are_damaged(stored: list[dict[str, Any]]) -> None:
    """Its sets of numbers and of texts."""
    found = [each for each in stored if each["pk"]["S"].startswith(DIGESTS.prefix)]
    assert [{*digest()}] == [{*members(each)} - {"expires_at"} for each in found]


def test_every_member_of_the_stored_documents_has_a_value_of_its_own() -> None:
    """The fuzzer changes members that exist; a member with its default would not be stored."""
    whole = incident(LOG_GROUP)
    assert {name for name in Incident.__struct_fields__ if not getattr(whole, name)} == {"interfaces"}
