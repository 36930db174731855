"""What the last notification of an incident reported, as members of its claim item.

Also builds the conditions that compare a repeat with it. If a member of the item is missing or damaged, the
condition does not hold and the alert is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any, Final

from msgspec import Struct

from flowwarden.aws.dynamodb.item import StoredItem
from flowwarden.aws.dynamodb.table import number
from flowwarden.notify.claim_request import ClaimRequest
from flowwarden.notify.claims import digest
from flowwarden.notify.evidence import (
    GROWTH,
    JOIN_SECONDS,
    MAX_SUPPRESSED,
    MOST_ASKED,
    MOST_ASKS,
    MOST_MEMBERS,
    SPARED,
    UNCOUNTED,
    Evidence,
)
from flowwarden.state.schema import INCIDENTS
from flowwarden.unreadable import CLOCKS

_BATCH_DIGITS: Final = 8
"""Digits of a hash of a suppressed batch's id that are stored: they tell `MAX_SUPPRESSED` batches apart."""
_NOTHING_NEW: Final = (
    "attribute_type(reported_gravity, :n) AND reported_gravity >= :gravity"
    " AND attribute_type(reported_limit, :n) AND reported_limit > :amount"
)
_FEW_JOINED: Final = (
    "(attribute_not_exists(joined)"
    " OR (attribute_type(joined, :ss) AND attribute_type(crowd, :n) AND size(joined) < crowd))"
)
_JOINING: Final = "attribute_type(sent_at, :n) AND sent_at BETWEEN :joining AND :ahead"
ACKNOWLEDGED: Final = (
    "attribute_type(acknowledged_until, :n) AND acknowledged_until BETWEEN :next AND :acknowledged"
)
"""The condition that an incident is acknowledged. A time further ahead is damage and does not suppress."""
_WAITING: Final = f"(sent_at BETWEEN :waiting AND :ahead OR ({ACKNOWLEDGED}))"


class Clause(Struct, frozen=True):
    """A part of an expression of DynamoDB, with its values by placeholder."""

    text: str
    values: dict[str, Any]
    names: dict[str, str] = {}
    """Members whose names are reserved words of DynamoDB, or occur often in a condition, whose length is
    limited; by placeholder."""
    removes: str = ""
    """A clause of an update that removes members; '' for none."""
    condition: str = ""
    """What must hold for the update; '' for nothing."""


def nothing_new(evidence: Evidence, now: int, window: int) -> Clause:
    """The condition under which a repeat shows nothing that must be reported.

    A member that the last notification reported is not reported again, and another member is not reported
    within `JOIN_SECONDS` of that notification: it joins. If the incident continues after the window, the
    members that joined are reported then, unless it is acknowledged.

    Args:
        evidence: the evidence of the repeat.
        now: Unix seconds.
        window: the suppression window in seconds.
    """
    members = {f":m{at}": {"S": each} for at, each in enumerate(evidence.members[:MOST_ASKED])}
    asks = _named(evidence.asks[:MOST_ASKS] if members else ())
    places = {name: {"S": each} for group in asks for name, each in group.items()}
    values = {
        ":n": {"S": "N"},
        ":gravity": number(evidence.gravity),
        ":amount": number(evidence.amount),
    }
    parts = [_NOTHING_NEW]
    if members:
        condition = _reported_or_joined(
            [*members], _place([[*each] for each in asks]), strict=evidence.strict
        )
        parts += [_FEW_JOINED, condition]
        values |= {
            ":ss": {"S": "SS"},
            ":full": number(MOST_MEMBERS),
            ":joining": number(now - JOIN_SECONDS + 1),
            ":waiting": number(now - max(window, JOIN_SECONDS) + 1),
            ":ahead": number(now + CLOCKS),
        }
    names = ({"#r": "reported"} if members else {}) | ({"#p": "reported_places"} if places else {})
    return Clause(" AND ".join(parts), values | members | places, names)


def _named(asks: Sequence[Sequence[str]]) -> list[dict[str, str]]:
    """The places of each group by their placeholders, such as `:ask0`."""
    numbers = count()
    return [{f":ask{next(numbers)}": each for each in group} for group in asks]


def _reported_or_joined(members: Sequence[str], place: str, *, strict: bool) -> str:
    """The condition that each member was reported or joins.

    Only `MOST_MEMBERS` members are stored. If so many are, a member that is not among them may have been
    reported, so it counts as reported.

    Args:
        members: the placeholders of the members.
        place: the condition about the places of members that join, '' if there is none; see `_place`.
        strict: see `Evidence.strict`.
    """
    reported = " AND ".join(f"contains(#r, {name})" for name in members)
    either = " AND ".join(f"(contains(#r, {name}) OR contains(joined, {name}))" for name in members)
    joined = f"({_WAITING} AND attribute_type(joined, :ss) AND {either})"
    alone = " AND size(#r) = :one AND attribute_not_exists(joined)" if place and strict else ""
    free = f"({reported}{alone})"
    bound = f"(size(#r) >= :full OR ({_JOINING}) OR {joined}{f' OR ({reported})' if strict else ''})"
    bound = f"({bound}{place})" if place else bound  # DynamoDB refuses redundant parentheses
    return f"attribute_type(#r, :ss) AND ({free} OR {bound})"


