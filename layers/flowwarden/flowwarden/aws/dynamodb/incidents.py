"""The open incidents in the state table, for the dispatcher: implements `dispatcher.ports.OpenIncidents`.

They are the claim items with the member `open`, see `aws/dynamodb/lifecycle.py`. The index contains their
keys only, and is eventually consistent, so each item is read before anything is done with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from flowwarden.aws.dynamodb import reported
from flowwarden.aws.dynamodb.history import LONGEST_WINDOW, granted
from flowwarden.aws.dynamodb.item import StoredItem, is_value
from flowwarden.aws.dynamodb.lifecycle import (
    ACKNOWLEDGMENT,
    MOST_TRIES,
    OPEN,
    PENDING,
    RESOLVED,
    RESOLVING,
    SENT,
    acknowledged_until,
    incident_of,
)
from flowwarden.aws.dynamodb.reported import Clause
from flowwarden.aws.dynamodb.table import Address, ConditionFailed, ItemDamaged, StateTable, number
from flowwarden.dispatcher.ports import Acknowledgment, OpenIncident
from flowwarden.notify.claims import MAX_UNANSWERED, UNANSWERED_SECONDS, Claim, ClaimKey, Owner
from flowwarden.notify.pending import Pending
from flowwarden.state.schema import INCIDENTS
from flowwarden.state.sets import DAY
from flowwarden.unreadable import Unreadable

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_dynamodb import DynamoDBClient

ACTIONS = ("dynamodb:Query", "dynamodb:GetItem", "dynamodb:UpdateItem")
"""The IAM actions that this file needs."""

_NAMES: Final = {"#state": "state", "#owner": "owner", "#open": OPEN}
_VERSION: Final = ("owner", "last_seen", "lease_until")
"""The members that must not have changed when an item is written, as they are stored."""


class DynamoDbIncidents:
    """The open incidents."""

    def __init__(
        self, client: DynamoDBClient, table: str, lease: int, unreadable: Unreadable | None = None
    ) -> None:
        """Bind to a table; `lease` is how long a claim is exclusive, in seconds."""
        self._table = StateTable(client, table, unreadable)
        self._lease = lease

    def due(self, now: int, most: int) -> list[OpenIncident]:
        """See the port. Costs one read of the index, and one for each incident."""
        found: list[OpenIncident] = []
        for address in self._table.due(OPEN, now, most):
            item = self._table.get(address)
            one = read(item, now)
            if one is not None:
                found.append(one)
            elif OPEN in item:
                self._forget(address, item)
        return found

    def take(self, incident: OpenIncident, owner: Owner, now: int) -> bool:
        """See the port."""
        values = {
            ":me": {"S": str(owner)},
            ":lease": number(now + self._lease),
            ":check_at": number(now + 2 * self._lease),
            ":one": number(1),
        }
        taken = "SET #owner = :me, lease_until = :lease, check_at = :check_at"
        try:
            counted = f"{taken}, tries = if_not_exists(tries, :none) + :one"
            return self._write(incident, counted, values | {":none": number(0)}, PENDING)
        except ItemDamaged:  # a count that is not a number becomes 1
            return self._write_or_forget(incident, f"{taken}, tries = :one", values, PENDING)

    def resolve(self, incident: OpenIncident, now: int) -> bool:
        """See the port."""
        values = {":resolved": {"S": RESOLVED}, ":now": number(now)}
        return self._write_or_forget(
            incident, f"{RESOLVING} REMOVE no_data_since{ACKNOWLEDGMENT}", values, SENT
        )

    def close(self, incident: OpenIncident) -> bool:
        """See the port."""
        values = {":reported": {"BOOL": True}}
        same = _unchanged({"state": {"S": RESOLVED}, "resolved_at": number(incident.resolved_at or 0)})
        update = "SET reported_resolved = :reported REMOVE #open, check_at"
        try:
            closed = self._update(incident.key, update, same, values)
        except ItemDamaged as error:
            return self._refused(incident.key, same, error)
        if not closed:
            self._note_end(incident)
        return closed

    def _note_end(self, incident: OpenIncident) -> None:
        """Note that the end was reported of an incident that a repeat opened again before that was stored."""
        sent_at = None if incident.sent_at is None else number(incident.sent_at)
        same = _unchanged(
            {"state": {"S": SENT}, "sent_at": sent_at, "resolved_at": None, "reported_resolved": None}
        )
        values = {":reported": {"BOOL": True}, ":reopened": number(incident.incident.reopened + 1)}
        update = "SET reported_resolved = :reported, reopened = :reopened"
        self._update(incident.key, update, same, values)

    def drop(self, incident: OpenIncident, owner: Owner) -> bool:
        """See the port."""
        same = _unchanged({"state": {"S": PENDING}, "owner": {"S": str(owner)}})
        return self._update(incident.key, "REMOVE #open, check_at, pending", same)

    def put_off(self, incident: OpenIncident, check_at: int, no_data_since: int | None, now: int) -> bool:
        """See the port."""
        values = {":check_at": number(check_at), ":expires": number(INCIDENTS.kept_until(max(check_at, now)))}
        if no_data_since is None:
            update = "SET check_at = :check_at, expires_at = :expires REMOVE no_data_since"
        else:
            update = "SET check_at = :check_at, expires_at = :expires, no_data_since = :since"
            values[":since"] = number(no_data_since)
        return self._write_or_forget(incident, update, values, _state_of(incident))

    def _write_or_forget(
        self, incident: OpenIncident, update: str, values: dict[str, Any], state: str
    ) -> bool:
        """The same as `_write`; an item that allows no write leaves the index, and the answer is False."""
        try:
            return self._write(incident, update, values, state)
        except ItemDamaged as error:
            return self._refused(incident.key, _version_of(incident, state), error)

    def _refused(self, key: ClaimKey, same: Clause, error: ItemDamaged) -> bool:
        """Remove an item from the index that allows no write, such as a full one: it would be due for ever.

        Each run would begin with it, and stop there.
        """
        item = self._table.item(INCIDENTS.key_of(key.sink, key.incident), {})
        item.left_out("its size or content", f"allows no write: {error}")
        self._update(key, "REMOVE #open, check_at", same)
        return False

    def _write(self, incident: OpenIncident, update: str, values: dict[str, Any], state: str) -> bool:
        """Write if neither the state, nor the owner, nor the time of the latest traffic has changed."""
        return self._update(incident.key, update, _version_of(incident, state), values)

    def _update(
        self, key: ClaimKey, update: str, same: Clause, values: Mapping[str, Any] = MappingProxyType({})
    ) -> bool:
        """Update the item if the condition holds; False if it does not."""
        names = {name: each for name, each in _NAMES.items() if name in f"{update} {same.text}"}
        try:
            self._table.update(
                INCIDENTS.address(key.sink, key.incident),
                UpdateExpression=update,
                ConditionExpression=same.text,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={**values, **same.values},
            )
        except ConditionFailed:
            return False
        return True

    def _forget(self, address: Address, item: StoredItem) -> None:
        """Remove an item from the index that cannot be read, which was noted: it would be due for ever.

        Not one that an invocation has written since it was read.
        """
        same = _unchanged({name: item.members.get(name) for name in ("state", "check_at", *_VERSION)})
        with suppress(ConditionFailed):
            self._table.update(
                address,
                UpdateExpression="REMOVE #open, check_at",
                ConditionExpression=same.text,
                ExpressionAttributeNames=_NAMES,
                **({"ExpressionAttributeValues": same.values} if same.values else {}),
            )


def _state_of(incident: OpenIncident) -> str:
    if incident.pending is not None:
        return PENDING
    return SENT if incident.resolved_at is None else RESOLVED


def _version_of(incident: OpenIncident, state: str) -> Clause:
    """The condition that an item is in this state, and has not changed since it was read."""
    return _unchanged(dict(zip(_VERSION, incident.version, strict=True)) | {"state": {"S": state}})


def _unchanged(members: Mapping[str, Any]) -> Clause:
    """The condition that an item still has these members, of whatever type they are; None for no member."""
    texts: list[str] = []
    values: dict[str, Any] = {}
    for name, member in members.items():
        path = f"#{name}" if f"#{name}" in _NAMES else name
        if member is None:
            texts.append(f"attribute_not_exists({path})")
        elif is_value(member):
            texts.append(f"{path} = :was_{name}")
            values |= {f":was_{name}": member}
        else:
            texts.append(f"attribute_exists({path})")
    return Clause(" AND ".join(texts), values)


def read(item: StoredItem, now: int, *, also_closed: bool = False) -> OpenIncident | None:
    """The open incident in an item; None if it is not open, or cannot be read, which is noted."""
    shown = OPEN in item or (also_closed and "incident" in item)
    key, state, owner = _key(item.key), item.text("state") if shown else None, item.text("owner")
    if state not in {None, PENDING, SENT, RESOLVED}:
        item.left_out("state", "is not a state of an incident")
        return None
    if key is None or owner is None or state is None:
        return None
    pending = item.document("pending", Pending) if state == PENDING and "pending" in item else None
    pending = None if pending is None else replace(pending, incident=pending.incident.plausible(now))
    incident = incident_of(item, now)
    if state == PENDING and "pending" not in item:
        item.left_out("pending", "is missing")
    if incident is None and pending is not None:
        incident = pending.incident
    if incident is None or (state == PENDING and pending is None):
        return None
    resolved = item.moment("resolved_at", now) if state == RESOLVED else None
    if state == RESOLVED and resolved is None:
        return None
    return OpenIncident(
        key=key,
        version=tuple(item.members.get(name) for name in _VERSION),
        pending=pending,
        claim=None if pending is None else _claim(item, pending, now),
        batch=owner.partition("/")[0],
        is_leased=_is_leased(item, now),
        incident=incident,
        sent_at=item.moment("sent_at", now) if "sent_at" in item else None,
        suppressed_batches=item.size("suppressed_batches"),
        joined=item.names("joined"),
        resolved_at=resolved,
        is_reported="reported_resolved" in item,
        no_data_since=item.moment("no_data_since", now) if "no_data_since" in item else None,
        check_at=(item.moment("check_at", now + 2 * DAY) or 0) if "check_at" in item else 0,
        resolved_by=item.text("resolved_by") if "resolved_by" in item else None,
        acknowledged=_acknowledgment(item, state, now),
        reported=reported.reported(item),
    )


def _claim(item: StoredItem, pending: Pending, now: int) -> Claim:
    """What the claim of a pending notification showed."""
    claimed_at = now if pending.claimed_at is None else min(pending.claimed_at, now)
    return granted(item, PENDING, claimed_at, LONGEST_WINDOW if pending.quiet is None else pending.quiet)


def _acknowledgment(item: StoredItem, state: str | None, now: int) -> Acknowledgment | None:
    """The acknowledgment that holds; None if there is none."""
    until = acknowledged_until(item, now) if state == SENT else None
    if until is None:
        return None
    return Acknowledgment(
        until=until,
        at=item.moment("acknowledged_at", now) if "acknowledged_at" in item else None,
        by=(item.text("acknowledged_by") or "") if "acknowledged_by" in item else "",
    )


def _key(text: str) -> ClaimKey | None:
    """The sink and the incident in an item's key; a sink's name can contain `#`, an incident's key cannot."""
    sink, separator, incident = text.removeprefix(INCIDENTS.prefix).rpartition("#")
    return ClaimKey(sink, incident) if separator and text.startswith(INCIDENTS.prefix) else None


def _is_leased(item: StoredItem, now: int) -> bool:
    """Whether its owner may still send a pending notification, or too many attempts were not answered."""
    lease = item.amount("lease_until") if "lease_until" in item else None
    tries = item.amount("tries") if "tries" in item else None
    if lease is None or lease > now + DAY:
        return False
    waits = MAX_UNANSWERED <= (tries or 0) <= MOST_TRIES and lease > now - UNANSWERED_SECONDS
    return lease > now or waits
