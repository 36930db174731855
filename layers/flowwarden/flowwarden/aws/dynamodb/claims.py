"""The claim items of the state table: which invocation notifies a sink of an incident.

Conditional writes decide. Each pair of incident and sink is one item, so all its writers use the same item,
and incidents do not share a partition. States:

    (none) ──claim──> PENDING ──confirm──> SENT ──suppression window over, claim──> PENDING …

A PENDING claim belongs to one invocation until its lease ends; no other invocation takes it over before, not
even a retry of the same batch. It counts the attempts to send since the last SENT whose outcome is unknown
(`tries`): a release, which means that nothing was sent, takes its attempt off. Expiry is evaluated here with
the clock passed in, because DynamoDB removes expired items up to two days late.

An item silences an incident only if it proves that it may: see `_HELD`. Any other, whatever is wrong with it,
is free: a repeated page is better than a lost one. The claim overwrites it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from flowwarden.aws.dynamodb.item import StoredItem
from flowwarden.aws.dynamodb.table import ConditionFailed, ItemDamaged, StateTable, number
from flowwarden.errors import StateUnavailable
from flowwarden.notify.claims import (
    MAX_UNANSWERED,
    REDRIVE_SECONDS,
    UNANSWERED_SECONDS,
    Claim,
    ClaimKey,
    ClaimState,
    ClaimTerms,
    Owner,
)
from flowwarden.state.schema import INCIDENTS
from flowwarden.unreadable import CLOCKS, Unreadable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ACTIONS = ("dynamodb:UpdateItem",)
"""IAM actions that this file's calls need."""

MAX_SUPPRESSED = 50
"""Maximum number of suppressed batches that an item counts. They are a set of batch ids, so that a retry
counts once; it is bounded because each write is billed by item size, and many repeats mean many writes."""

_MOST_TRIES = 1000
"""More than a claim's attempts in a week. A larger number was not stored here, so it proves nothing."""

_PENDING, _SENT = "PENDING", "SENT"

_HELD = (
    # No window and no lease ends later than one that begins now: a time far ahead holds nothing.
    "(#state = :sent AND attribute_type(suppressed_until, :n) AND suppressed_until BETWEEN :next AND :quiet)"
    # A batch never sends its notification again, however late it is replayed from the failure queue.
    " OR (#state = :sent AND attribute_type(#owner, :s) AND begins_with(#owner, :batch))"
    " OR (#state = :pending AND attribute_type(lease_until, :n) AND lease_until BETWEEN :next AND :leased)"
    # Too many attempts whose outcome is unknown: it waits, the same batch longer than another.
    " OR (#state = :pending AND attribute_type(tries, :n) AND tries BETWEEN :most AND :plausible"
    " AND attribute_type(lease_until, :n) AND lease_until BETWEEN :redrive AND :now"
    " AND (lease_until > :other OR (attribute_type(#owner, :s) AND begins_with(#owner, :batch))))"
)


