"""The sinks on SNS: one publish carries a text for people and a JSON document for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from flowwarden.errors import PublishFailed
from flowwarden.notify.notification import Notification, one_line

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
"""Protocols that get the document. E-mail gets the text, SMS a short one."""

MAX_BYTES = 262_144
"""SNS's default limit of body and attributes together."""

MAX_SUBJECT = 99
"""SNS takes fewer than 100 characters."""

MAX_ATTRIBUTE = 256
"""Characters of an attribute; ours are ids and words."""

MAX_BODY = MAX_BYTES - 16_384
"""What the attributes leave at their largest: eight of them, four bytes a character, names and types too."""

CUT = "\n[cut: the notification was larger than SNS takes]\n"


class TopicSink:
    """Sends notifications to one topic."""

    def __init__(self, client: SNSClient, topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn
        self.name = f"sns:{topic_arn.rpartition(':')[2]}"

    def send(self, notification: Notification) -> None:
        """Publish the notification.

        Raises:
            PublishFailed: SNS did not take it, whatever the reason.
        """
        try:
            self._client.publish(
                TopicArn=self._topic_arn,
                Subject=fit_subject(notification.subject),
                Message=_body(notification),
                MessageStructure="json",
                MessageAttributes=_attributes(notification.attributes),
            )
        except (ClientError, BotoCoreError) as error:
            raise PublishFailed(f"SNS topic {self._topic_arn}: {error}") from error


def fit_subject(text: str) -> str:
    """A subject that SNS takes: printable ASCII, at most `MAX_SUBJECT` characters, `...` where it was cut.

    A subject that SNS refuses loses the whole notification, so nothing is left to chance.
    """
    printable = "".join(char if " " <= char <= "~" else "?" for char in " ".join(text.split()))
    if len(printable) <= MAX_SUBJECT:
        return printable or "(no subject)"
    return printable[: MAX_SUBJECT - 3] + "..."


def _attributes(values: dict[str, str]) -> dict[str, MessageAttributeValueTypeDef]:
    """The attributes that SNS delivers: it may drop a message whose attribute has a control character."""
    return {
        name: {"DataType": "String", "StringValue": one_line(value, MAX_ATTRIBUTE)}
        for name, value in values.items()
        if value
    }


def _body(notification: Notification) -> str:
    document = msgspec.json.encode({**notification.document, "text": notification.text}).decode()
    whole = {
        "default": notification.text,
        "sms": _short(notification),
        **dict.fromkeys(MACHINES, document),
    }
    encoded = msgspec.json.encode(whole)
    return encoded.decode() if len(encoded) <= MAX_BODY else _shortened(notification)


def _short(notification: Notification) -> str:
    """What fits a text message."""
    incident = notification.document.get("incident")
    subject = fit_subject(notification.subject)
    return f"{subject} incident {incident}" if incident else subject


def _shortened(notification: Notification) -> str:
    """The text alone, halved until it fits: how many bytes a character takes depends on what it is."""
    length = len(notification.text)
    while True:
        text = notification.text[:length] + (CUT if length < len(notification.text) else "")
        encoded = msgspec.json.encode({"default": text, "sms": _short(notification)})
        if len(encoded) <= MAX_BODY:
            return encoded.decode()
        length //= 2
