"""The enforcer's work queue, in the state table: implements `work_queue.WorkQueueStore`.

All items share one partition key, so that one query shows whether there is work.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from flowwarden.aws.dynamodb.table import Address, StateTable, number
from flowwarden.enforcer.work_queue import Cursor, WorkItem
from flowwarden.state.schema import SWEEP_CURSOR, WORK, WORK_ITEMS

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_dynamodb import DynamoDBClient

ACTIONS = ("dynamodb:Query", "dynamodb:UpdateItem", "dynamodb:DeleteItem")
"""IAM actions that this file's calls need."""


class DynamoDbWorkQueue:
    """Queued VPCs and the sweep's cursor, an item each."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._table = StateTable(client, table)

    def load(self) -> tuple[list[WorkItem], Cursor | None]:
        """See the port."""
        found: list[WorkItem] = []
        cursor = None
        for item in self._table.query(WORK):
            payload = str(item.get("content", {}).get("S", ""))
            # An item of another version is ignored: the next sweep checks the VPC anyway.
            with suppress(msgspec.MsgspecError):
                if (WORK, item["sk"]["S"]) == SWEEP_CURSOR.address():
                    cursor = msgspec.json.decode(payload, type=Cursor)
                else:
                    found.append(msgspec.json.decode(payload, type=WorkItem))
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