def _place(asks: Sequence[Sequence[str]]) -> str:
    """The condition that at least one place of each group was reported; '' if there are no groups."""
    groups = (" OR ".join(f"contains(#p, {name})" for name in names) for names in asks)
    every = " AND ".join(f"({each})" for each in groups)
    return f" AND attribute_type(#p, :ss) AND {every}" if every else ""


def stored(evidence: Evidence) -> Clause:
    """The end of an update expression that stores what a notification reports; it follows an assignment."""
    sets = {"reported": evidence.members, "reported_places": evidence.places}
    numbers = {
        "reported_gravity": evidence.gravity,
        "reported_limit": evidence.grows_at,
        "crowd": min(evidence.crowd, MOST_MEMBERS + 1),
    }
    values: dict[str, Any] = {f":{name}": number(each) for name, each in numbers.items()}
    values |= {f":{name}": {"SS": [*each]} for name, each in sets.items() if each}
    assigned = "".join(f", {name[1:]} = {name}" for name in values)
    removed = ", ".join(["joined", *(name for name, each in sets.items() if not each)])
    return Clause(f"{assigned} REMOVE {removed}", values)


def repeat(
    item: StoredItem,
    request: ClaimRequest,
    window: int,
    reopening: Clause,
    state: str,
    *,
    stale: bool = False,
) -> dict[str, Any]:
    """The arguments of the update for a suppressed repeat; empty if there is nothing to store.

    The update counts the repeat, notes when it was seen, extends the window and adds the members that join.

    Args:
        item: the incident's item.
        request: the claim that was refused.
        window: its suppression window, in seconds.
        reopening: the assignments that open the incident again; empty if it is open.
        state: the state of the item, which must not have changed.
        stale: whether what the item stores of when it was seen is too old, see `Incident.fresh_for`.
    """
    added, assigned = _changes(item, request, window)
    if not (added or assigned or reopening.text or stale):
        return {}
    assigned |= _seen(item, request)
    sets = ", ".join([*(f"{name} = :{name}" for name in assigned), *filter(None, [reopening.text])])
    adds = ", ".join(f"{name} :{name}" for name in added)
    fits = [f"(attribute_not_exists({name}) OR attribute_type({name}, :texts))" for name in added]
    values: dict[str, Any] = {f":{name}": number(each) for name, each in assigned.items()}
    values |= {f":{name}": {"SS": [*each]} for name, each in added.items()}
    values |= {":state": {"S": state}} | ({":texts": {"S": "SS"}} if added else {}) | reopening.values
    clauses = (f"SET {sets}" if sets else "", f"ADD {adds}" if adds else "", reopening.removes)
    return {
        "UpdateExpression": " ".join(filter(None, clauses)),
        "ConditionExpression": " AND ".join([*fits, "#state = :state", *filter(None, [reopening.condition])]),
        "ExpressionAttributeNames": {"#state": "state"} | reopening.names,
        "ExpressionAttributeValues": values,
    }


def _changes(
    item: StoredItem, request: ClaimRequest, window: int
) -> tuple[dict[str, tuple[str, ...]], dict[str, int]]:
    """What a suppressed repeat adds to sets of the item, and the times that it assigns."""
    counts = item.size("suppressed_batches") < MAX_SUPPRESSED
    batch = digest(request.owner.batch_id)[:_BATCH_DIGITS]
    added: dict[str, tuple[str, ...]] = {"suppressed_batches": (batch,)} if counts else {}
    if request.evidence is None:
        return added, {}
    ends, joined = _after(item, request.evidence, request.now, window)
    much = ends - (item.amount("suppressed_until") or 0) > window // SPARED
    if not (much or counts or joined):
        return added, {}
    added |= {"joined": joined} if joined else {}
    return added, {"suppressed_until": ends, "expires_at": INCIDENTS.kept_until(ends)}


def _seen(item: StoredItem, request: ClaimRequest) -> dict[str, int]:
    """When the traffic of the incident was last seen, if this repeat is later than what is stored."""
    if request.incident is None:
        return {}
    known = item.amount("last_seen") if "last_seen" in item else None
    seen = request.incident.last_seen
    return {"last_seen": seen} if known is None or seen > known else {}


def _after(item: StoredItem, evidence: Evidence, now: int, quiet: int) -> tuple[int, tuple[str, ...]]:
    """The end of the suppression after a repeat (Unix seconds), and the members that join.

    Repeats of members that were reported extend the suppression, until the incident is due to be reported
    again (`Evidence.remind`). Members that joined do not extend it: otherwise they would never be reported.
    """
    reported, joined = item.names("reported"), item.names("joined")
    others = [each for each in evidence.members if each not in reported]
    ends = item.amount("suppressed_until") or now
    if not others:
        sent = item.moment("sent_at", now) or now
        remind = Evidence(members=reported).remind
        ends = max(ends, min(now + quiet, sent + max(quiet, remind)))
    room = max(0, MOST_MEMBERS - len(joined))
    return ends, tuple(each for each in others if each not in joined)[:room]


def reported(item: StoredItem) -> Evidence | None:
    """What the last notification of an incident reported; None if its item does not contain it."""
    gravity = item.amount("reported_gravity") if "reported_gravity" in item else None
    if gravity is None:
        return None
    limit = item.amount("reported_limit") or 0
    return Evidence(
        gravity=gravity,
        amount=limit // GROWTH if limit < UNCOUNTED else 0,
        members=item.names("reported"),
        places=item.names("reported_places"),
    )
