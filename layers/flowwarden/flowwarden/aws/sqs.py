"""A failure queue in SQS: implements `redrive.ports.FailureQueue`, with the credentials of the caller.

The caller needs sqs:ReceiveMessage, sqs:DeleteMessage and sqs:ChangeMessageVisibility.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flowwarden.aws.answers import Answer, Malformed
from flowwarden.aws.caller_errors import classify_own
from flowwarden.aws.errors import classified
from flowwarden.errors import CallFailed
from flowwarden.redrive.ports import HIDDEN_SECONDS, QueuedMessage

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_sqs import SQSClient

WAIT_SECONDS: Final = 2
"""How long SQS looks for a message. Without a wait, it asks only some of its servers, and may miss the last
messages of a queue."""
_SENT: Final = "SentTimestamp"


class SqsQueue:
    """One queue."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def receive(self) -> QueuedMessage | None:
        """See the port. One message, so that none is hidden that is not being processed."""
        with classified("ReceiveMessage", classify_own):
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=1,
                VisibilityTimeout=HIDDEN_SECONDS,
                WaitTimeSeconds=WAIT_SECONDS,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=[_SENT],
            )
        found = Answer(answer).each("Messages")
        return _message(found[0]) if found else None

    def delete(self, message: QueuedMessage) -> None:
        """See the port."""
        with classified("DeleteMessage", classify_own):
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt)

    def release(self, message: QueuedMessage) -> None:
        """See the port."""
        with classified("ChangeMessageVisibility", classify_own):
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=message.receipt, VisibilityTimeout=0
            )


def _message(found: Answer) -> QueuedMessage:
    attributes = found.inner("MessageAttributes")
    sent = found.inner("Attributes").text(_SENT)
    try:
        return QueuedMessage(
            message_id=found.demand("MessageId"),
            receipt=found.demand("ReceiptHandle"),
            body=found.text("Body"),
            attributes={name: attributes.inner(name).text("StringValue") for name in attributes.names},
            sent_at=int(sent) // 1000 if sent.isdecimal() else None,
        )
    except Malformed as error:
        raise CallFailed(f"ReceiveMessage: {error}") from error
