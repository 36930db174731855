"""The mutes made by command in the state table: implements `policy.made_mutes.MadeMutes`.

All of them share one partition key, so that one query reads them. Each item is untrusted: one that is not a
valid mute is ignored and noted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flowwarden.aws.dynamodb.item import key_text
from flowwarden.aws.dynamodb.table import StateTable
from flowwarden.errors import PolicyError
from flowwarden.policy.made_mutes import MOST_MADE, MadeMute, check_made, id_of
from flowwarden.state.schema import MADE_MUTES, MUTES
from flowwarden.unreadable import Unreadable

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_dynamodb import DynamoDBClient

ACTIONS = ("dynamodb:Query",)
"""The IAM actions that this file needs."""


class DynamoDbMutes:
    """The mutes made by command, one item each."""

    def __init__(self, client: DynamoDBClient, table: str, unreadable: Unreadable | None = None) -> None:
        self._table = StateTable(client, table, unreadable)

    def load(self, now: int) -> list[MadeMute]:
        """See the port. Costs one query."""
        found = [self._read(members, now) for members in self._table.query(MADE_MUTES)]
        valid = [each for each in found if each is not None]
        if len(valid) > MOST_MADE:
            self._table.item(MADE_MUTES, {}).left_out("mutes", f"are more than {MOST_MADE}")
        return valid[:MOST_MADE]

    def _read(self, members: dict[str, Any], now: int) -> MadeMute | None:
        """The mute of an item; None if it has ended, or is not valid, which is noted."""
        key = key_text(members.get("sk"))
        item = self._table.item(f"{MADE_MUTES} {key}", members)
        made = item.document("content", MadeMute)
        if made is None:
            return None
        try:
            end = check_made(made.mute, now)
        except PolicyError as error:
            item.left_out("content", f"is not a valid mute: {error}")
            return None
        if made.id != id_of(made.mute) or MUTES.address(made.id) != (MADE_MUTES, key):
            item.left_out("content", "does not fit its key")
            return None
        return made if now < end else None
