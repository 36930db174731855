"""The known roles in the state table, on moto."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws
from msgspec.structs import replace

from flowwarden.aws.dynamodb.roles import DynamoDbRoles
from flowwarden.errors import StateUnavailable
from flowwarden.monitor.baseline.known_roles import KnownRole, networks_of
from flowwarden.state.schema import KNOWN_ROLES, ROLES
from flowwarden.unreadable import Unreadable
from tests.aws.clients import make_state_table, shared

TABLE = "state"
WEB = KnownRole(
    role="tag:Role=web", known=20_400, networks=networks_of(["10.0.1.5", "2001:db8::5"]), expires_at=2**31
)


@pytest.fixture
def roles() -> Iterator[DynamoDbRoles]:
    """An empty table."""
    with mock_aws():
        make_state_table(TABLE)
        yield DynamoDbRoles(shared("dynamodb"), TABLE)


def test_roles_are_stored_and_listed(roles: DynamoDbRoles) -> None:
    """By one query, whatever their names contain; one without networks, too."""
    other = KnownRole(role="tag:Role=a#b|c é", known=1, expires_at=5)
    for each in (WEB, other, WEB):
        roles.put(each)
    assert sorted(roles.load(), key=lambda each: each.known) == [other, WEB]


def test_a_later_container_adds_networks_and_keeps_the_day(roles: DynamoDbRoles) -> None:
    """The first one knew the role first."""
    roles.put(WEB)
    roles.put(
        KnownRole(role=WEB.role, known=20_500, networks=networks_of(["10.0.2.5"]), expires_at=2**31 + 1)
    )
    networks = WEB.networks | networks_of(["10.0.2.5"])
    assert roles.load() == [replace(WEB, networks=networks, expires_at=2**31 + 1)]


def test_a_role_that_is_replaced_begins_anew(roles: DynamoDbRoles) -> None:
    """With the new day and networks, also if there are none."""
    roles.put(WEB)
    for new in (replace(WEB, known=20_500), replace(WEB, known=20_600, networks=frozenset())):
        roles.replace(new)
        assert roles.load() == [new]


@pytest.mark.parametrize("member", [{"S": "x"}, {"N": "-1"}, {"L": []}])
def test_a_damaged_role_is_left_out_and_mended(roles: DynamoDbRoles, member: dict[str, object]) -> None:
    """Its day cannot be read; a damaged set of networks is overwritten."""
    notes = Unreadable()
    roles = DynamoDbRoles(shared("dynamodb"), TABLE, notes)
    pk, sk = KNOWN_ROLES.address(WEB.role)
    shared("dynamodb").put_item(TableName=TABLE, Item={"pk": {"S": pk}, "sk": {"S": sk}, "known": member})
    assert roles.load() == []
    assert notes.take().count == 1
    shared("dynamodb").put_item(TableName=TABLE, Item={"pk": {"S": pk}, "sk": {"S": sk}, "networks": member})
    roles.put(WEB)
    assert roles.load() == [WEB]


def test_an_item_of_another_kind_is_no_role(roles: DynamoDbRoles) -> None:
    """Even in the partition."""
    item = {"pk": {"S": ROLES}, "sk": {"S": "x"}, "known": {"N": "1"}}
    shared("dynamodb").put_item(TableName=TABLE, Item=item)
    assert roles.load() == []


def test_a_missing_table_is_unavailable() -> None:
    """Not an error of the service."""
    with mock_aws():
        roles = DynamoDbRoles(shared("dynamodb"), "missing")
        with pytest.raises(StateUnavailable):
            roles.load()
        with pytest.raises(StateUnavailable):
            roles.put(WEB)
