"""Changes to the mutes in the state table, for commands: implements `policy.made_mutes.MuteEditor`.

The caller needs dynamodb:Query, and dynamodb:UpdateItem, or dynamodb:GetItem and dynamodb:DeleteItem. No
function uses this file, so it lists no `ACTIONS`.
"""

from __future__ import annotations

import msgspec

from flowwarden.aws.dynamodb.mutes import DynamoDbMutes
from flowwarden.aws.dynamodb.table import number
from flowwarden.policy.made_mutes import MadeMute
from flowwarden.state.schema import MUTES


class DynamoDbMuteEditor(DynamoDbMutes):
    """The mutes made by command."""

    def put(self, mute: MadeMute) -> None:
        """See the port. Costs one write."""
        self._table.update(
            MUTES.address(mute.id),
            UpdateExpression="SET content = :content, expires_at = :expires",
            ExpressionAttributeValues={
                ":content": {"S": msgspec.json.encode(mute).decode()},
                ":expires": number(MUTES.kept_until(mute.mute.end or 0)),
            },
        )

    def remove(self, mute: str) -> bool:
        """See the port. Costs one read and one write."""
        address = MUTES.address(mute)
        if not self._table.get(address).members:
            return False
        self._table.delete(address)
        return True
