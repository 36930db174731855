"""Notifications as delivered to a subscriber: a queue that is subscribed to a topic."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from local.clients import Clients

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

LONG_POLL_SECONDS = 2


class Delivery(Struct, frozen=True, kw_only=True):
    """One delivered notification."""

    subject: str
    document: dict[str, Any]
    """The JSON document for programs; its `text` is for people."""
    attributes: dict[str, str]
    arrived: float
    """The time of arrival, by `time.monotonic()`."""

    @property
    def text(self) -> str:
        """The text for email and chat."""
        return str(self.document.get("text", ""))

    @property
    def detector(self) -> str:
        """The detector; '' for a notification without one."""
        return self.attributes.get("detector", "")


class Inbox:
    """All notifications that a topic delivers from now on."""

    def __init__(self, clients: Clients, topic_arn: str) -> None:
        self._sqs = clients.sqs
        name = f"inbox-{topic_arn.rpartition(':')[2]}"
        self._queue = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        clients.sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"])

    def take(self) -> list[Delivery]:
        """All notifications that have arrived and were not returned before."""
        taken: list[Delivery] = []
        while some := self._receive(wait=0):
            taken += some
        return taken

    def wait(self, count: int, seconds: float) -> list[Delivery]:
        """The next `count` deliveries, or fewer after `seconds`."""
        deadline = time.monotonic() + seconds
        arrived: list[Delivery] = []
        while len(arrived) < count and time.monotonic() < deadline:
            arrived += self._receive(wait=LONG_POLL_SECONDS)
        return arrived

    def _receive(self, wait: int) -> list[Delivery]:
        answer = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=wait)
        arrived = time.monotonic()
        messages = answer.get("Messages", [])
        for message in messages:
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return [_read(message, arrived) for message in messages]


def _read(message: MessageTypeDef, arrived: float) -> Delivery:
    envelope = json.loads(message["Body"])
    attributes = envelope.get("MessageAttributes", {})
    return Delivery(
        subject=envelope.get("Subject", ""),
        document=_document(envelope["Message"]),
        attributes={name: each["Value"] for name, each in attributes.items()},
        arrived=arrived,
    )


def _document(message: str) -> dict[str, Any]:
    """The JSON document; a notification without one (from an alarm, or truncated) becomes a text."""
    try:
        document = json.loads(message)
    except ValueError:
        return {"text": message}
    return document if isinstance(document, dict) else {"text": message}
