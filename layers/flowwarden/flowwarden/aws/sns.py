"""Publishing to SNS topics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from flowwarden.errors import PublishFailed

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

ACTIONS = (
    "sns:Publish",
    "kms:GenerateDataKey*",  # the topics are encrypted with the stack's own key
    "kms:Decrypt",
)
"""IAM actions that this file's calls need."""


class Topic:
    """One topic."""

    def __init__(self, client: SNSClient, topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn
        self.name = topic_arn.rpartition(":")[2]

    def publish(self, subject: str, message: str, attributes: Mapping[str, str]) -> None:
        """Publish a message that has a text for each protocol.

        Raises:
            PublishFailed: SNS did not accept the message, for any reason.
        """
        try:
            self._client.publish(
                TopicArn=self._topic_arn,
                Subject=subject,
                Message=message,
                MessageStructure="json",
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
                },
            )
        except (ClientError, BotoCoreError) as error:
            raise PublishFailed(f"SNS topic {self._topic_arn}: {error}") from error
