"""A Lambda function: implements `redrive.ports.Function`, with the credentials of the caller.

The caller needs lambda:InvokeFunction. Invoke is not idempotent, so botocore makes one attempt, and this file
repeats only calls that Lambda certainly did not accept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from botocore.exceptions import (
    ClientError,
    ConnectionError,  # noqa: A004  botocore's name
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
)
from botocore.parsers import ResponseParserError

from flowwarden.aws.answers import Answer
from flowwarden.aws.caller_errors import classify_own
from flowwarden.aws.errors import classified
from flowwarden.errors import CallFailed, CallThrottled, EnforcementError
from flowwarden.redrive.failure import error_of

if TYPE_CHECKING:
    # The Lambda runtime does not contain the stubs.
    from mypy_boto3_lambda import LambdaClient

BOTOCORE_ATTEMPTS: Final = 1
"""Attempts per call of the client. botocore would also repeat an invocation whose response was lost."""
PAUSES: Final = (1.0, 2.0, 4.0, 8.0)
"""Seconds before each further call while Lambda throttles: the function has reached its concurrency."""
_OF_PAYLOAD: Final = frozenset({"InvalidRequestContentException", "RequestTooLargeException"})
"""Error codes that concern this payload alone. A message of SQS (1 MiB) is far below the limit of 6 MB."""

_NOT_SENT: Final = (ConnectTimeoutError, EndpointConnectionError)
_UNANSWERED: Final = (ConnectionError, HTTPClientError, IncompleteReadError)
_UNKNOWN: Final = "Invoke: the function did not answer, and may have run"


class LambdaFunction:
    """One function."""

    def __init__(self, client: LambdaClient, name: str, wait: Callable[[float], None]) -> None:
        """Bind the calls to a function.

        Args:
            client: makes one attempt for each call, and waits for longer than the function may run.
            name: the function's name.
            wait: sleeps for some seconds.
        """
        self._client = client
        self._name = name
        self._wait = wait

    def invoke(self, payload: bytes) -> str:
        """See the port."""
        for seconds in PAUSES:
            try:
                return self._invoke(payload)
            except CallThrottled:
                self._wait(seconds)
        return self._invoke(payload)

    def _invoke(self, payload: bytes) -> str:
        try:
            with classified("Invoke", classify_own):
                answer = Answer(
                    self._client.invoke(
                        FunctionName=self._name, InvocationType="RequestResponse", Payload=payload
                    )
                )
                # Read in any case: the response has arrived completely only then.
                response = answer.value("Payload").read()
        except ResponseParserError as error:
            raise CallFailed(f"{_UNKNOWN}: {error}") from error
        except EnforcementError as error:
            return _refusal_of_payload(error)
        return error_of(response) if "FunctionError" in answer else ""


def _refusal_of_payload(error: EnforcementError) -> str:
    """Why Lambda refuses this payload. Raises any other error."""
    cause = error.__cause__
    if isinstance(cause, ClientError) and Answer(cause.response).inner("Error").text("Code") in _OF_PAYLOAD:
        return str(error)
    if isinstance(cause, _UNANSWERED) and not isinstance(cause, _NOT_SENT):
        raise CallFailed(f"{_UNKNOWN}: {cause}") from error
    raise error
