"""The state table: who notifies about an incident, and the log formats that were learned.

Both are settled by conditional writes. An incident is one item, so that its writers meet in one place and
no partition is shared. Its life:

    (none) ──claim──> PENDING ──confirm──> SENT ──quiet time over, claim──> PENDING …

A PENDING claim belongs to one batch until its lease ends; the batch's own retry may take it up at once,
anybody after the lease. Expiry is judged here by the clock passed in: DynamoDB removes expired items up
to two days late.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from flowwarden.errors import StateUnavailable
from flowwarden.notify.claims import Claim, ClaimState, ClaimTerms, Owner
from flowwarden.records.format_choice import Learned

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ACTIONS = ("dynamodb:GetItem", "dynamodb:UpdateItem")
"""IAM actions that this file's calls need."""

KEPT = 7 * 24 * 3600
"""Seconds that an incident outlives its quiet time, so that the next page can tell of this one, and that
what was learned of a log group is kept for when EC2 cannot be asked."""

MAX_HELD_BACK = 50
"""Held-back batches that an item counts one by one; a set of batch ids, so a retry counts once. Every write
to the item pays for its size, and a storm of repeats is when it is written most."""

_PENDING, _SENT = "PENDING", "SENT"

_FREE = (
    "attribute_not_exists(pk)"
    # A batch that was told is not told again, however late somebody replays it from the failure queue.
    " OR (#state = :sent AND quiet_until <= :now AND NOT begins_with(#owner, :batch))"
    " OR (#state = :pending AND lease_until <= :now)"
)


class DynamoDbClaims:
    """Claim-once memory in the state table."""

    def __init__(self, client: DynamoDBClient, table: str, terms: ClaimTerms) -> None:
        self._table = _Table(client, table)
        self._terms = terms

    def claim(self, key: str, owner: Owner, now: int) -> Claim:
        """Try to become the one who notifies about incident `key`.

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
                    ":now": _number(now),
                    ":lease": _number(now + self._terms.lease),
                    ":expires": _number(now + self._terms.quiet + KEPT),
                },
                ReturnValues="ALL_OLD",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except _ConditionFailed as refused:
            return self._refused(key, owner, refused.item)
        return _claimed(answer.get("Attributes", {}))

    def confirm(self, key: str, owner: Owner, now: int) -> None:
        """Say that the notification was sent; the quiet time begins.

        Nothing happens if the claim went to somebody else meanwhile: its new owner confirms.

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
                    ":now": _number(now),
                    ":quiet": _number(now + self._terms.quiet),
                    ":expires": _number(now + self._terms.quiet + KEPT),
                },
            )
        except _ConditionFailed:
            return

    def release(self, key: str, owner: Owner) -> None:
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
                    ":never": _number(0),
                    ":me": {"S": str(owner)},
                    ":pending": {"S": _PENDING},
                },
            )
        except _ConditionFailed:
            return

    def _refused(self, key: str, owner: Owner, item: dict[str, Any]) -> Claim:
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

    def _hold_back(self, key: str, owner: Owner) -> None:
        try:
            self._update(
                key,
                UpdateExpression="ADD held_back :batch",
                ConditionExpression="attribute_not_exists(held_back) OR size(held_back) < :most",
                ExpressionAttributeValues={
                    ":batch": {"SS": [owner.batch_id[:16]]},
                    ":most": _number(MAX_HELD_BACK),
                },
            )
        except _ConditionFailed:
            return

    def _update(self, key: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - boto3's own arguments
        return self._table.update(f"incident#{key}", "claim", **arguments)


class DynamoDbLogFormats:
    """Memory of log formats in the state table: one item for each log group."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._table = _Table(client, table)

    def recall(self, log_group: str) -> Learned | None:
        """What was learned last, however old. Costs one read.

        Raises:
            StateUnavailable: the table did not answer or refused.
        """
        item = self._table.get(*_of(log_group))
        if "learned_at" not in item:
            return None
        return Learned(
            formats=tuple(each["S"] for each in item["formats"]["L"]),
            untold=item["untold"]["BOOL"],
            at=int(item["learned_at"]["N"]),
        )

    def take_turn(self, log_group: str, now: int, wait: int) -> bool:
        """Whether the caller may ask EC2: nobody did in the last `wait` seconds. Costs one write.

        Raises:
            StateUnavailable: the table did not answer or refused.
        """
        try:
            self._table.update(
                *_of(log_group),
                UpdateExpression="SET asked_at = :now, expires_at = :expires",
                ConditionExpression="attribute_not_exists(asked_at) OR asked_at <= :before",
                ExpressionAttributeValues={
                    ":now": _number(now),
                    ":before": _number(now - wait),
                    ":expires": _number(now + KEPT),
                },
            )
        except _ConditionFailed:
            return False
        return True

    def keep(self, log_group: str, learned: Learned) -> None:
        """Remember what was learned. Costs one write.

        Raises:
            StateUnavailable: the table did not answer or refused.
        """
        self._table.update(
            *_of(log_group),
            UpdateExpression=(
                "SET formats = :formats, untold = :untold, learned_at = :at, expires_at = :expires"
            ),
            ExpressionAttributeValues={
                ":formats": {"L": [{"S": text} for text in learned.formats]},
                ":untold": {"BOOL": learned.untold},
                ":at": _number(learned.at),
                ":expires": _number(learned.at + KEPT),
            },
        )


class _Table:
    """The state table: what its answers mean."""

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        self._client = client
        self._name = name

    def get(self, pk: str, sk: str) -> dict[str, Any]:
        """The item as it is now, empty if there is none. Raises StateUnavailable."""
        try:
            answer = self._client.get_item(
                TableName=self._name, Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=True
            )
        except (ClientError, BotoCoreError) as error:
            raise StateUnavailable(f"table {self._name}: {error}") from error
        return dict(answer.get("Item", {}))

    def update(self, pk: str, sk: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - boto3's own arguments
        """Update an item. Raises StateUnavailable, and _ConditionFailed with what stands there."""
        try:
            answer = self._client.update_item(
                TableName=self._name, Key={"pk": {"S": pk}, "sk": {"S": sk}}, **arguments
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                raise _ConditionFailed(dict(error.response).get("Item")) from error
            raise StateUnavailable(f"table {self._name}: {error}") from error
        except BotoCoreError as error:
            raise StateUnavailable(f"table {self._name}: {error}") from error
        return dict(answer)


class _ConditionFailed(Exception):
    """The condition of a write did not hold; `item` is what stands there."""

    def __init__(self, item: Any) -> None:  # noqa: ANN401 - what the service sent
        super().__init__()
        self.item: dict[str, Any] = item or {}


def _of(log_group: str) -> tuple[str, str]:
    """The key of a log group's item."""
    return f"layouts#{log_group}", "formats"


def _number(value: int) -> dict[str, str]:
    return {"N": str(value)}


def _claimed(before: dict[str, Any]) -> Claim:
    """A claim that was granted, with what the item knows of the time before."""
    return Claim(
        state=ClaimState.CLAIMED,
        held_back=len(before.get("held_back", {}).get("SS", ())),
        last_sent=int(before["sent_at"]["N"]) if "sent_at" in before else None,
    )
