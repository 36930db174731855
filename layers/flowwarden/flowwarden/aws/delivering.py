"""Calls that deliver a notification: two attempts, and what a failure means; `aws/sns.py` has its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

from flowwarden.aws.errors import PASSING, SERVER_ERROR
from flowwarden.errors import PublishFailed, PublishRefused, PublishUnanswered

PAUSE_SECONDS: Final = 0.5
"""Pause before the second call."""
BOTOCORE_ATTEMPTS: Final = 1
"""Attempts of a client for such calls: botocore would also repeat one whose response was lost."""


def delivered(
    call: Callable[[], Mapping[str, Any]], what: str, wait: Callable[[float], None]
) -> Mapping[str, Any]:
    """The answer of a call that certainly has an effect at most once.

    Args:
        call: makes the call.
        what: its target, for the message.
        wait: sleeps for some seconds.

    Raises:
        PublishRefused: AWS refuses it until the cause is mended.
        PublishUnanswered: AWS did not answer; the call may have had its effect.
        PublishFailed: AWS did not accept it now.
    """
    try:
        return call()
    except (ClientError, BotoCoreError) as error:
        failed = _failed(error, what)
        if type(failed) is not PublishFailed:
            raise failed from error
    wait(PAUSE_SECONDS)
    try:
        return call()
    except (ClientError, BotoCoreError) as error:
        raise _failed(error, what) from error


def failed_part(code: str, message: str, what: str) -> PublishFailed:
    """The error for a part of an answer that says that AWS did not accept it."""
    kind = PublishFailed if _passes(code) else PublishRefused
    return kind(f"{what}: {code}: {message}")


def _failed(error: ClientError | BotoCoreError, what: str) -> PublishFailed:
    text = f"{what}: {error}"
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if _passes(code):
            return PublishFailed(text)
        return PublishUnanswered(text) if status >= SERVER_ERROR else PublishRefused(text)
    if isinstance(error, ConnectTimeoutError | EndpointConnectionError):
        return PublishFailed(text)
    return PublishUnanswered(text)


def _passes(code: str) -> bool:
    """Whether AWS did not accept it, and may accept it later."""
    return code in PASSING or code.startswith(("Internal", "Throttl"))
