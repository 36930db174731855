"""The registry of flow logs in the state table: implements `registry.RegistryStore`.

All items share one partition key, so that one query reads all of them.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from flowwarden.aws.dynamodb.item import StoredItem, key_text
from flowwarden.aws.dynamodb.table import Address, TableUser, number
from flowwarden.enforcer.creation import Creation, ManagedFlowLog
from flowwarden.enforcer.deletion_call import DeletionCall
from flowwarden.enforcer.registry import DeletedFlowLog, Entry, KnownFlowLog, key_of
from flowwarden.state.item import Item
from flowwarden.state.schema import (
    CREATIONS,
    DELETED_FLOW_LOGS,
    DELETION_CALLS,
    KNOWN_FLOW_LOGS,
    MANAGED_FLOW_LOGS,
    REGISTRY,
)

ACTIONS = ("dynamodb:Query", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem", "dynamodb:DeleteItem")
"""The IAM actions that this file needs."""

_ITEMS: Final[dict[type[Entry], Item]] = {
    Creation: CREATIONS,
    ManagedFlowLog: MANAGED_FLOW_LOGS,
    KnownFlowLog: KNOWN_FLOW_LOGS,
    DeletedFlowLog: DELETED_FLOW_LOGS,
    DeletionCall: DELETION_CALLS,
}


class DynamoDbRegistry(TableUser):
    """The registry's entries, one item each."""

    def load(self, kind: type[Entry] | None = None) -> list[Entry]:
        """See the port. An item that cannot be read is ignored: its flow log counts as unmanaged."""
        items = self._table.query(REGISTRY, "" if kind is None else _ITEMS[kind].prefix)
        found = (_read(self._table.item(_key(item), item)) for item in items)
        return [each for each in found if each is not None]

    def put(self, *entries: Entry) -> None:
        """See the port. Costs one write for each entry."""
        if len(entries) == 1:
            self._put(*entries)  # botocore repeats a throttled UpdateItem later, but not a part of a batch
        else:
            self._table.put([(_address(each), _members(each)) for each in entries])

    def _put(self, entry: Entry) -> None:
        members = _members(entry)
        values = {f":{name}": value for name, value in members.items()}
        update = f"SET {', '.join(f'{name} = :{name}' for name in members)}"
        self._table.update(_address(entry), UpdateExpression=update, ExpressionAttributeValues=values)

    def remove(self, entry: Entry) -> None:
        """See the port. Costs one write."""
        self._table.delete(_address(entry))


def _members(entry: Entry) -> dict[str, Any]:
    item, content = _ITEMS[type(entry)], {"S": msgspec.json.encode(entry).decode()}
    return {"content": content} | ({"expires_at": number(item.kept_until(entry.at))} if item.ttl else {})


def _address(entry: Entry) -> Address:
    return _ITEMS[type(entry)].address(key_of(entry))


def _key(members: dict[str, Any]) -> str:
    return f"{REGISTRY} {key_text(members.get('sk'))}"


def _read(item: StoredItem) -> Entry | None:
    """The entry of an item whose content and key agree; otherwise None, which is noted."""
    key = key_text(item.members.get("sk"))
    kind = next((each for each, row in _ITEMS.items() if key.startswith(row.prefix)), None)
    entry: Entry | None = item.document("content", kind) if kind is not None else None
    if entry is None:
        return None
    if _address(entry) != (REGISTRY, key):
        item.left_out("content", "is about another flow log than the key")
        return None
    return entry
