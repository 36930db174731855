"""What the enforcer remembers, in the state table: implements `ports.EnforcerMemory`.

What is to be done stands under one partition key, so that one query tells whether anything is; what people
were told of stands under another.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from flowwarden.enforcer.work_item import Cursor, WorkItem
from flowwarden.errors import StateUnavailable

if TYPE_CHECKING:
    # The stubs are no part of the Lambda runtime.
    from mypy_boto3_dynamodb import DynamoDBClient

ACTIONS = ("dynamodb:Query", "dynamodb:UpdateItem", "dynamodb:DeleteItem")
"""IAM actions that this file's calls need."""

PARTITION: Final = "enforcer"
CURSOR: Final = "cursor"
TOLD: Final = "enforcer#told"
"""Partition of what people were told of: not read by every look."""
KEPT: Final = 3 * 24 * 3600
"""Seconds after which an item goes by itself: the sweep looks at every VPC in any case."""


class DynamoDbEnforcerMemory:
    """Pending VPCs, the sweep's cursor, and what people were told of, an item each."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def recall(self) -> tuple[list[WorkItem], Cursor | None]:
        """As the port says."""
        found: list[WorkItem] = []
        cursor = None
        pages = self._client.get_paginator("query")
        with self._told():
            for page in pages.paginate(
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": PARTITION}},
                ConsistentRead=True,
            ):
                for item in page["Items"]:
                    told = str(item.get("told", {}).get("S", ""))
                    # One of another version is as if it were not there: a sweep looks anyway.
                    with suppress(msgspec.MsgspecError):
                        if item["sk"]["S"] == CURSOR:
                            cursor = msgspec.json.decode(told, type=Cursor)
                        else:
                            found.append(msgspec.json.decode(told, type=WorkItem))
        return found, cursor

    def remember(self, pending: WorkItem) -> None:
        """As the port says. Costs one write."""
        self._put(f"vpc#{pending.vpc_id}", pending, pending.due + KEPT)

    def forget(self, vpc_id: str) -> None:
        """As the port says. Costs one write."""
        self._delete(f"vpc#{vpc_id}")

    def stop_at(self, cursor: Cursor | None, now: int) -> None:
        """As the port says. Costs one write."""
        if cursor is None:
            self._delete(CURSOR)
        else:
            self._put(CURSOR, cursor, now + KEPT)

    def take_turn(self, subject: str, now: int, wait: int) -> bool:
        """As the port says. Costs one write, of which one alone succeeds among concurrent ones."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(subject, TOLD),
                UpdateExpression="SET told_at = :now, expires_at = :expires",
                ConditionExpression="attribute_not_exists(told_at) OR told_at <= :before",
                ExpressionAttributeValues={
                    ":now": {"N": str(now)},
                    ":before": {"N": str(now - wait)},
                    ":expires": {"N": str(now + max(wait, KEPT))},
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        except (ClientError, BotoCoreError) as error:
            raise self._unavailable(error) from error
        return True

    def give_back(self, subject: str) -> None:
        """As the port says. Costs one write."""
        self._delete(subject, TOLD)

    def _put(self, sk: str, told: WorkItem | Cursor, expires_at: int) -> None:
        values: dict[str, Any] = {
            ":told": {"S": msgspec.json.encode(told).decode()},
            ":expires": {"N": str(expires_at)},
        }
        with self._told():
            self._client.update_item(
                TableName=self._table,
                Key=_key(sk),
                UpdateExpression="SET told = :told, expires_at = :expires",
                ExpressionAttributeValues=values,
            )

    def _delete(self, sk: str, partition: str = PARTITION) -> None:
        with self._told():
            self._client.delete_item(TableName=self._table, Key=_key(sk, partition))

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> StateUnavailable:
        return StateUnavailable(f"table {self._table}: {error}")


def _key(sk: str, partition: str = PARTITION) -> dict[str, Any]:
    return {"pk": {"S": partition}, "sk": {"S": sk}}
