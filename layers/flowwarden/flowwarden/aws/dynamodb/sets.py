"""Evidence in the state table: implements `ports.EvidenceStore`.

An item consists of a few number sets. On sets, DynamoDB's ADD is a union, so an addition is one write that is
idempotent and safe with concurrent writers; ALL_NEW returns the union without a read. The key contains the
hour, day or slot of the item, so expired items that TTL has not removed yet are not read by mistake.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from flowwarden.aws.dynamodb.item import key_text, named
from flowwarden.aws.dynamodb.table import Address, ItemDamaged, TableUser, number
from flowwarden.state.item import SETS
from flowwarden.state.schema import item_of
from flowwarden.state.sets import Addition, Sets, merged

ACTIONS = ("dynamodb:UpdateItem", "dynamodb:BatchGetItem")
"""The IAM actions that this file needs."""

LONGEST: Final = 97
"""Bits of the longest number that any kind of item stores."""


class DynamoDbEvidence(TableUser):
    """Sets in the state table."""

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
        """Add to an item for which ADD fails, because a member has another type.

        Overwrites the item with the new numbers and those of its numbers that can be read. Numbers that
        another writer adds at the same moment may be lost, which is better than an item that refuses every
        addition.
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
        """See the port. Costs half a read unit for each 4 KB of each item."""
        items = self._table.read_all([_address(key) for key in keys])
        return {key: self._sets(key, item) for item in items if (key := key_text(item.get("pk")))}

    def _sets(self, key: str, members: object) -> dict[str, frozenset[int]]:
        """The sets of an item that are not empty, by name.

        Of a known kind of item, only the sets that `state/schema.py` lists.
        """
        item, kind = self._table.item(key, members), item_of(key)
        names = [each for each in kind.sets if each in item] if kind else named(item.members, "NS")
        found = {name: item.numbers(name, kind.bits_of(name) if kind else LONGEST) for name in names}
        return {name: numbers for name, numbers in found.items() if numbers}


def _address(key: str) -> Address:
    return key, SETS


def _named(sets: Sets) -> tuple[dict[str, str], dict[str, Any]]:
    """Placeholders for the names and the numbers of the sets, without empty sets: DynamoDB has none."""
    full = {name: numbers for name, numbers in sets.items() if numbers}
    names = {f"#s{position}": name for position, name in enumerate(full)}
    values = {
        f":s{position}": {"NS": [str(each) for each in sorted(numbers)]}
        for position, numbers in enumerate(full.values())
    }
    return names, values
