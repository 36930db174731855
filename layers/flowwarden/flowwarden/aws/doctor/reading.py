"""Reads one fact: its value, None if it does not exist, or why it is unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from flowwarden.aws.answers import Answer, Malformed
from flowwarden.aws.caller import reason
from flowwarden.aws.caller_errors import classify_own
from flowwarden.aws.pages import bounded
from flowwarden.doctor.fact import Fact, Unread
from flowwarden.errors import EnforcementError, NotFound, StateUnavailable

ABSENT: Final = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "NoSuchEntity",
        "NoSuchEntityException",
        "NotFound",
        "NotFoundException",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
        "TrailNotFoundException",
    }
)
"""Codes with which a service says that what was asked for does not exist."""
_REFUSALS: Final = (ClientError, BotoCoreError, Malformed, EnforcementError, StateUnavailable)


def fact[T](call: str, read: Callable[[], T | None]) -> Fact[T]:
    """What `read` returns. Raises nothing that AWS caused.

    Args:
        call: the operation, for the reason.
        read: makes the call, and takes its answer apart.
    """
    try:
        return read()
    except NotFound:
        return None
    except _REFUSALS as error:
        cause = _of_sdk(error)
        if isinstance(cause, ClientError) and _code(cause) in ABSENT:
            return None
        return Unread(_reason(call, error, cause))


def items(pages: Iterable[object], member: str) -> list[Answer]:
    """The structures in a list of all pages of a listing. Raises Malformed if a page lacks its list."""
    found: list[Answer] = []
    for each in bounded(pages):
        page = Answer.of(each)
        if not isinstance(page.value(member), list):
            raise Malformed(f"the response has no {member}")
        found += page.each(member)
    return found


def _of_sdk(error: Exception) -> Exception:
    """The error of the SDK behind an error."""
    cause = error.__cause__
    return cause if isinstance(cause, (ClientError, BotoCoreError)) else error


def _code(error: ClientError) -> str:
    return Answer(error.response).inner("Error").text("Code")


def _reason(call: str, error: Exception, cause: Exception) -> str:
    if isinstance(cause, ClientError):
        details = Answer(cause.response).inner("Error")
        return str(classify_own(cause.operation_name or call, _code(cause), details.text("Message")))
    if isinstance(cause, BotoCoreError):
        return f"{call}: {reason(cause)}"
    return str(error) if str(error).startswith(call) else f"{call}: {error}"
