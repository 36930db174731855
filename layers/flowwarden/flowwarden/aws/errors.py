"""Translates AWS's error codes into Flow Warden's errors, for the services that the enforcer calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004  botocore's name
    HTTPClientError,
    PaginationError,
)

from flowwarden.aws.answers import Answer
from flowwarden.aws.hints import BY_CODE, code_in, hint, is_uninformative
from flowwarden.errors import CallFailed, CallRefused, CallThrottled, EnforcementError

THROTTLED: Final = frozenset(
    {
        "429",
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "KMSThrottlingException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""Error codes of throttling, without LimitExceededException: botocore retries it, but it is a quota."""
PASSING: Final = THROTTLED | {
    "500",
    "502",
    "503",
    "504",
    "AbortedException",
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServerException",
    "OperationAbortedException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "Unavailable",
}
"""Transient error codes: throttling, outages and conflicts with a concurrent call.

An item in a response, such as one in `Unsuccessful` of CreateFlowLogs, can have an HTTP status as its
code."""
KNOWN: Final = PASSING | BY_CODE.keys()
SERVER_ERROR: Final = 500
SLOWER: Final = re.compile(r"throttl|rate exceeded|request limit exceeded|too many requests", re.IGNORECASE)
"""A message about throttling, for an error whose code is empty or a number."""

type Classify = Callable[[str, str, str, int], EnforcementError]
"""A function with the arguments of `classify`, which may know further codes of its service."""


def classify(call: str, code: str, message: str, status: int = 0) -> EnforcementError:
    """The error for an AWS error code; the recommended action precedes AWS's message, which may be very long.

    Args:
        call: the API call that failed.
        code: AWS's error code, from an exception or from an item in a response.
        message: AWS's message.
        status: the HTTP status, 0 if the error has none.
    """
    text, known = f"{call}: {code}: {message}", code_in(code, message, KNOWN)
    if known in THROTTLED or (is_uninformative(code) and SLOWER.search(message)):
        return CallThrottled(text)
    if known in PASSING or status >= SERVER_ERROR:
        return CallFailed(text)
    return CallRefused(f"{call}: {code}: {hint(known, message)}. AWS says: {message}")


@contextmanager
def classified(call: str, by: Classify = classify) -> Iterator[None]:
    """Convert botocore's exceptions, which it raises after its own retries, into Flow Warden's errors.

    Args:
        call: the operation, for the message.
        by: chooses the error for an error code.

    Raises:
        CallFailed: AWS was not reached, or pagination does not end.
        CallRefused: botocore cannot make the call, for example without credentials.
        EnforcementError: what `by` returned for AWS's error code.
    """
    try:
        yield
    except ClientError as error:
        answer = Answer(error.response)
        details, status = answer.inner("Error"), answer.inner("ResponseMetadata").number("HTTPStatusCode")
        raise by(call, details.text("Code"), details.text("Message"), status or 0) from error
    except (ConnectionError, HTTPClientError) as error:
        raise CallFailed(f"{call}: cannot reach AWS: {error}") from error
    except PaginationError as error:
        raise CallFailed(f"{call}: {error}") from error
    except BotoCoreError as error:
        raise CallRefused(f"{call}: cannot make the call: {error}") from error
