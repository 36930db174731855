"""Publishing to SNS topics.

Publish is not idempotent: if SNS accepts a message and the response is lost, a retry sends it a second time.
So botocore makes one attempt, and this file retries only calls that SNS certainly did not accept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from flowwarden.aws.caller import NOT_PERMITTED
from flowwarden.aws.errors import SERVER_ERROR, THROTTLED
from flowwarden.errors import PublishFailed, PublishRefused, PublishUnanswered

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

ACTIONS = (
    "sns:Publish",
    "kms:GenerateDataKey*",  # the topics are encrypted with the stack's own key
    "kms:Decrypt",
)
"""The IAM actions that this file needs."""


BOTOCORE_ATTEMPTS: Final = 1
"""Attempts per call of a topic's client. botocore would also retry a call whose response was lost."""
ATTEMPTS: Final = 2
"""Maximum calls for one message. The second follows only if SNS throttles or cannot be reached."""
PAUSE_SECONDS: Final = 0.5
"""Pause before the second call."""
_ERRORS: Final = (ClientError, BotoCoreError, ResponseParserError)
_NOT_SENT: Final = THROTTLED | {"KMSThrottling", "KMSThrottlingException", "ServiceUnavailable", "Throttled"}
"""Error codes of calls that SNS did not accept, and may accept at the next attempt."""
_REFUSED: Final = NOT_PERMITTED | {"AuthorizationError", "AuthorizationErrorException", "KMSAccessDenied"}
"""Error codes for a missing permission; SNS has codes of its own."""


class Topic:
    """One SNS topic."""

    def __init__(
        self,
        client: SNSClient,
        topic_arn: str,
        wait: Callable[[float], None] = lambda _seconds: None,
        *,
        may_refuse: bool = False,
    ) -> None:
        """Publish to a topic.

        Args:
            client: makes one attempt for each call; see `BOTOCORE_ATTEMPTS`.
            topic_arn: the topic.
            wait: sleeps for some seconds before the second call; by default it is made at once.
            may_refuse: whether a refusal of SNS is final, such as that of a topic that was deleted. Not for
                the topics of pages and operations: without them, a batch must fail.
        """
        self._client = client
        self._topic_arn = topic_arn
        self._wait = wait
        self._may_refuse = may_refuse
        self.name = topic_arn.rpartition(":")[2]

    def publish(self, subject: str, message: str, attributes: Mapping[str, str]) -> None:
        """Publish a message that has a text for each protocol.

        Args:
            subject: the subject of emails.
            message: a JSON object with a text for each protocol and `default` (`MessageStructure: json`).
            attributes: the message attributes, which subscriptions can filter by.

        Raises:
            PublishUnanswered: SNS did not respond; it may have sent the message.
            PublishRefused: SNS refuses it until the cause is mended; only with `may_refuse`.
            PublishFailed: SNS did not accept the message.
        """
        for _ in range(ATTEMPTS - 1):
            try:
                return self._publish(subject, message, attributes)
            except _ERRORS as error:
                if not _may_repeat(error):
                    raise self._failed(error) from error
            self._wait(PAUSE_SECONDS)
        try:
            return self._publish(subject, message, attributes)
        except _ERRORS as error:
            raise self._failed(error) from error

    def _publish(self, subject: str, message: str, attributes: Mapping[str, str]) -> None:
        self._client.publish(
            TopicArn=self._topic_arn,
            Subject=subject,
            Message=message,
            MessageStructure="json",
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )

    def _failed(self, error: Exception) -> PublishFailed:
        text = f"SNS topic {self._topic_arn}: {error}"
        if _is_unanswered(error):
            return PublishUnanswered(text)
        if self._may_refuse and isinstance(error, ClientError) and not _may_repeat(error):
            return PublishRefused(text)
        return PublishFailed(text)


def _may_repeat(error: Exception) -> bool:
    """Whether SNS certainly did not accept the message, and may accept it at the next attempt."""
    if isinstance(error, ClientError):
        return _code(error) in _NOT_SENT
    return isinstance(error, (ConnectTimeoutError, EndpointConnectionError))


def _is_unanswered(error: Exception) -> bool:
    """Whether SNS may have accepted the message although the call failed."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= SERVER_ERROR and _code(error) not in _NOT_SENT
    return isinstance(error, (HTTPClientError, SSLError, ResponseParserError))


def is_refused(error: Exception) -> bool:
    """Whether the caller lacks a permission on the topic or on its key."""
    return isinstance(error, ClientError) and _code(error) in _REFUSED


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")
