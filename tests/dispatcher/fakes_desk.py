"""The stored incidents in memory, as commands use them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from flowwarden.dispatcher.desk import acknowledged_for
from flowwarden.dispatcher.ports import Acknowledgment, OpenIncident
from flowwarden.errors import StateUnavailable
from flowwarden.notify.claims import ClaimKey


@dataclass
class MemoryDesk:
    """Incidents by sink and key."""

    items: dict[ClaimKey, OpenIncident] = field(default_factory=dict)
    closed: set[ClaimKey] = field(default_factory=set)
    is_away: bool = False
    has_changed: bool = False
    """Whether every incident changes after it was read."""

    @classmethod
    def of(cls, incidents: Iterable[OpenIncident]) -> MemoryDesk:
        """A table with these."""
        return cls({each.key: each for each in incidents})

    def listed(self, _now: int) -> Sequence[OpenIncident]:
        """See the port."""
        self._answer()
        return [each for key, each in self.items.items() if key not in self.closed]

    def find(self, key: ClaimKey, _now: int) -> OpenIncident | None:
        """See the port."""
        self._answer()
        return self.items.get(key)

    def acknowledge(self, incident: OpenIncident, by: str, now: int) -> bool:
        """See the port."""
        held = Acknowledgment(until=now + acknowledged_for(incident), at=now, by=by)
        return self._change(replace(incident, acknowledged=held))

    def resolve_by(self, incident: OpenIncident, by: str, now: int) -> bool:
        """See the port."""
        return self._change(replace(incident, resolved_at=now, resolved_by=by, acknowledged=None))

    def silence(self, incident: OpenIncident, by: str, now: int) -> bool:
        """See the port."""
        return self.resolve_by(incident, by, now) and self.close(incident)

    def close(self, incident: OpenIncident) -> bool:
        """See the port."""
        self._answer()
        self.closed.add(incident.key)
        return True

    def _change(self, incident: OpenIncident) -> bool:
        self._answer()
        if not self.has_changed:
            self.items[incident.key] = incident
        return not self.has_changed

    def _answer(self) -> None:
        if self.is_away:
            raise StateUnavailable("table state: AccessDeniedException, by the test")
