"""Learned log formats in the state table: implements `ports.LogFormatStore`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flowwarden.aws.dynamodb.table import StateTable, number
from flowwarden.records.format_choice import LearnedFormats
from flowwarden.state.schema import LOG_FORMATS
from flowwarden.unreadable import Unreadable

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_dynamodb import DynamoDBClient

ACTIONS = ("dynamodb:GetItem", "dynamodb:UpdateItem")
"""The IAM actions that this file needs."""

FOREVER: Final = 2**53
"""The latest `learned_at` that is read: any time, because the caller compares it with the present."""


class DynamoDbLogFormats:
    """Log formats in the state table: one item for each log group."""

    def __init__(self, client: DynamoDBClient, table: str, unreadable: Unreadable | None = None) -> None:
        self._table = StateTable(client, table, unreadable)

    def recall(self, log_group: str) -> LearnedFormats | None:
        """The formats learned last, regardless of age; None if no readable item exists. Costs one read.

        Raises:
            StateUnavailable: the table did not answer or refused.
        """
        item = self._table.get(LOG_FORMATS.address(log_group))
        if "learned_at" not in item or "unreported" not in item:  # nothing learned yet, or by another version
            return None
        at, formats = item.moment("learned_at", FOREVER), item.texts("formats")
        unreported = item.truth("unreported")
        if at is None or formats is None or unreported is None:
            return None  # so the caller asks EC2 again and overwrites the item
        return LearnedFormats(formats=formats, unreported=unreported, at=at)

    def take_turn(self, log_group: str, now: int, wait: int) -> bool:
        """Whether the caller may call EC2: no container has in the last `wait` seconds. Costs one write.

        Raises:
            StateUnavailable: the table did not answer or refused.
        """
        return self._table.take_turn(
            LOG_FORMATS.address(log_group), "asked_at", now, wait=wait, ttl=LOG_FORMATS.ttl
        )

    def keep(self, log_group: str, learned: LearnedFormats) -> None:
        """Store the learned formats. Costs one write.

        Raises:
            StateUnavailable: the table did not answer or refused.
        """
        self._table.update(
            LOG_FORMATS.address(log_group),
            UpdateExpression=(
                "SET formats = :formats, unreported = :unreported, learned_at = :at, expires_at = :expires"
            ),
            ExpressionAttributeValues={
                ":formats": {"L": [{"S": text} for text in learned.formats]},
                ":unreported": {"BOOL": learned.unreported},
                ":at": number(learned.at),
                ":expires": number(LOG_FORMATS.kept_until(learned.at)),
            },
        )
