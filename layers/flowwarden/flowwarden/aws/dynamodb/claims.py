"""The claim items of the state table: which invocation notifies a sink of an incident.

Conditional writes decide. Each pair of incident and sink is one item, so all its writers use the same item,
and incidents do not share a partition. States:

    (none) ──claim──> PENDING ──confirm──> SENT ──suppression window over, claim──> PENDING …

A PENDING claim belongs to one invocation until its lease ends; no other invocation takes it over before, not
even a retry of the same batch. It counts the attempts to send since the last SENT whose outcome is unknown
(`tries`): a release, which means that nothing was sent, takes its attempt off. Expiry is evaluated here with
the clock passed in, because DynamoDB removes expired items up to two days late.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from flowwarden.aws.dynamodb.table import ConditionFailed, StateTable, number
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

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ACTIONS = ("dynamodb:UpdateItem",)
"""IAM actions that this file's calls need."""

MAX_HELD_BACK = 50
"""Maximum number of suppressed batches that an item counts. They are a set of batch ids, so that a retry
counts once; it is bounded because each write is billed by item size, and many repeats mean many writes."""

_PENDING, _SENT = "PENDING", "SENT"

_FREE = (
    "attribute_not_exists(pk)"
    # A batch never sends its notification again, however late it is replayed from the failure queue.
    " OR (#state = :sent AND quiet_until <= :now AND NOT begins_with(#owner, :batch))"
    " OR (#state = :pending AND lease_until <= :now AND ("
    "attribute_not_exists(tries) OR tries < :most OR lease_until <= :redrive"
    " OR (lease_until <= :other AND NOT begins_with(#owner, :batch))))"
)


class DynamoDbClaims:
    """Claims in the state table."""

    def __init__(self, client: DynamoDBClient, table: str, terms: ClaimTerms) -> None:
        self._table = StateTable(client, table)
        self._terms = terms

    def claim(self, key: ClaimKey, owner: Owner, now: int) -> Claim:
        """Try to claim the notification of the sink about the incident.

        Costs one write; a suppressed repeat costs a second write, which counts it.

        Raises:
            StateUnavailable: the table did not answer or refused.
        """
        try:
            answer = self._update(
                key,
                UpdateExpression=(
                    "SET #state = :pending, #owner = :me, lease_until = :lease, expires_at = :expires,"
                    " tries = if_not_exists(tries, :none) + :one"
                ),
                ConditionExpression=_FREE,
                ExpressionAttributeNames={"#state": "state", "#owner": "owner"},
                ExpressionAttributeValues={
                    ":pending": {"S": _PENDING},
                    ":sent": {"S": _SENT},
                    ":me": {"S": str(owner)},
                    ":batch": {"S": owner.batch_id},
                    ":now": number(now),
                    ":lease": number(now + self._terms.lease),
                    ":expires": number(INCIDENTS.kept_until(now + self._terms.quiet)),
                    ":none": number(0),
                    ":one": number(1),
                    ":most": number(MAX_UNANSWERED),
                    ":other": number(now - UNANSWERED_SECONDS),
                    ":redrive": number(now - REDRIVE_SECONDS),
                },
                ReturnValues="ALL_OLD",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ConditionFailed as refused:
            return self._refused(key, owner, refused.item, now)
        return _claimed(answer.get("Attributes", {}))

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
                    "SET #state = :sent, sent_at = :now, quiet_until = :quiet, expires_at = :expires"
                    " REMOVE held_back, lease_until, tries"
                ),
                ConditionExpression="#owner = :me",
                ExpressionAttributeNames={"#state": "state", "#owner": "owner"},
                ExpressionAttributeValues={
                    ":sent": {"S": _SENT},
                    ":me": {"S": str(owner)},
                    ":now": number(now),
                    ":quiet": number(now + self._terms.quiet),
                    ":expires": number(INCIDENTS.kept_until(now + self._terms.quiet)),
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
            self._update(
                key,
                UpdateExpression="SET lease_until = :never, tries = if_not_exists(tries, :one) - :one",
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

    def _refused(self, key: ClaimKey, owner: Owner, item: dict[str, Any], now: int) -> Claim:
        same_batch = owner.same_batch(item.get("owner", {}).get("S", ""))
        if item.get("state", {}).get("S") == _PENDING and item["owner"]["S"] == str(owner):
            # The SDK retried a write whose response was late: the first write had already claimed.
            return _claimed(item)
        if item.get("state", {}).get("S") != _SENT:
            waits = int(item.get("lease_until", {}).get("N", 0)) > now
            state = ClaimState.IN_PROGRESS if waits else ClaimState.UNANSWERED
            return Claim(state=state, same_batch=same_batch)
        # A retry or second delivery of the batch that sent it is not a repeat.
        if not same_batch:
            # The outcome is already known; a missing count does not change it.
            with suppress(StateUnavailable):
                self._hold_back(key, owner)
        return Claim(state=ClaimState.SUPPRESSED, same_batch=same_batch)

    def _hold_back(self, key: ClaimKey, owner: Owner) -> None:
        try:
            self._update(
                key,
                UpdateExpression="ADD held_back :batch",
                ConditionExpression="attribute_not_exists(held_back) OR size(held_back) < :most",
                ExpressionAttributeValues={
                    ":batch": {"SS": [owner.batch_id[:16]]},
                    ":most": number(MAX_HELD_BACK),
                },
            )
        except ConditionFailed:
            return

    def _update(self, key: ClaimKey, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - boto3's own arguments
        return self._table.update(INCIDENTS.address(key.sink, key.incident), **arguments)


def _claimed(before: dict[str, Any]) -> Claim:
    """A granted claim, with the item's data from before."""
    return Claim(
        state=ClaimState.CLAIMED,
        held_back=len(before.get("held_back", {}).get("SS", ())),
        last_sent=int(before["sent_at"]["N"]) if "sent_at" in before else None,
    )
