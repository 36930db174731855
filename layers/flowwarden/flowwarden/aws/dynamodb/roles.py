"""The known roles in the state table: implements `known_roles.RoleStore`.

All items share one partition key, so that one query reads all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowwarden.aws.dynamodb.item import StoredItem, key_text
from flowwarden.aws.dynamodb.table import ItemDamaged, StateTable, number
from flowwarden.monitor.baseline.known_roles import KnownRole
from flowwarden.state.schema import KNOWN_ROLES, ROLES
from flowwarden.unreadable import Unreadable

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_dynamodb import DynamoDBClient

ACTIONS = ("dynamodb:Query", "dynamodb:UpdateItem")
"""The IAM actions that this file needs."""

(NETWORKS,) = KNOWN_ROLES.sets


class DynamoDbRoles:
    """The known roles, one item each."""

    def __init__(self, client: DynamoDBClient, table: str, unreadable: Unreadable | None = None) -> None:
        self._table = StateTable(client, table, unreadable)

    def load(self) -> list[KnownRole]:
        """See the port. An item without a readable day is left out, so a container stores it again."""
        found = []
        for members in self._table.query(ROLES):
            key = key_text(members.get("sk"))
            role = _read(key.removeprefix(KNOWN_ROLES.prefix), self._table.item(f"{ROLES} {key}", members))
            if role is not None and KNOWN_ROLES.address(role.role) == (ROLES, key):
                found.append(role)
        return found

    def put(self, role: KnownRole) -> None:
        """See the port. Costs one write, or two if the stored item is damaged and must be overwritten."""
        kept = "SET known = if_not_exists(known, :known)"
        added = f" ADD {NETWORKS} :networks" if role.networks else ""
        try:
            self._update(role, f"{kept}, expires_at = :expires{added}")
        except ItemDamaged:
            self.replace(role)

    def replace(self, role: KnownRole) -> None:
        """Store a role with this day and these networks, in place of what is stored."""
        networks = f", {NETWORKS} = :networks" if role.networks else f" REMOVE {NETWORKS}"
        self._update(role, f"SET known = :known, expires_at = :expires{networks}")

    def _update(self, role: KnownRole, expression: str) -> None:
        networks: dict[str, Any] = {":networks": {"NS": [str(each) for each in sorted(role.networks)]}}
        self._table.update(
            KNOWN_ROLES.address(role.role),
            UpdateExpression=expression,
            ExpressionAttributeValues={
                ":known": number(role.known),
                ":expires": number(role.expires_at),
                **(networks if role.networks else {}),
            },
        )


def _read(role: str, item: StoredItem) -> KnownRole | None:
    """The role of an item; None if its day cannot be read, which is noted."""
    known = item.amount("known")
    if known is None:
        return None
    networks = item.numbers(NETWORKS, KNOWN_ROLES.bits) if NETWORKS in item else frozenset[int]()
    expires = item.amount("expires_at") or 0
    return KnownRole(role=role, known=known, networks=networks, expires_at=expires)
