"""The open incidents of `MemoryClaims`, for the dispatcher; they can be unavailable."""

from __future__ import annotations

from collections.abc import Sequence

from flowwarden.dispatcher.ports import OpenIncident
from flowwarden.errors import StateUnavailable
from flowwarden.memory import incidents
from flowwarden.memory.claim_item import MemoryItem
from flowwarden.memory.claims import MemoryClaims
from flowwarden.notify.claims import Owner


class MemoryIncidents(incidents.MemoryIncidents):
    """Implements `dispatcher.ports.OpenIncidents` on the same items as the claims."""

    def __init__(self, claims: MemoryClaims) -> None:
        super().__init__(claims)
        self.is_away = False
        """Whether all calls fail."""
        self.writes = 0
        """Updates of items, also those whose condition did not hold."""

    def due(self, now: int, most: int) -> Sequence[OpenIncident]:
        """See the port."""
        self._answer()
        return super().due(now, most)

    def close(self, incident: OpenIncident) -> bool:
        """See the port."""
        self._answer()
        self.writes += 1
        return super().close(incident)

    def drop(self, incident: OpenIncident, owner: Owner) -> bool:
        """See the port."""
        self._answer()
        return super().drop(incident, owner)

    def _unchanged(self, incident: OpenIncident) -> MemoryItem | None:
        self._answer()
        self.writes += 1
        return super()._unchanged(incident)

    def _answer(self) -> None:
        if self.is_away:
            raise StateUnavailable("unavailable in the test")
