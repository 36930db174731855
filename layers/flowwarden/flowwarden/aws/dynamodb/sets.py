"""Evidence in the state table: implements `ports.EvidenceStore`.

An item consists of a few number sets. DynamoDB's ADD is a union on sets, so an addition is one write,
idempotent and safe with concurrent writers; ALL_NEW returns the union without a read. The key contains the
time, so an item is not used after its time, and expired items that TTL has not removed yet do no harm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import batched
from typing import TYPE_CHECKING, Any, Final

from flowwarden.aws.dynamodb.item import key_text, named
from flowwarden.aws.dynamodb.table import Address, ItemDamaged, StateTable, number
from flowwarden.state.item import SETS
from flowwarden.state.schema import item_of
from flowwarden.state.sets import Addition, Sets, merged
from flowwarden.unreadable import Unreadable

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_dynamodb import DynamoDBClient

ACTIONS = ("dynamodb:UpdateItem", "dynamodb:BatchGetItem")
"""IAM actions that this file's calls need."""

MOST_KEYS: Final = 100  # of a BatchGetItem
ATTEMPTS: Final = 3
"""Calls for keys that BatchGetItem left unprocessed, before the table counts as unavailable."""
LONGEST: Final = 92
"""Bits of the longest number of any kind of item."""


class DynamoDbEvidence:
    """Sets in the state table."""

    def __init__(self, client: DynamoDBClient, table: str, unreadable: Unreadable | None = None) -> None:
        self._table = StateTable(client, table, unreadable)

    def add(self, addition: Addition) -> Sets:
        """See the port. Costs a write unit for each KB of the resulting item; most items are below 1 KB."""
        names, values = _named(addition.sets)
        added = ", ".join(f"{name} {value}" for name, value in zip(names, values, strict=True))
        try:
            answer = self._update(addition, f"ADD {added} SET expires_at = :expires", names, values)
        except ItemDamaged:
            return self._mended(addition)
        return self._sets(addition.key, answer.get("Attributes"))

    def _mended(self, addition: Addition) -> Sets:
        """The same for an item that a union does not fit: what can be read of it is kept, and overwritten.

        Numbers that are added at the same moment may be lost, which is better than an item that refuses all.
        """
        items, _ = self._table.read([_address(addition.key)])
        stored = items[0] if items else {}
        self._table.item(addition.key, stored).left_out("its content", "refuses an addition: overwritten")
        names, values = _named(merged(self._sets(addition.key, stored), addition.sets))
        assigned = ", ".join(f"{name} = {value}" for name, value in zip(names, values, strict=True))
        others = [name for name in stored if name not in {*names.values(), "pk", "sk", "expires_at"}]
        names |= {f"#o{position}": name for position, name in enumerate(others)}
        removed = f" REMOVE {', '.join(f'#o{position}' for position in range(len(others)))}" if others else ""
        expression = f"SET {assigned}, expires_at = :expires{removed}"
        answer = self._update(addition, expression, names, values)
        return self._sets(addition.key, answer.get("Attributes"))

    def _update(
        self, addition: Addition, expression: str, names: Mapping[str, str], values: Mapping[str, Any]
    ) -> dict[str, Any]:
        return self._table.update(
            _address(addition.key),
            UpdateExpression=expression,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={**values, ":expires": number(addition.kept_until)},
            ReturnValues="ALL_NEW",
        )

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
            found |= {key: self._sets(key, item) for item in items if (key := key_text(item.get("pk")))}
            if not left:
                return found
        raise self._table.unavailable(f"BatchGetItem left keys unprocessed {ATTEMPTS} times")

    def _sets(self, key: str, members: object) -> dict[str, frozenset[int]]:
        """The sets of an item, without those that have no number in it and those of no kind of item."""
        item, kind = self._table.item(key, members), item_of(key)
        names = [each for each in kind.sets if each in item] if kind else named(item.members, "NS")
        found = {name: item.numbers(name, kind.bits_of(name) if kind else LONGEST) for name in names}
        return {name: numbers for name, numbers in found.items() if numbers}


def _address(key: str) -> Address:
    return key, SETS


def _named(sets: Sets) -> tuple[dict[str, str], dict[str, Any]]:
    """Placeholders for the names of the sets, and for their numbers. Empty ones are left out: none may be."""
    full = {name: numbers for name, numbers in sets.items() if numbers}
    names = {f"#s{position}": name for position, name in enumerate(full)}
    values = {
        f":s{position}": {"NS": [str(each) for each in sorted(numbers)]}
        for position, numbers in enumerate(full.values())
    }
    return names, values
