"""Topics, failure queues and keys, as SNS, SQS and KMS describe them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flowwarden.aws.answers import Answer, Malformed
from flowwarden.aws.doctor.reading import fact, items
from flowwarden.doctor.fact import Fact
from flowwarden.doctor.facts import Topic

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

CALLER_ACTIONS: Final = ("sns:ListSubscriptionsByTopic", "sqs:GetQueueAttributes", "kms:DescribeKey")
"""The IAM actions that the credentials of the caller need for this file."""
_COUNTS: Final = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


def topic(client: SNSClient, arn: str) -> Fact[Topic]:
    """A topic with the number of its subscriptions."""

    def read() -> Topic:
        found = items(
            client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn), "Subscriptions"
        )
        # SNS shows a word instead of the ARN of a subscription that is not confirmed, or is deleted.
        arns = [each.text("SubscriptionArn") for each in found]
        confirmed = sum(each.startswith("arn:") for each in arns)
        return Topic(arn=arn, confirmed=confirmed, pending=arns.count("PendingConfirmation"))

    return fact("ListSubscriptionsByTopic", read)


def messages(client: SQSClient, url: str) -> Fact[int]:
    """The approximate number of messages in a queue, those being processed among them."""

    def read() -> int:
        answer = Answer(client.get_queue_attributes(QueueUrl=url, AttributeNames=list(_COUNTS)))
        counts = [answer.inner("Attributes").text(name) for name in _COUNTS]
        if not all(each.isascii() and each.isdecimal() and len(each) < 18 for each in counts):  # noqa: PLR2004
            raise Malformed("the response has no number of messages")
        return sum(map(int, counts))

    return fact("GetQueueAttributes", read)


def key_state(client: Any, key: str) -> Fact[str]:  # noqa: ANN401 - the environment has no stubs of KMS
    """The state of a KMS key, such as `Enabled`."""
    return fact(
        "DescribeKey",
        lambda: Answer(client.describe_key(KeyId=key)).inner("KeyMetadata").demand("KeyState"),
    )
