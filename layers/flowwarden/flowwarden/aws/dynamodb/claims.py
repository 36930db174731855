"""The claim items of the state table: which invocation notifies a sink of an incident.

Conditional writes settle it. An incident is one item for each sink, so that its writers meet in one place and
no partition is shared. Its life:

    (none) ──claim──> PENDING ──confirm──> SENT ──quiet time over, claim──> PENDING …

A PENDING claim belongs to one batch until its lease ends; the batch's own retry may take it up at once,
any other after the lease. Expiry is judged here by the clock passed in: DynamoDB removes expired items up
to two days late.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from flowwarden.aws.dynamodb.table import ConditionFailed, StateTable, number
from flowwarden.errors import StateUnavailable
from flowwarden.notify.claims import Claim, ClaimKey, ClaimState, ClaimTerms, Owner
from flowwarden.state.schema import INCIDENTS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ACTIONS = ("dynamodb:UpdateItem",)
"""IAM actions that this file's calls need."""

MAX_HELD_BACK = 50
"""Held-back batches that an item counts one by one; a set of batch ids, so a retry counts once. Every write
to the item pays for its size, and a storm of repeats is when it is written most."""

_PENDING, _SENT = "PENDING", "SENT"

_FREE = (
    "attribute_not_exists(pk)"
    # A batch does not send again what it sent, however late it is replayed from the failure queue.
    " OR (#state = :sent AND quiet_until <= :now AND NOT begins_with(#owner, :batch))"
    " OR (#state = :pending AND lease_until <= :now)"
)


class DynamoDbClaims:
    """Claim-once memory in the state table."""

    def __init__(self, client: DynamoDBClient, table: str, terms: ClaimTerms) -> None:
        self._table = StateTable(client, table)
        self._terms = terms

    def claim(self, key: ClaimKey, owner: Owner, now: int) -> Claim:
        """Try to become the one who notifies the sink of the incident.

        Costs one write; a suppressed repeat costs a second one, which counts it.

        Raises:
            StateUnavailable: the table did not answer or refused.
        """
        try:
            answer = self._update(
                key,
                UpdateExpression=(
                    "SET #state = :pending, #owner = :me, lease_until = :lease, expires_at = :expires"
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
                },
                ReturnValues="ALL_OLD",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ConditionFailed as refused:
            return self._refused(key, owner, refused.item)
        return _claimed(answer.get("Attributes", {}))

    def confirm(self, key: ClaimKey, owner: Owner, now: int) -> None:
        """Say that the notification was sent; the quiet time begins.

        Nothing happens if another invocation has the claim by now: its new owner confirms.

        Raises:
            StateUnavailable: the table did not answer or refused.
        """
        try:
            self._update(
                key,
                UpdateExpression=(
                    "SET #state = :sent, sent_at = :now, quiet_until = :quiet, expires_at = :expires"
                    " REMOVE held_back, lease_until"
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
        """Give the claim back unsent: its lease ends now.

        Raises:
            StateUnavailable: the table did not answer or refused.
        """
        try:
            self._update(
                key,
                UpdateExpression="SET lease_until = :never",
                ConditionExpression="#owner = :me AND #state = :pending",
                ExpressionAttributeNames={"#state": "state", "#owner": "owner"},
                ExpressionAttributeValues={
                    ":never": number(0),
                    ":me": {"S": str(owner)},
                    ":pending": {"S": _PENDING},
                },
            )
        except ConditionFailed:
            return

    def _refused(self, key: ClaimKey, owner: Owner, item: dict[str, Any]) -> Claim:
        same_batch = owner.same_batch(item.get("owner", {}).get("S", ""))
        if item.get("state", {}).get("S") == _PENDING and item["owner"]["S"] == str(owner):
            # The SDK repeated a write whose answer was late: the first one had claimed.
            return _claimed(item)
        if item.get("state", {}).get("S") != _SENT:
            return Claim(state=ClaimState.IN_PROGRESS, same_batch=same_batch)
        # The retry or a second delivery of the batch that was sent is no repeat.
        if not same_batch:
            # What was sent is known already; that the count misses one changes nothing about it.
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
    """A claim that was granted, with what the item knows of the time before."""
    return Claim(
        state=ClaimState.CLAIMED,
        held_back=len(before.get("held_back", {}).get("SS", ())),
        last_sent=int(before["sent_at"]["N"]) if "sent_at" in before else None,
    )
