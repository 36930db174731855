"""What the digests say, in the state table: implements `ports.DigestStore`.

As in `aws/dynamodb/sets.py`, ADD is a union, so an addition is one write that can be repeated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from flowwarden.aws.dynamodb.item import key_text
from flowwarden.aws.dynamodb.table import Address, ItemDamaged, TableUser, number
from flowwarden.state.digests import Content
from flowwarden.state.item import SETS
from flowwarden.state.schema import DIGESTS

ACTIONS = ("dynamodb:UpdateItem", "dynamodb:BatchGetItem")
"""The IAM actions that this file needs."""

_EXPIRES: Final = "expires_at = :expires"


class DynamoDbDigests(TableUser):
    """The hours of the digests, one item each."""

    def add(self, key: str, content: Content, kept_until: int) -> Content:
        """See the port. Costs a write unit for each KB of the resulting item."""
        names, values = _named(content)
        pairs = list(zip(names, values, strict=True))
        added = ", ".join(f"{name} {value}" for name, value in pairs)
        expires = {":expires": number(kept_until)}
        try:
            answer = self._update(key, f"ADD {added} SET {_EXPIRES}", names, values | expires)
        except ItemDamaged:
            # A member has another type: what is there is lost, and later additions succeed again.
            self._table.item(key, {}).left_out("its content", "refuses an addition: overwritten")
            assigned = ", ".join(f"{name} = {value}" for name, value in pairs)
            answer = self._update(key, f"SET {assigned}, {_EXPIRES}", names, values | expires)
        return self._content(key, answer.get("Attributes"))

    def _update(
        self, key: str, expression: str, names: Mapping[str, str], values: Mapping[str, Any]
    ) -> dict[str, Any]:
        return self._table.update(
            _address(key),
            UpdateExpression=expression,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
            ReturnValues="ALL_NEW",
        )

    def read(self, keys: Sequence[str]) -> Mapping[str, Content]:
        """See the port. Costs half a read unit for each 4 KB of each item."""
        items = self._table.read_all([_address(key) for key in keys])
        return {key: self._content(key, item) for item in items if (key := key_text(item.get("pk")))}

    def _content(self, key: str, members: object) -> Content:
        """The sets that `state/schema.py` lists; members of another type are left out and noted."""
        item = self._table.item(key, members)
        return Content(
            {name: item.numbers(name, DIGESTS.bits_of(name)) for name in DIGESTS.sets if name in item},
            {name: frozenset(item.names(name)) for name in DIGESTS.texts if name in item},
        )


def _address(key: str) -> Address:
    return key, SETS


def _named(content: Content) -> tuple[dict[str, str], dict[str, Any]]:
    """Placeholders for the names and the values of the sets that are not empty: DynamoDB has no others."""
    sets: dict[str, Any] = {
        name: {"NS": [str(each) for each in sorted(numbers)]}
        for name, numbers in content.numbers.items()
        if numbers
    } | {name: {"SS": sorted(texts)} for name, texts in content.texts.items() if texts}
    names = {f"#s{position}": name for position, name in enumerate(sets)}
    return names, {f":s{position}": value for position, value in enumerate(sets.values())}
