"""Translates AWS's error codes, for the services that the enforcer calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError  # noqa: A004  botocore's name

from flowwarden.errors import CallFailed, CallRefused, CallThrottled, EnforcementError

THROTTLED: Final = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
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
    "AbortedException",
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "OperationAbortedException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "Unavailable",
}
"""Transient error codes: throttling, outages and conflicts with a concurrent call."""
SERVER_ERROR: Final = 500

_PERMISSION = (
    "give the enforcer's role the permissions that the template grants; check also whether a service control "
    "policy denies the call"
)
HINTS: Final = {
    "UnauthorizedOperation": _PERMISSION,
    "AccessDenied": _PERMISSION,
    "AccessDeniedException": _PERMISSION,
}
"""The recommended action for an error code."""
_FLOW_LOGS = (
    "the quota of flow logs per resource is reached: delete duplicate and unused flow logs of this VPC, or "
    "request a higher quota"
)
QUOTAS: Final = {
    "FlowLogLimitExceeded": _FLOW_LOGS,
    "FlowLogsLimitExceeded": _FLOW_LOGS,
    "LimitExceededException": (
        "a quota of CloudWatch Logs is reached (log groups of the region, or filters of the group): delete "
        "unused ones, or request a higher quota"
    ),
    "TagLimitExceeded": (
        "the quota of 50 tags per resource is reached: remove tags from the policy or from the resource"
    ),
}
"""The quota behind an error code, and the recommended action. A quota stays reached until then."""
OTHER_QUOTA: Final = (
    "the quota named in the code is reached: delete unused resources, or request a higher quota in the "
    "Service Quotas console"
)
OTHER_HINT: Final = "check the stack's settings against the message"

type Classify = Callable[[str, str, str, int], EnforcementError]


def classify(call: str, code: str, message: str, status: int = 0) -> EnforcementError:
    """The error for an AWS error code; the recommended action precedes AWS's message, which may be very long.

    Args:
        call: the API call that failed.
        code: AWS's error code, from an exception or from an item of an answer.
        message: AWS's message.
        status: the HTTP status, 0 if the error has none.
    """
    text = f"{call}: {code}: {message}"
    if code in THROTTLED:
        return CallThrottled(text)
    if code in PASSING or status >= SERVER_ERROR:
        return CallFailed(text)
    return CallRefused(f"{call}: {code}: {_hint(code)}. AWS says: {message}")


def _hint(code: str) -> str:
    """The recommended action for a permanent error."""
    is_quota = "LimitExceeded" in code or "QuotaExceeded" in code
    return QUOTAS.get(code) or HINTS.get(code) or (OTHER_QUOTA if is_quota else OTHER_HINT)


@contextmanager
def classified(call: str, by: Classify = classify) -> Iterator[None]:
    """Convert botocore's exceptions, raised after its own retries, into Flow Warden's errors."""
    try:
        yield
    except ClientError as error:
        details = error.response.get("Error", {})
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        raise by(call, details.get("Code", ""), details.get("Message", ""), status) from error
    except (ConnectionError, HTTPClientError) as error:
        raise CallFailed(f"{call}: cannot reach AWS: {error}") from error
    except BotoCoreError as error:
        raise CallRefused(f"{call}: cannot make the call: {error}") from error
