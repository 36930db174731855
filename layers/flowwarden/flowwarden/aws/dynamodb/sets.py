"""Evidence in the state table: implements `ports.EvidenceStore`.

An item is a few number sets. DynamoDB's ADD is a union on these, so an addition is one write whatever stood
there, however often and by how many it is made; ALL_NEW hands back the union without a read. An item is
never used again after its time, since the time is in its key, so what TTL has not removed yet does no harm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import batched
from typing import TYPE_CHECKING, Any, Final

from flowwarden.aws.dynamodb.table import Address, StateTable, number
from flowwarden.state import schema
from flowwarden.state.sets import Addition, Sets

if TYPE_CHECKING:
    # The stubs are no part of the Lambda runtime.
    from mypy_boto3_dynamodb import DynamoDBClient

ACTIONS = ("dynamodb:UpdateItem", "dynamodb:BatchGetItem")
"""IAM actions that this file's calls need."""

MOST_KEYS: Final = 100  # of a BatchGetItem
ATTEMPTS: Final = 3
"""Calls for what BatchGetItem left unprocessed, before it counts as unavailable."""


class DynamoDbEvidence:
    """Sets in the state table."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._table = StateTable(client, table)

    def add(self, addition: Addition) -> Sets:
        """As the port says. Costs a write unit for each KB that the item has then; most have less."""
        sets = {name: numbers for name, numbers in addition.sets.items() if numbers}  # none may be empty
        names = {f"#s{number}": name for number, name in enumerate(sets)}
        values: dict[str, Any] = {
            f":s{number}": {"NS": [str(each) for each in sorted(numbers)]}
            for number, numbers in enumerate(sets.values())
        }
        added = ", ".join(f"#s{number} :s{number}" for number in range(len(sets)))
        answer = self._table.update(
            _address(addition.key),
            UpdateExpression=f"ADD {added} SET expires_at = :expires",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={**values, ":expires": number(addition.kept_until)},
            ReturnValues="ALL_NEW",
        )
        return _sets(answer.get("Attributes", {}))

    def read(self, keys: Sequence[str]) -> Mapping[str, Sets]:
        """As the port says. Costs half a read unit for each item that is there, at least."""
        found: dict[str, Sets] = {}
        for some in batched(keys, MOST_KEYS, strict=False):
            found |= self._read(some)
        return found

    def _read(self, keys: Sequence[str]) -> dict[str, Sets]:
        found: dict[str, Sets] = {}
        left = [_address(key) for key in keys]
        for _ in range(ATTEMPTS):
            items, left = self._table.read(left)
            found |= {str(item["pk"]["S"]): _sets(item) for item in items}
            if not left:
                return found
        raise self._table.unavailable(f"BatchGetItem left keys unprocessed {ATTEMPTS} times")


def _address(key: str) -> Address:
    return key, schema.SETS


def _sets(item: Mapping[str, Any]) -> dict[str, frozenset[int]]:
    return {name: frozenset(map(int, value["NS"])) for name, value in item.items() if "NS" in value}
