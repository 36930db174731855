"""The enforcer's unsent reports, in the state table: implements `outbox.OutboxStore`."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from flowwarden.aws.dynamodb.table import StateTable, number
from flowwarden.enforcer.outbox import Unsent
from flowwarden.state.schema import OUTBOX, UNSENT

if TYPE_CHECKING:
    # The stubs are no part of the Lambda runtime.
    from mypy_boto3_dynamodb import DynamoDBClient

ACTIONS = ("dynamodb:Query", "dynamodb:UpdateItem", "dynamodb:DeleteItem")
"""IAM actions that this file's calls need."""


class DynamoDbOutbox:
    """An item for each report, in a partition of their own."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._table = StateTable(client, table)

    def load(self) -> list[Unsent]:
        """See the port. Costs one read."""
        found: list[Unsent] = []
        for item in self._table.query(OUTBOX):
            with suppress(msgspec.MsgspecError):  # of another version
                found.append(msgspec.json.decode(str(item.get("report", {}).get("S", "")), type=Unsent))
        return found

    def put(self, report: Unsent, now: int) -> None:
        """See the port. Costs a write unit for each KB."""
        self._table.update(
            UNSENT.address(report.key),
            UpdateExpression="SET report = :report, expires_at = :expires",
            ExpressionAttributeValues={
                ":report": {"S": msgspec.json.encode(report).decode()},
                ":expires": number(UNSENT.kept_until(now)),
            },
        )

    def remove(self, key: str) -> None:
        """See the port. Costs one write."""
        self._table.delete(UNSENT.address(key))
