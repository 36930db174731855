"""Evidence in the state table: implements `ports.EvidenceStore`.

An item consists of a few number sets. DynamoDB's ADD is a union on sets, so an addition is one write,
idempotent and safe with concurrent writers; ALL_NEW returns the union without a read. The key contains the
time, so an item is not used after its time, and expired items that TTL has not removed yet do no harm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import batched
from typing import TYPE_CHECKING, Any, Final

from flowwarden.aws.dynamodb.table import Address, StateTable, number
from flowwarden.state import schema
from flowwarden.state.sets import Addition, Sets

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_dynamodb import DynamoDBClient

ACTIONS = ("dynamodb:UpdateItem", "dynamodb:BatchGetItem")
"""IAM actions that this file's calls need."""

MOST_KEYS: Final = 100  # of a BatchGetItem
ATTEMPTS: Final = 3
"""Calls for keys that BatchGetItem left unprocessed, before the table counts as unavailable."""


class DynamoDbEvidence:
    """Sets in the state table."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._table = StateTable(client, table)

    def add(self, addition: Addition) -> Sets:
        """See the port. Costs a write unit for each KB of the resulting item; most items are below 1 KB."""
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
        """See the port. Costs at least half a read unit for each existing item."""
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
