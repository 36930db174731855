"""The last good policy in the state table: implements `policy.last_good.PolicyStore`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowwarden.aws.dynamodb.table import StateTable, number
from flowwarden.state.schema import LAST_GOOD_POLICY
from flowwarden.unreadable import Unreadable

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_dynamodb import DynamoDBClient

ACTIONS = ("dynamodb:BatchGetItem", "dynamodb:UpdateItem")
"""The IAM actions that this file needs. Both functions need them for other items, too."""


class DynamoDbPolicy:
    """The last good policy: one item."""

    def __init__(self, client: DynamoDBClient, table: str, unreadable: Unreadable | None = None) -> None:
        self._table = StateTable(client, table, unreadable)

    def load(self) -> str | None:
        """See the port. Costs one read. An item without a text counts as none."""
        items, unprocessed = self._table.read([LAST_GOOD_POLICY.address()])
        if unprocessed:
            raise self._table.unavailable("the item was left unprocessed")
        return self._table.item(LAST_GOOD_POLICY.key_of(), items[0]).text("content") if items else None

    def keep(self, text: str, now: int) -> None:
        """See the port. Costs one write."""
        self._table.update(
            LAST_GOOD_POLICY.address(),
            UpdateExpression="SET content = :content, stored_at = :now",
            ExpressionAttributeValues={":content": {"S": text}, ":now": number(now)},
        )
