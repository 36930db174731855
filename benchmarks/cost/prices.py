"""The only table of prices: US dollars in us-east-1, November 2026, and which resources they are for.

Prices change, and other Regions have others: before a decision, compare with the pages named here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

REGION: Final = "us-east-1"
DATE: Final = "2026-11"
_TB: Final = 1024.0
"""GB of the steps in which CloudWatch counts terabytes."""


class Price(Struct, frozen=True, kw_only=True):
    """The price of one unit, perhaps in steps."""

    what: str
    unit: str
    steps: tuple[tuple[float | None, float], ...]
    """(units of this step, dollars for one unit), in order; None for all further units."""
    per: float = 1
    """How many units the dollars are for."""
    source: str
    """The name of the AWS page."""

    def dollars(self, amount: float) -> float:
        """The cost of an amount in a month."""
        total, left = 0.0, amount
        for size, price in self.steps:
            part = left if size is None else min(left, size)
            total += part * price / self.per
            left -= part
        return total


CLOUDWATCH: Final = "Amazon CloudWatch pricing"
DYNAMODB: Final = "Amazon DynamoDB pricing"
LAMBDA: Final = "AWS Lambda pricing"
SNS: Final = "Amazon SNS pricing"


def _flat(what: str, unit: str, dollars: float, source: str, per: float = 1) -> Price:
    return Price(what=what, unit=unit, steps=((None, dollars),), per=per, source=source)


_MILLION: Final = 1_000_000

INGESTION: Final = Price(
    what="vended logs to CloudWatch Logs: flow logs, and the log of a function", unit="GB", source=CLOUDWATCH,
    steps=((10 * _TB, 0.50), (20 * _TB, 0.25), (20 * _TB, 0.10), (None, 0.05)),
)  # fmt: skip
TO_S3: Final = Price(
    what="vended logs to S3", unit="GB", source=CLOUDWATCH,
    steps=((10 * _TB, 0.25), (20 * _TB, 0.15), (20 * _TB, 0.075), (None, 0.05)),
)  # fmt: skip
STORAGE: Final = _flat("storage in CloudWatch Logs, compressed", "GB-month", 0.03, CLOUDWATCH)
QUERY: Final = _flat("CloudWatch Logs Insights: data scanned", "GB", 0.005, CLOUDWATCH)
METRIC: Final = _flat("custom metric, the first 10,000", "metric-month", 0.30, CLOUDWATCH)
ALARM: Final = _flat("alarm, standard resolution", "alarm-month", 0.10, CLOUDWATCH)
DASHBOARD: Final = _flat("dashboard", "dashboard-month", 3.00, CLOUDWATCH)
S3_STORAGE: Final = _flat("S3 Standard storage, the first 50 TB", "GB-month", 0.023, "Amazon S3 pricing")
REQUEST: Final = _flat("Lambda requests", "million", 0.20, LAMBDA, _MILLION)
GB_SECOND: Final = _flat("Lambda duration, x86_64", "GB-second", 0.0000166667, LAMBDA)
GB_SECOND_ARM: Final = _flat("Lambda duration, arm64", "GB-second", 0.0000133334, LAMBDA)
WRITE: Final = _flat("on-demand writes: write request units of 1 KB", "million", 0.625, DYNAMODB, _MILLION)
READ: Final = _flat("on-demand reads: read request units of 4 KB", "million", 0.125, DYNAMODB, _MILLION)
TABLE: Final = _flat("storage of a table", "GB-month", 0.25, DYNAMODB)
RECOVERY: Final = _flat("point-in-time recovery of a table", "GB-month", 0.20, DYNAMODB)
PUBLISH: Final = _flat("SNS: messages published, up to 64 KB", "million", 0.50, SNS, _MILLION)
EMAIL: Final = _flat("SNS: messages delivered by email", "100,000", 2.00, SNS, 100_000)
QUEUE: Final = _flat("SQS requests", "million", 0.40, "Amazon SQS pricing", _MILLION)
KEY: Final = _flat("KMS key", "key-month", 1.00, "AWS KMS pricing")
KEY_REQUEST: Final = _flat("KMS requests", "10,000", 0.03, "AWS KMS pricing", 10_000)
GUARDDUTY: Final = Price(
    what="GuardDuty: flow logs and DNS logs analyzed", unit="GB", source="Amazon GuardDuty pricing",
    steps=((500, 1.00), (2_000, 0.50), (7_500, 0.25), (None, 0.15)),
)  # fmt: skip

PRICES: Final = (
    INGESTION, TO_S3, STORAGE, S3_STORAGE, QUERY, METRIC, ALARM, DASHBOARD, REQUEST, GB_SECOND, GB_SECOND_ARM,
    WRITE, READ, TABLE, RECOVERY, PUBLISH, EMAIL, QUEUE, KEY, KEY_REQUEST, GUARDDUTY,
)  # fmt: skip

FREE: Final = "free"
RESOURCES: Final[Mapping[str, tuple[Price, ...] | str]] = {
    "AWS::CloudWatch::Alarm": (ALARM,),
    "AWS::CloudWatch::Dashboard": (DASHBOARD,),
    "AWS::DynamoDB::Table": (WRITE, READ, TABLE, RECOVERY),
    "AWS::Events::Rule": "free: schedules and events of AWS services",
    "AWS::IAM::Policy": FREE,
    "AWS::IAM::Role": FREE,
    "AWS::IAM::RolePolicy": FREE,
    "AWS::KMS::Key": (KEY, KEY_REQUEST),
    "AWS::Lambda::Permission": FREE,
    "AWS::Logs::LogGroup": (INGESTION, STORAGE, QUERY),
    "AWS::Logs::SubscriptionFilter": "free: delivery to Lambda; the function is billed",
    "AWS::SNS::Subscription": (EMAIL,),
    "AWS::SNS::Topic": (PUBLISH,),
    "AWS::SNS::TopicPolicy": FREE,
    "AWS::SQS::Queue": (QUEUE,),
    "AWS::SQS::QueuePolicy": FREE,
    "AWS::Serverless::Function": (REQUEST, GB_SECOND, METRIC),
    "AWS::Serverless::LayerVersion": "free: it only counts for Lambda's quota of stored code",
    "Custom::ExistingSubscriptions": "free: one run of a function in a deployment",
    "Custom::SettingsCheck": "free: one run of a function in a deployment",
}
"""Each type of resource in the template: its prices, or why it is free. A test finds a type without a row."""
