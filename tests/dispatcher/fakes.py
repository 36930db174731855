"""Fakes of the dispatcher's ports."""

from __future__ import annotations

from collections.abc import Sequence

from flowwarden.dispatcher.ports import OpenIncident
from flowwarden.notify.claims import Owner


class NoIncidents:
    """An account without open incidents."""

    def due(self, _now: int, _most: int) -> Sequence[OpenIncident]:
        """See the port."""
        return ()

    def take(self, incident: OpenIncident, owner: Owner, now: int) -> bool:
        """See the port."""
        raise AssertionError(incident, owner, now)

    def resolve(self, incident: OpenIncident, now: int) -> bool:
        """See the port."""
        raise AssertionError(incident, now)

    def close(self, incident: OpenIncident) -> bool:
        """See the port."""
        raise AssertionError(incident)

    def drop(self, incident: OpenIncident, owner: Owner) -> bool:
        """See the port."""
        raise AssertionError(incident, owner)

    def put_off(self, incident: OpenIncident, check_at: int, no_data_since: int | None, now: int) -> bool:
        """See the port."""
        raise AssertionError(incident, check_at, no_data_since, now)
