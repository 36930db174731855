"""The incidents in the state table, for commands: implements `dispatcher.desk.IncidentDesk`.

The caller needs dynamodb:Query on the index of open incidents, and dynamodb:GetItem; to change an incident
also dynamodb:UpdateItem. No function uses this file, so it lists no `ACTIONS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flowwarden.aws.dynamodb.incidents import DynamoDbIncidents, read
from flowwarden.aws.dynamodb.lifecycle import ACKNOWLEDGMENT, OPEN, RESOLVED, RESOLVING, SENT
from flowwarden.aws.dynamodb.table import number
from flowwarden.dispatcher.desk import acknowledged_for
from flowwarden.dispatcher.ports import OpenIncident
from flowwarden.notify.claims import ClaimKey
from flowwarden.state.schema import INCIDENTS
from flowwarden.unreadable import Unreadable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LEASE_SECONDS: Final = 60
"""Of a claim; commands claim none of the incidents that they change."""


class DynamoDbDesk(DynamoDbIncidents):
    """The stored incidents, for a person."""

    def __init__(self, client: DynamoDBClient, table: str, unreadable: Unreadable | None = None) -> None:
        super().__init__(client, table, LEASE_SECONDS, unreadable)

    def listed(self, now: int) -> list[OpenIncident]:
        """See the port. Costs one read for each incident."""
        found = (read(self._table.get(each), now) for each in self._table.indexed(OPEN))
        return [each for each in found if each is not None]

    def find(self, key: ClaimKey, now: int) -> OpenIncident | None:
        """See the port."""
        return read(self._table.get(INCIDENTS.address(key.sink, key.incident)), now, also_closed=True)

    def acknowledge(self, incident: OpenIncident, by: str, now: int) -> bool:
        """See the port."""
        until = now + acknowledged_for(incident)
        values: dict[str, Any] = {
            ":until": number(until),
            ":at": number(now),
            ":by": {"S": by},
            ":expires": number(INCIDENTS.kept_until(until)),
        }
        update = (
            "SET acknowledged_until = :until, acknowledged_at = :at, acknowledged_by = :by"
            ", expires_at = :expires"
        )
        return self._write(incident, update, values, SENT)

    def silence(self, incident: OpenIncident, by: str, now: int) -> bool:
        """See the port. One write, so that no run of the dispatcher finds it resolved and sends that."""
        values: dict[str, Any] = {
            ":resolved": {"S": RESOLVED},
            ":now": number(now),
            ":by": {"S": by},
            ":reported": {"BOOL": True},
        }
        update = (
            f"{RESOLVING}, resolved_by = :by, reported_resolved = :reported"
            f" REMOVE #open, check_at, no_data_since{ACKNOWLEDGMENT}"
        )
        return self._write(incident, update, values, SENT)

    def resolve_by(self, incident: OpenIncident, by: str, now: int) -> bool:
        """See the port. The next run of the dispatcher notifies it."""
        values: dict[str, Any] = {":resolved": {"S": RESOLVED}, ":now": number(now), ":by": {"S": by}}
        update = f"{RESOLVING}, check_at = :now, resolved_by = :by REMOVE no_data_since{ACKNOWLEDGMENT}"
        return self._write(incident, update, values, SENT)
