"""Reads a message of a failure queue: the payload to send again, and why it failed. Pure.

Lambda writes a record around the payload of a failed event (an OnFailure destination). EventBridge sends the
event itself, with the error in attributes of the message.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import msgspec
from msgspec import Raw, Struct

from flowwarden.redrive.ports import QueuedMessage

NO_RECORD: Final = "not a record of Lambda about a failed event"
NO_EVENT: Final = "not an event of EventBridge"
LEFT_OUT: Final = (
    'Lambda left out the payload, because the record was too large for the queue; see "Run failed events '
    'again" in docs/operating.md'
)
_DAMAGED: Final = (msgspec.DecodeError, RecursionError)
_NOTHING: Final = Raw(b"null")


class Failure(Struct, frozen=True, kw_only=True):
    """A failed event."""

    payload: bytes | None = None
    """The payload as the function got it, byte for byte; None if the message has none."""
    obstacle: str = ""
    """Why it cannot be sent again; '' if it can."""
    error: str = ""
    """Why it failed the first time; '' if unknown."""
    request_id: str = ""
    """The id of the failed request, which the function's log contains; '' if unknown."""


class _Context(Struct):
    requestId: str = ""  # noqa: N815  Lambda's names
    condition: str = ""


class _Record(Struct):
    requestContext: _Context  # noqa: N815
    requestPayload: Raw = _NOTHING  # noqa: N815
    responsePayload: Raw = _NOTHING  # noqa: N815


class _Error(Struct):
    errorType: str = ""  # noqa: N815
    errorMessage: str = ""  # noqa: N815


class _Event(Struct):
    kind: str = msgspec.field(name="detail-type")


def of_lambda(message: QueuedMessage) -> Failure:
    """The failure in a message of an OnFailure destination."""
    try:
        record = msgspec.json.decode(_bytes(message), type=_Record)
    except _DAMAGED as error:
        return Failure(obstacle=f"{NO_RECORD}: {error}")
    context, payload = record.requestContext, bytes(record.requestPayload)
    missing = payload == bytes(_NOTHING)
    return Failure(
        payload=None if missing else payload,
        obstacle=LEFT_OUT if missing else "",
        error=_joined(context.condition, _error_in(bytes(record.responsePayload))),
        request_id=context.requestId,
    )


def of_event_bridge(message: QueuedMessage) -> Failure:
    """The failure in a message of EventBridge's dead-letter queue.

    Anything but an event is refused, such as a request with `record_as_managed`, which decides what the
    enforcer may delete.
    """
    body, given = _bytes(message), message.attributes
    error = _joined(given.get("ERROR_CODE", ""), given.get("ERROR_MESSAGE", ""))
    try:
        msgspec.json.decode(body, type=_Event)
    except _DAMAGED as damage:
        return Failure(obstacle=f"{NO_EVENT}: {damage}", error=error)
    return Failure(payload=body, error=error)


def _bytes(message: QueuedMessage) -> bytes:
    return message.body.encode(errors="surrogatepass")  # then not UTF-8, so it is damaged, and named


def _error_in(response: bytes) -> str:
    """The error in a function's response; '' if it has another form or is missing."""
    with suppress(*_DAMAGED):
        error = msgspec.json.decode(response, type=_Error)
        return _joined(error.errorType, error.errorMessage)
    return ""


def error_of(response: bytes) -> str:
    """The error in the response of an invocation that failed, never ''."""
    return _error_in(response) or "the function failed without an error message"


def _joined(*parts: str) -> str:
    return ": ".join(each for each in parts if each)
