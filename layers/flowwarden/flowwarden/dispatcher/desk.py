"""What a person does with incidents by command: list, acknowledge, resolve and mute them. Pure.

Every change is conditional on what was read, so that it never overwrites what the monitor or the dispatcher
did in the meantime.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final, Protocol

from msgspec import Struct

from flowwarden.dispatcher.ports import OpenIncident
from flowwarden.notify.claims import ClaimKey
from flowwarden.notify.incident import ACKNOWLEDGED_SECONDS, Incident

SHORTEST_KEY: Final = 4
"""Characters of an incident's key that a command needs at least."""
UNCOMPARED_SECONDS: Final = 86_400
"""How long an acknowledgment lasts if nothing shows whether the incident gets worse, as for notifications to
operations: others of their kind, such as further silent interfaces of a VPC, can have the same key."""
WHOLE_KEY: Final = 32
"""Characters of a whole key."""


class IncidentDesk(Protocol):
    """The stored incidents, for a person. All methods raise StateUnavailable."""

    def listed(self, now: int) -> Sequence[OpenIncident]:
        """All open incidents, one for each sink; `now` is Unix seconds."""

    def find(self, key: ClaimKey, now: int) -> OpenIncident | None:
        """An incident of a sink, also one that is over; None if none is stored."""

    def acknowledge(self, incident: OpenIncident, by: str, now: int) -> bool:
        """Acknowledge a sent incident; False if it has changed since it was read."""

    def resolve_by(self, incident: OpenIncident, by: str, now: int) -> bool:
        """Mark a sent incident as resolved by command; the dispatcher notifies it.

        False if it has changed since it was read.
        """

    def silence(self, incident: OpenIncident, by: str, now: int) -> bool:
        """Mark a sent incident as resolved, without a notification; False if it has changed."""

    def close(self, incident: OpenIncident) -> bool:
        """Remove a resolved incident from those that are open; False if it was reopened."""


class Status(StrEnum):
    """What a person reads about the state of an incident."""

    SENDING = "being sent"
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Listed(Struct, frozen=True):
    """An incident with all its sinks; at least one."""

    key: str
    by_sink: tuple[OpenIncident, ...]

    @property
    def first(self) -> OpenIncident:
        """The incident as it was stored for the sink that was notified last."""
        return max(self.by_sink, key=lambda each: (each.sent_at or 0, each.key.sink))

    @property
    def incident(self) -> Incident:
        """What is stored of it."""
        return self.first.incident

    @property
    def held(self) -> bool:
        """Whether its last page was held at a sink, because the budget was spent."""
        return any(each.incident.held for each in self.by_sink)

    @property
    def suppressed(self) -> int:
        """Repeats that were suppressed since the last notification."""
        return max(each.suppressed_batches for each in self.by_sink)

    @property
    def no_data_since(self) -> int | None:
        """Unix seconds of the last records of its log group, if none came later."""
        return max((each.no_data_since for each in self.by_sink if each.no_data_since), default=None)

    @property
    def status(self) -> Status:
        """The state of the sink that has most to do."""
        found = {status_of(each) for each in self.by_sink}
        return next(each for each in Status if each in found)


def status_of(one: OpenIncident) -> Status:
    """The state of an incident at one sink."""
    if one.pending is not None:
        return Status.SENDING
    if one.resolved_at is not None:
        return Status.RESOLVED
    return Status.OPEN if one.acknowledged is None else Status.ACKNOWLEDGED


def acknowledged_for(one: OpenIncident) -> int:
    """How long an acknowledgment of an incident lasts, in seconds."""
    return UNCOMPARED_SECONDS if one.reported is None else ACKNOWLEDGED_SECONDS


def grouped(incidents: Iterable[OpenIncident]) -> list[Listed]:
    """The incidents, those of one key together."""
    by_key = defaultdict[str, list[OpenIncident]](list)
    for each in incidents:
        by_key[each.key.incident].append(each)
    return [Listed(key, tuple(several)) for key, several in by_key.items()]


def matching(written: str, incidents: Sequence[Listed]) -> list[Listed]:
    """The incidents whose key begins with what was written; none if that is too short."""
    if len(written) < SHORTEST_KEY:
        return []
    return [each for each in incidents if each.key.startswith(written)]


def mutes_of(incident: Incident) -> list[dict[str, str]]:
    """What the mutes of an incident match: those that its page suggests, or its detectors and its subject."""
    suggested = [each for each in incident.mutes if each.get("detector")]
    return suggested or [{"detector": each, "subject": incident.subject} for each in incident.detectors]
