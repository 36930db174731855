"""The state table: one client, one table name, and the translation of the service's errors.

Each method's docstring names the IAM action that it needs. The modules that call it list the action in
`ACTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import batched
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from flowwarden.aws.answers import Answer
from flowwarden.aws.dynamodb.item import StoredItem, key_text
from flowwarden.aws.pages import bounded
from flowwarden.errors import StateUnavailable
from flowwarden.unreadable import CLOCKS, Unreadable

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_dynamodb import DynamoDBClient

ATTEMPTS: Final = 3
"""Maximum calls for the same items while a call leaves some unprocessed; then the table is unavailable."""
MOST_KEYS: Final = 100
"""DynamoDB's limit for the keys of one BatchGetItem call."""
PAUSE_SECONDS: Final = 0.2
"""Pause before the second of them, and twice that before the third: a throttled table leaves items
unprocessed, and would do so again at once."""

type Address = tuple[str, str]
"""Partition key and sort key of an item."""


class ConditionFailed(Exception):
    """The condition of a write did not hold; `item` is the stored item."""

    def __init__(self, item: Any) -> None:  # noqa: ANN401 - what the service sent
        super().__init__()
        self.item: dict[str, Any] = item or {}


class ItemDamaged(StateUnavailable):
    """The table refuses a write because of what the item contains, such as a member of another type."""


