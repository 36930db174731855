"""The enforcer's work queue, in the state table: implements `work_queue.WorkQueueStore`.

All items share one partition key, so that one query reads all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from flowwarden.aws.dynamodb.item import key_text
from flowwarden.aws.dynamodb.table import Address, StateTable, number
from flowwarden.enforcer.work_queue import BEGINNING, Cursor, WorkItem
from flowwarden.state.schema import SWEEP_CURSOR, WORK, WORK_ITEMS
from flowwarden.unreadable import Unreadable

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_dynamodb import DynamoDBClient

ACTIONS = ("dynamodb:Query", "dynamodb:UpdateItem", "dynamodb:DeleteItem")
"""The IAM actions that this file needs."""


class DynamoDbWorkQueue:
    """Queued VPCs and the sweep's cursor, one item each."""

    def __init__(self, client: DynamoDBClient, table: str, unreadable: Unreadable | None = None) -> None:
        self._table = StateTable(client, table, unreadable)

    def load(self) -> tuple[list[WorkItem], Cursor | None]:
        """See the port. An item that cannot be read is ignored: the next sweep checks every VPC anyway."""
        found: list[WorkItem] = []
        cursor = None
        for members in self._table.query(WORK):
            key = key_text(members.get("sk"))
            item = self._table.item(f"{WORK}/{key}", members)
            if (WORK, key) == SWEEP_CURSOR.address():
                # An unreadable cursor still means that a sweep is unfinished: it starts again.
                cursor = item.document("content", Cursor) or BEGINNING
            elif (read := item.document("content", WorkItem)) is not None:
                if WORK_ITEMS.key_of(read.vpc_id) == key:
                    found.append(read)
                else:
                    item.left_out("content", "is about another VPC than the key")
        return found, cursor

    def put(self, item: WorkItem) -> None:
        """See the port. Costs one write."""
        self._store(WORK_ITEMS.address(item.vpc_id), item, WORK_ITEMS.kept_until(item.due))

    def remove(self, vpc_id: str) -> None:
        """See the port. Costs one write."""
        self._table.delete(WORK_ITEMS.address(vpc_id))

    def put_cursor(self, cursor: Cursor | None, now: int) -> None:
        """See the port. Costs one write."""
        if cursor is None:
            self._table.delete(SWEEP_CURSOR.address())
        else:
            self._store(SWEEP_CURSOR.address(), cursor, SWEEP_CURSOR.kept_until(now))

    def _store(self, address: Address, payload: WorkItem | Cursor, expires_at: int) -> None:
        self._table.update(
            address,
            UpdateExpression="SET content = :content, expires_at = :expires",
            ExpressionAttributeValues={
                ":content": {"S": msgspec.json.encode(payload).decode()},
                ":expires": number(expires_at),
            },
        )