class DynamoDbClaims:
    """Claims in the state table."""

    def __init__(
        self, client: DynamoDBClient, table: str, terms: ClaimTerms, unreadable: Unreadable | None = None
    ) -> None:
        self._table = StateTable(client, table, unreadable)
        self._terms = terms

    def claim(self, key: ClaimKey, owner: Owner, now: int) -> Claim:
        """Try to claim the notification of the sink about the incident.

        Costs one write; a suppressed repeat costs a second write, which counts it.

        Raises:
            StateUnavailable: the table did not answer or refused.
        """
        try:
            answer = self._counted(
                key,
                "SET #state = :pending, #owner = :me, lease_until = :lease, expires_at = :expires, tries = ",
                "if_not_exists(tries, :none) + :one",
                ConditionExpression=f"NOT ({_HELD})",
                ExpressionAttributeNames={"#state": "state", "#owner": "owner"},
                ExpressionAttributeValues=self._values(owner, now),
                ReturnValues="ALL_OLD",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ConditionFailed as refused:
            return self._refused(key, owner, refused.item, now)
        before = answer.get("Attributes")
        return self._claimed(key, before, now) if before else Claim(state=ClaimState.CLAIMED)

    def _values(self, owner: Owner, now: int) -> dict[str, Any]:
        """The values in the condition and in the update of a claim."""
        quiet, lease = self._terms.suppression, self._terms.lease
        return {
            ":pending": {"S": _PENDING},
            ":sent": {"S": _SENT},
            ":me": {"S": str(owner)},
            ":batch": {"S": owner.batch_id},
            ":n": {"S": "N"},
            ":s": {"S": "S"},
            ":next": number(now + 1),
            ":quiet": number(now + quiet + CLOCKS),
            ":leased": number(now + lease + CLOCKS),
            ":lease": number(now + lease),
            ":expires": number(INCIDENTS.kept_until(now + quiet)),
            ":none": number(0),
            ":one": number(1),
            ":most": number(MAX_UNANSWERED),
            ":now": number(now),
            ":other": number(now - UNANSWERED_SECONDS),
            ":redrive": number(now - REDRIVE_SECONDS + 1),
            ":plausible": number(_MOST_TRIES),
        }

    def confirm(self, key: ClaimKey, owner: Owner, now: int) -> None:
        """Mark the notification as sent; the suppression window begins.

        Does nothing if another invocation has taken over the claim: the new owner confirms.

        Raises:
            StateUnavailable: the table did not answer or refused.
        """
        try:
            self._update(
                key,
                UpdateExpression=(
                    "SET #state = :sent, sent_at = :now, suppressed_until = :quiet, expires_at = :expires"
                    " REMOVE suppressed_batches, lease_until, tries"
                ),
                ConditionExpression="#owner = :me",
                ExpressionAttributeNames={"#state": "state", "#owner": "owner"},
                ExpressionAttributeValues={
                    ":sent": {"S": _SENT},
                    ":me": {"S": str(owner)},
                    ":now": number(now),
                    ":quiet": number(now + self._terms.suppression),
                    ":expires": number(INCIDENTS.kept_until(now + self._terms.suppression)),
                },
            )
        except ConditionFailed:
            return

    def release(self, key: ClaimKey, owner: Owner) -> None:
        """Release the claim, because nothing was sent: its lease ends now, and its attempt does not count.

        Raises:
            StateUnavailable: the table did not answer or refused.
        """
        try:
            self._counted(
                key,
                "SET lease_until = :never, tries = ",
                "if_not_exists(tries, :one) - :one",
                ConditionExpression="#owner = :me AND #state = :pending",
                ExpressionAttributeNames={"#state": "state", "#owner": "owner"},
                ExpressionAttributeValues={
                    ":never": number(0),
                    ":one": number(1),
                    ":me": {"S": str(owner)},
                    ":pending": {"S": _PENDING},
                },
            )
        except ConditionFailed:
            return

    def _refused(self, key: ClaimKey, owner: Owner, members: dict[str, Any], now: int) -> Claim:
        item = self._item(key, members)
        state, holder = item.text("state"), item.text("owner") or ""
        same_batch = owner.same_batch(holder)
        if state == _PENDING and holder == str(owner):
            # The SDK retried a write whose response was late: the first write had already claimed.
            return self._claimed(key, members, now)
        if state != _SENT:
            waits = (item.moment("lease_until", now + self._terms.lease) or 0) > now
            waiting = ClaimState.IN_PROGRESS if waits else ClaimState.UNANSWERED
            return Claim(state=waiting, same_batch=same_batch)
        # A retry or second delivery of the batch that sent it is not a repeat.
        if not same_batch:
            # The outcome is already known; a missing count does not change it.
            with suppress(StateUnavailable):
                self._count_suppressed(key, owner)
        return Claim(state=ClaimState.SUPPRESSED, same_batch=same_batch)

    def _count_suppressed(self, key: ClaimKey, owner: Owner) -> None:
        try:
            self._update(
                key,
                UpdateExpression="ADD suppressed_batches :batch",
                ConditionExpression=(
                    "attribute_not_exists(suppressed_batches)"
                    " OR (attribute_type(suppressed_batches, :texts) AND size(suppressed_batches) < :most)"
                ),
                ExpressionAttributeValues={
                    ":texts": {"S": "SS"},
                    ":batch": {"SS": [owner.batch_id[:16]]},
                    ":most": number(MAX_SUPPRESSED),
                },
            )
        except ConditionFailed:
            return

    def _claimed(self, key: ClaimKey, members: dict[str, Any], now: int) -> Claim:
        """A granted claim, with the item's data from before; notes what did not prove anything."""
        before = self._item(key, members)
        match before.text("state"):
            case "SENT":
                before.moment("suppressed_until", now + self._terms.suppression)
            case "PENDING":
                before.moment("lease_until", now + self._terms.lease)
            case str():
                before.left_out("state", "is not a state of a claim")
        return Claim(
            state=ClaimState.CLAIMED,
            suppressed_batches=before.size("suppressed_batches"),
            last_sent=before.moment("sent_at", now) if "sent_at" in before else None,
        )

    def _counted(self, key: ClaimKey, update: str, count: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401
        """Update the item and its count of attempts; a count that is not a number begins again."""
        try:
            return self._update(key, UpdateExpression=f"{update}{count}", **arguments)
        except ItemDamaged:
            values = {
                name: each for name, each in arguments["ExpressionAttributeValues"].items() if name != ":none"
            }
            arguments["ExpressionAttributeValues"] = values
            return self._update(key, UpdateExpression=f"{update}:one", **arguments)

    def _item(self, key: ClaimKey, members: dict[str, Any]) -> StoredItem:
        return self._table.item(INCIDENTS.key_of(key.sink, key.incident), members)

    def _update(self, key: ClaimKey, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - boto3's own arguments
        return self._table.update(INCIDENTS.address(key.sink, key.incident), **arguments)
