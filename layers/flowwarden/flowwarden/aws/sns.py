"""The sinks on SNS: one publish carries a text for people and a JSON document for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from flowwarden.alerting.notification import Notification
from flowwarden.errors import PublishFailed

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef

ACTIONS = (
    "sns:Publish",
    "kms:GenerateDataKey*",  # the topics are encrypted with a key of the stack's own
    "kms:Decrypt",
)
"""IAM actions that this file's calls need."""

MACHINES = ("sqs", "lambda", "http", "https", "firehose")
"""Protocols that get the document; every other one (e-mail, SMS, chat) gets the text."""

MAX_BYTES = 262_144
"""SNS's default limit of body and attributes together."""

CUT = "\n[cut: the notification was larger than SNS takes]\n"


class TopicSink:
    """Sends notifications to one topic."""

    def __init__(self, client: SNSClient, topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def send(self, notification: Notification) -> None:
        """Publish the notification.

        Raises:
            PublishFailed: SNS did not take it, whatever the reason.
        """
        try:
            self._client.publish(
                TopicArn=self._topic_arn,
                Subject=notification.subject,
                Message=_body(notification),
                MessageStructure="json",
                MessageAttributes=_attributes(notification.attributes),
            )
        except (ClientError, BotoCoreError) as error:
            raise PublishFailed(f"SNS topic {self._topic_arn}: {error}") from error


def _attributes(values: dict[str, str]) -> dict[str, MessageAttributeValueTypeDef]:
    return {name: {"DataType": "String", "StringValue": value} for name, value in values.items()}


def _body(notification: Notification) -> str:
    # With the text in it: what forwards to a chat or a pager shows people what e-mail would.
    document = msgspec.json.encode(notification.document | {"text": notification.text}).decode()
    body = {"default": notification.text, **dict.fromkeys(MACHINES, document)}
    encoded = msgspec.json.encode(body)
    room = MAX_BYTES - sum(len(n) + len(v) for n, v in notification.attributes.items()) - 1024
    if len(encoded) > room:
        encoded = msgspec.json.encode({"default": _cut(notification.text, room)})
    return encoded.decode()


def _cut(text: str, room: int) -> str:
    # Escapes at most double a text's bytes, and a character has at most four.
    return text[: room // 8] + CUT if len(text.encode()) * 2 > room else text
