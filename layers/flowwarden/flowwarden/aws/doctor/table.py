"""The state table, as DynamoDB describes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flowwarden.aws.answers import Answer
from flowwarden.aws.doctor.reading import fact
from flowwarden.doctor.fact import Fact
from flowwarden.doctor.facts import Table

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_dynamodb import DynamoDBClient

CALLER_ACTIONS: Final = (
    "dynamodb:DescribeTable",
    "dynamodb:DescribeTimeToLive",
    "dynamodb:DescribeContinuousBackups",
    "dynamodb:BatchGetItem",  # heartbeats and the last good policy
    "dynamodb:Query",  # the mutes made by command
)
"""The IAM actions that the credentials of the caller need for this file and the rest of the table."""
EXPIRY: Final = "expires_at"
INDEX: Final = "open"


class TableReader:
    """One table."""

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        self._client = client
        self._name = name

    def table(self, throttled: Fact[int]) -> Fact[Table]:
        """The table; `throttled` is the number of throttled requests, by CloudWatch."""
        return fact("DescribeTable", lambda: self._table(throttled))

    def _table(self, throttled: Fact[int]) -> Table:
        found = Answer(self._client.describe_table(TableName=self._name)).inner("Table")
        indexes = {
            each.text("IndexName"): each.text("IndexStatus") for each in found.each("GlobalSecondaryIndexes")
        }
        return Table(
            status=found.demand("TableStatus"),
            index=indexes.get(INDEX, ""),
            expiry=fact("DescribeTimeToLive", self._expires),
            recovery=fact("DescribeContinuousBackups", self._recovers),
            throttled=throttled,
        )

    def _expires(self) -> bool:
        answer = Answer(self._client.describe_time_to_live(TableName=self._name))
        found = answer.inner("TimeToLiveDescription")
        is_on = found.demand("TimeToLiveStatus") in {"ENABLED", "ENABLING"}
        return is_on and found.text("AttributeName") == EXPIRY

    def _recovers(self) -> bool:
        answer = Answer(self._client.describe_continuous_backups(TableName=self._name))
        found = answer.inner("ContinuousBackupsDescription").inner("PointInTimeRecoveryDescription")
        return found.text("PointInTimeRecoveryStatus") == "ENABLED"
