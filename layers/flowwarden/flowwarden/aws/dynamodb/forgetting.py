"""Removes what was learned of a role, for `flowwarden baseline forget`.

Only the command line uses it. The caller needs dynamodb:BatchGetItem, dynamodb:UpdateItem and
dynamodb:DeleteItem.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from flowwarden.aws.dynamodb.roles import DynamoDbRoles
from flowwarden.aws.dynamodb.sets import DynamoDbEvidence
from flowwarden.aws.dynamodb.table import ConditionFailed, StateTable
from flowwarden.monitor.baseline.known_roles import KnownRole
from flowwarden.monitor.review.due import ROLES, number_of
from flowwarden.state.item import SETS
from flowwarden.state.schema import BASELINES, DAYS_READ, LEARNING_REPORTS, UPLOAD_SIZES

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_DAYS_STORED: Final = 2 * DAYS_READ + 1


class DynamoDbForgetting:
    """Removes the items of roles."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._table = StateTable(client, table)
        self._roles = DynamoDbRoles(client, table)
        self._evidence = DynamoDbEvidence(client, table)

    def forget(self, role: KnownRole) -> int:
        """Remove what was learned of a role until the day `role.known`, from which on it is learned again.

        Returns the number of removed items. If a call fails, the whole can be repeated.

        Raises:
            StateUnavailable: the table did not answer or refused.
        """
        found = self._evidence.read([*_keys(role.role, role.known)])
        with suppress(ConditionFailed):  # there was no report yet
            self._table.update(
                LEARNING_REPORTS.address(),
                UpdateExpression="DELETE #roles :role",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeNames={"#roles": ROLES},
                ExpressionAttributeValues={":role": {"NS": [str(number_of(role.role))]}},
            )
        self._roles.replace(role)
        for key in found:
            self._table.delete((key, SETS))
        return len(found)


def _keys(role: str, today: int) -> Iterator[str]:
    """The keys of the items of a role that may exist, up to the next day, because clocks differ."""
    for day in range(today - _DAYS_STORED, today + 2):
        yield BASELINES.key_of(role, day)
        yield UPLOAD_SIZES.key_of(role, day)
