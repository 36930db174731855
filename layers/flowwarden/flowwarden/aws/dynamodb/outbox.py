"""The enforcer's unsent reports, in the state table: implements `outbox.OutboxStore`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from flowwarden.aws.dynamodb.item import StoredItem, key_text
from flowwarden.aws.dynamodb.table import StateTable, number
from flowwarden.enforcer.outbox import Unsent
from flowwarden.state.schema import OUTBOX, UNSENT
from flowwarden.unreadable import Unreadable

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_dynamodb import DynamoDBClient

ACTIONS = ("dynamodb:Query", "dynamodb:UpdateItem", "dynamodb:DeleteItem")
"""The IAM actions that this file needs."""


class DynamoDbOutbox:
    """Unsent reports, one item each, all in one partition."""

    def __init__(self, client: DynamoDBClient, table: str, unreadable: Unreadable | None = None) -> None:
        self._table = StateTable(client, table, unreadable)

    def load(self) -> list[Unsent]:
        """See the port. Costs one read, and a write for each item that cannot be read: it is removed.

        An unreadable report can never be sent, and each run would read and count it until it expires.
        """
        found: list[Unsent] = []
        for members in self._table.query(OUTBOX):
            key = key_text(members.get("sk"))
            report = _read(self._table.item(f"{OUTBOX} {key}", members))
            if report is not None:
                found.append(report)
            else:
                self._table.delete((OUTBOX, key))
        return found

    def put(self, report: Unsent, now: int) -> None:
        """See the port. Costs one write unit for each KB."""
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


def _read(item: StoredItem) -> Unsent | None:
    """The report of an item whose content and key agree; otherwise None, which is noted."""
    report = item.document("report", Unsent)
    if report is None:
        return None
    if UNSENT.key_of(report.key) != key_text(item.members.get("sk")):
        # `remove` would delete another item, so each run would send this report again.
        item.left_out("report", "has another key than its item")
        return None
    return report