class StateTable:
    """The calls to the state table. Each raises StateUnavailable if the table refuses or does not answer."""

    def __init__(
        self,
        client: DynamoDBClient,
        name: str,
        unreadable: Unreadable | None = None,
        wait: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        """Bind the calls to a table.

        Args:
            client: the client.
            name: the name of the table.
            unreadable: where items note members that cannot be read.
            wait: sleeps for some seconds before unprocessed items are sent again; by default it does not.
        """
        self._client = client
        self._name = name
        self._unreadable = unreadable or Unreadable()
        self._wait = wait

    def item(self, key: str, members: object) -> StoredItem:
        """The item with these members, with accessors for each type."""
        return StoredItem(key, members, self._unreadable)

    def get(self, address: Address) -> StoredItem:
        """The item, by a consistent read; empty if there is none. Needs dynamodb:GetItem."""
        with self._errors():
            answer = self._client.get_item(TableName=self._name, Key=key_of(address), ConsistentRead=True)
        return self.item(address[0], answer.get("Item"))

    def query(self, partition: str, prefix: str = "") -> list[dict[str, Any]]:
        """The items of a partition, or those whose sort key has a prefix, by a consistent read.

        Needs dynamodb:Query.
        """
        condition, values = "pk = :pk", {":pk": {"S": partition}}
        if prefix:
            condition, values = (
                f"{condition} AND begins_with(sk, :prefix)",
                {**values, ":prefix": {"S": prefix}},
            )
        with self._errors():
            pages = self._client.get_paginator("query").paginate(
                TableName=self._name,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
                ConsistentRead=True,
            )
            return [dict(item) for page in bounded(pages) for item in page.get("Items", [])]

    def latest(self, partition: str, first: str, last: str, most: int) -> list[dict[str, Any]]:
        """The items of a partition with a sort key from `first` to `last`, the highest first, at most `most`.

        Needs dynamodb:Query. Eventually consistent.
        """
        values = {":pk": {"S": partition}, ":first": {"S": first}, ":last": {"S": last}}
        with self._errors():
            answer = self._client.query(
                TableName=self._name,
                KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
                ExpressionAttributeValues=values,
                ScanIndexForward=False,
                Limit=most,
            )
        return [dict(item) for item in answer.get("Items", [])]

    def due(self, index: str, until: int, most: int) -> list[Address]:
        """The addresses of items in an index whose `check_at` is not later than `until`, earliest first.

        The index has the partition key `index`, with the same text as its only value. Needs dynamodb:Query on
        the index. Eventually consistent.
        """
        with self._errors():
            answer = self._client.query(
                TableName=self._name,
                IndexName=index,
                KeyConditionExpression="#index = :index AND check_at <= :until",
                ExpressionAttributeNames={"#index": index},
                ExpressionAttributeValues={":index": {"S": index}, ":until": number(until)},
                Limit=most,
            )
        return [(key_text(item.get("pk")), key_text(item.get("sk"))) for item in answer.get("Items", [])]

    def indexed(self, index: str) -> list[Address]:
        """The addresses of all items in an index; see `due`. Needs dynamodb:Query on the index."""
        with self._errors():
            pages = self._client.get_paginator("query").paginate(
                TableName=self._name,
                IndexName=index,
                KeyConditionExpression="#index = :index",
                ExpressionAttributeNames={"#index": index},
                ExpressionAttributeValues={":index": {"S": index}},
            )
            found = [item for page in bounded(pages) for item in page.get("Items", [])]
        return [(key_text(item.get("pk")), key_text(item.get("sk"))) for item in found]

    def read(self, addresses: Sequence[Address]) -> tuple[list[dict[str, Any]], list[Address]]:
        """The items that one BatchGetItem returns, and the addresses that it left unprocessed.

        Needs dynamodb:BatchGetItem. An item that does not exist is in neither list.
        """
        keys: Any = {self._name: {"Keys": [key_of(each) for each in addresses]}}
        with self._errors():
            answer = self._client.batch_get_item(RequestItems=keys)
        items = [dict(item) for item in answer.get("Responses", {}).get(self._name, [])]
        unprocessed: Any = answer.get("UnprocessedKeys", {})
        left = unprocessed.get(self._name, {}).get("Keys", [])
        return items, [(key_text(key.get("pk")), key_text(key.get("sk"))) for key in left]

    def read_all(self, addresses: Sequence[Address]) -> list[dict[str, Any]]:
        """The existing items, by as many calls of BatchGetItem as it takes.

        Costs half a read unit for each 4 KB of each item.
        """
        found: list[dict[str, Any]] = []
        for some in batched(addresses, MOST_KEYS, strict=False):
            left: Sequence[Address] = some
            for attempt in range(ATTEMPTS):
                self.pause(attempt)
                items, left = self.read(left)
                found += items
                if not left:
                    break
            else:
                raise self.unavailable(f"BatchGetItem left keys unprocessed {ATTEMPTS} times")
        return found

    def update(self, address: Address, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - boto3's arguments
        """Update an item. Needs dynamodb:UpdateItem.

        Raises:
            ConditionFailed: the condition of the write does not hold.
            ItemDamaged: the write does not fit what the item contains.
            StateUnavailable: the table did not answer or refused.
        """
        with self._errors():
            return dict(self._client.update_item(TableName=self._name, Key=key_of(address), **arguments))

    def put(self, items: Iterable[tuple[Address, Mapping[str, Any]]]) -> None:
        """Add or replace different items, at most 25, in one call. Needs dynamodb:BatchWriteItem.

        Raises StateUnavailable also if only some of them were written; a repeat writes all of them again.
        """
        left: Any = {
            self._name: [{"PutRequest": {"Item": {**key_of(at), **members}}} for at, members in items]
        }
        for attempt in range(ATTEMPTS):
            self.pause(attempt)
            with self._errors():
                left = self._client.batch_write_item(RequestItems=left).get("UnprocessedItems")
            if not left:
                return
        raise self.unavailable(f"BatchWriteItem left items unprocessed {ATTEMPTS} times")

    def pause(self, attempt: int) -> None:
        """Wait before a call for unprocessed items; not before the first, whose `attempt` is 0."""
        if attempt:
            self._wait(PAUSE_SECONDS * 2 ** (attempt - 1))

    def delete(self, address: Address) -> None:
        """Delete an item, if there is one. Needs dynamodb:DeleteItem."""
        with self._errors():
            self._client.delete_item(TableName=self._name, Key=key_of(address))

    def take_turn(self, address: Address, taken: str, now: int, *, wait: int, ttl: int) -> bool:
        """Whether the caller gets the turn: no other caller got it in the last `wait` seconds.

        A stored time that is in the future or not a number does not count. Costs one write. Of several
        concurrent callers, only one gets the turn. Needs dynamodb:UpdateItem.

        Args:
            address: the address of the turn's item.
            taken: the item's attribute with the start of the last turn.
            now: Unix seconds.
            wait: duration of a turn, in seconds.
            ttl: seconds for which the table keeps the item.
        """
        try:
            self.update(
                address,
                UpdateExpression=f"SET {taken} = :now, expires_at = :expires",
                ConditionExpression=(
                    f"NOT (attribute_type({taken}, :n) AND {taken} BETWEEN :after AND :latest)"
                ),
                ExpressionAttributeValues={
                    ":n": {"S": "N"},
                    ":now": number(now),
                    ":after": number(now - wait + 1),
                    ":latest": number(now + CLOCKS),
                    ":expires": number(now + ttl),
                },
            )
        except ConditionFailed:
            return False
        return True

    def unavailable(self, why: object) -> StateUnavailable:
        """The error with the reason why this table cannot be used."""
        return StateUnavailable(f"table {self._name}: {why}")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            code = Answer(error.response).inner("Error").text("Code")
            if code == "ConditionalCheckFailedException":
                raise ConditionFailed(dict(error.response).get("Item")) from error
            if code == "ValidationException":
                raise ItemDamaged(f"table {self._name}: {error}") from error
            raise self.unavailable(error) from error
        except BotoCoreError as error:
            raise self.unavailable(error) from error


class TableUser:
    """Binds what it stores to the state table; the arguments are those of `StateTable`."""

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        unreadable: Unreadable | None = None,
        wait: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        self._table = StateTable(client, table, unreadable, wait)


def key_of(address: Address) -> dict[str, Any]:
    """An address in DynamoDB's notation."""
    partition, sort = address
    return {"pk": {"S": partition}, "sk": {"S": sort}}


def number(value: int) -> dict[str, str]:
    """A number in DynamoDB's notation."""
    return {"N": str(value)}
