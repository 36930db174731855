"""What a granted claim shows of earlier notifications of the incident, from its item.

A claim removes nothing from the item. So the dispatcher reads the same from the item of a notification that
stayed pending as the invocation that claimed it.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from flowwarden.aws.dynamodb import reported
from flowwarden.aws.dynamodb.item import StoredItem
from flowwarden.aws.dynamodb.lifecycle import PENDING, RESOLVED, SENT, acknowledged_until, incident_of
from flowwarden.notify.claims import Claim, ClaimState
from flowwarden.notify.incident import REOPEN_SECONDS, Event, Incident
from flowwarden.state.sets import DAY

LONGEST_WINDOW: Final = 365 * DAY
"""The longest suppression window that a stack can have, in seconds."""


def granted(item: StoredItem, state: str | None, now: int, quiet: int) -> Claim:
    """The claim that was granted at `now` (Unix seconds).

    Args:
        item: the item before the claim, or after it.
        state: the state of the item.
        now: Unix seconds.
        quiet: the suppression window of the alert, in seconds.
    """
    shows = state in {SENT, RESOLVED} or (state == PENDING and "suppressed_until" in item)
    ends = item.moment("suppressed_until", now + quiet + DAY) if shows else None
    # The end of an incident removes its acknowledgment.
    acknowledged = state in {SENT, PENDING} and acknowledged_until(item, now)
    event, earlier = _event(item, now)
    return Claim(
        state=ClaimState.CLAIMED,
        suppressed_batches=item.size("suppressed_batches"),
        last_sent=item.moment("sent_at", now) if "sent_at" in item else None,
        joined=item.names("joined"),
        reported=reported.reported(item) if (ends or 0) > now or acknowledged else None,
        event=event,
        earlier=earlier,
    )


def _event(item: StoredItem, now: int) -> tuple[Event, Incident | None]:
    """What a notification reports that is sent now, and the incident that it continues."""
    incident = incident_of(item, now)
    if incident is None:
        return Event.OPENED, None
    if "resolved_at" not in item:
        if "reported_resolved" not in item:
            return Event.UPDATED, incident
        # It was reopened silently, which was counted.
        return Event.REOPENED, replace(incident, reopened=max(0, incident.reopened - 1))
    resolved = item.moment("resolved_at", now)
    # A sink that did not get the end still shows the incident as open, however long ago it ended.
    is_new = "reported_resolved" in item and resolved is not None and now - resolved >= REOPEN_SECONDS
    if resolved is None or is_new:
        return Event.OPENED, None
    return Event.REOPENED, incident
