"""The life of an incident, as members of its claim item: when it was seen, and what is pending or open.

An item with the member `open` is in the index `OPEN`, whose sort key `check_at` is the time at which the
dispatcher looks at the item. A repeat does not move that time: this would cost two writes in the index. When
it has come, the dispatcher reads the item and sets the next one.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from flowwarden.aws.dynamodb.item import StoredItem, packed
from flowwarden.aws.dynamodb.reported import Clause
from flowwarden.aws.dynamodb.table import number
from flowwarden.notify.incident import ACKNOWLEDGED_SECONDS, Incident, due_at
from flowwarden.notify.pending import Pending
from flowwarden.unreadable import CLOCKS

PENDING: Final = "PENDING"
SENT: Final = "SENT"
RESOLVED: Final = "RESOLVED"
"""The states of an item; `aws/dynamodb/claims.py` explains them."""
OPEN: Final = "open"
"""The index of the open incidents, its partition key, and the only value of that key."""
_NAMES: Final = {"#open": OPEN}
RESOLVING: Final = "SET #state = :resolved, resolved_at = :now, ended_at = if_not_exists(last_seen, :now)"
"""The assignments with which an incident is over; its notification is still to be sent."""
ACKNOWLEDGMENT: Final = ", acknowledged_until, acknowledged_at, acknowledged_by"
"""The members of an acknowledgment, for the end of a REMOVE clause: the next notification, and the end of the
incident, remove it."""
MOST_TRIES: Final = 1000
"""More attempts than a claim can have in a week. A larger number is damage and does not suppress."""
RETRY_SECONDS: Final = 10
"""After the end of a lease, for how long a retry of the batch goes first. Then the next run of the dispatcher
sends what is pending: within two minutes of the claim."""


def claimed(pending: Pending | None, now: int, lease: int) -> Clause:
    """The assignments of a claim that make it pending; '' for an incident without a life."""
    if pending is None:
        return Clause("", {})
    return Clause(
        ", pending = :pending_document, #open = :open, check_at = :check_at",
        {
            ":pending_document": packed(pending),
            ":open": {"S": OPEN},
            ":check_at": number(now + lease + RETRY_SECONDS),
        },
        names=_NAMES,
    )


def confirmed(incident: Incident | None, now: int) -> Clause:
    """The assignments of a confirmation that store the incident; '' for one without a life."""
    if incident is None:
        return Clause("", {})
    return Clause(
        ", incident = :incident, last_seen = :last_seen, reopened = :reopened, #open = :open"
        ", check_at = :check_at",
        {
            ":incident": packed(incident),
            ":last_seen": number(incident.last_seen),
            ":reopened": number(incident.reopened),
            ":open": {"S": OPEN},
            ":check_at": number(due_at(incident, now)),
        },
        names=_NAMES,
    )


_WINDOW: Final = "attribute_type(suppressed_until, :n) AND suppressed_until BETWEEN :next AND :quiet"
_RECENT: Final = "sent_at BETWEEN :recent AND :ahead"
_COUNTED: Final = "ended_at BETWEEN :counted AND :ahead"
_LATE: Final = "(#state = :resolved AND last_seen BETWEEN :seen AND :ahead)"


def suppressing(incident: Incident | None, now: int) -> Clause:
    """The condition under which a repeat with nothing new is not sent.

    Once an incident was reported as resolved, a recurrence is sent although its window still goes on: until
    then, readers believe that it is over. It is not sent soon after the last notification, nor if it may
    count again what was reported. Traffic from before the end that arrives late is never a recurrence.

    Args:
        incident: what the repeat shows; None if the incident has no life.
        now: Unix seconds.
    """
    if incident is None:
        return Clause(_WINDOW, {})
    times = {
        ":recent": now - incident.reopen_after + 1,
        ":ahead": now + CLOCKS,
        ":seen": min(incident.last_seen, now),  # DynamoDB refuses a range that ends before it begins
    }
    known = f"attribute_not_exists(reported_resolved) OR {_RECENT}"
    if incident.counted_over:
        known, times = f"{known} OR {_COUNTED}", times | {":counted": now - incident.counted_over}
    values = {name: number(each) for name, each in times.items()}
    return Clause(f"(({_WINDOW} AND ({known})) OR {_LATE})", values)


def reopened(
    known: Incident | None, seen: Incident | None, state: str, now: int, *, reported: bool
) -> Clause:
    """The assignments with which a suppressed repeat opens a resolved incident again; '' if it does not.

    Nothing is sent, see `suppressing`. If its end was reported, that counts as a reopening, whose end is not
    reported again, and the next resolve takes longer (`Incident.wait`). If it was not, the sink still shows
    the incident as open: it goes on there, and its next end is reported. If its end is just being sent,
    `OpenIncidents.close` notes that afterward.

    Args:
        known: the stored incident.
        seen: what the repeat shows.
        state: the state of the item.
        now: Unix seconds.
        reported: whether its end was reported.
    """
    if state != RESOLVED or known is None or (seen is not None and seen.last_seen <= known.last_seen):
        return Clause("", {})
    again = replace(known, reopened=known.reopened + reported, last_seen=now)
    exists = "attribute_exists" if reported else "attribute_not_exists"
    return Clause(
        "#state = :sent, reopened = :reopened, #open = :open, check_at = :check_at",
        {
            ":sent": {"S": SENT},
            ":reopened": number(again.reopened),
            ":open": {"S": OPEN},
            ":check_at": number(due_at(again, now)),
        },
        names=_NAMES,
        removes="REMOVE resolved_at, resolved_by",
        condition=f"{exists}(reported_resolved)",
    )


def is_stale(known: Incident | None, seen: Incident | None) -> bool:
    """Whether a repeat must store when it was seen, because what is stored is too old."""
    return known is not None and seen is not None and seen.last_seen > known.last_seen + known.fresh_for


def acknowledged_until(item: StoredItem, now: int) -> int | None:
    """The end of an acknowledgment that holds at `now` (both Unix seconds); None if there is none."""
    if "acknowledged_until" not in item:
        return None
    until = item.moment("acknowledged_until", now + ACKNOWLEDGED_SECONDS)
    return until if until is not None and until > now else None


def incident_of(item: StoredItem, now: int) -> Incident | None:
    """The incident in an item; None if it has none that can be read."""
    found = item.document("incident", Incident) if "incident" in item else None
    if found is None:
        return None
    seen = item.moment("last_seen", now) if "last_seen" in item else None
    reopened = item.amount("reopened") if "reopened" in item else None
    known = found.plausible(now)
    return replace(
        known,
        last_seen=max(known.last_seen, seen or 0),
        reopened=known.reopened if reopened is None else reopened,
    ).plausible(now)
