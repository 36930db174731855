"""What AWS's refusals mean, for the services that the enforcer calls."""

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
"""Error codes of throttling. LimitExceededException is none, though botocore repeats it: it is a quota."""
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
"""Error codes of throttling, outages and calls that met another one: they pass by themselves."""
SERVER_ERROR: Final = 500

_PERMISSION = (
    "allow the enforcer's role what the template gives it; look also for a service control policy that "
    "denies it"
)
HINTS: Final = {
    "UnauthorizedOperation": _PERMISSION,
    "AccessDenied": _PERMISSION,
    "AccessDeniedException": _PERMISSION,
}
"""What a person does about an error code."""
_FLOW_LOGS = (
    "the quota of flow logs per resource is used up: delete duplicates and flow logs of this VPC that nobody "
    "needs, or ask for a higher quota"
)
QUOTAS: Final = {
    "FlowLogLimitExceeded": _FLOW_LOGS,
    "FlowLogsLimitExceeded": _FLOW_LOGS,
    "LimitExceededException": (
        "a quota of CloudWatch Logs is used up (log groups of the region, or filters of the group): delete "
        "what nobody needs, or ask for a higher quota"
    ),
    "TagLimitExceeded": "the quota of 50 tags per resource is used up: take tags from the policy or from it",
}
"""Which quota an error code is about, and what a person does. A quota stays used up until then."""
OTHER_QUOTA: Final = (
    "the quota that the code names is used up: delete what nobody needs, or ask for a higher one in the "
    "Service Quotas console"
)
OTHER_HINT: Final = "compare the stack's settings with what the message says"

type Classify = Callable[[str, str, str, int], EnforcementError]


def classify(call: str, code: str, message: str, status: int = 0) -> EnforcementError:
    """The error that an AWS error code means; what to do stands before AWS's message, which may be very long.

    Args:
        call: the API call that failed.
        code: AWS's error code, from an exception or from an item of an answer.
        message: AWS's message.
        status: the HTTP status, 0 if there is none of its own.
    """
    told = f"{call}: {code}: {message}"
    if code in THROTTLED:
        return CallThrottled(told)
    if code in PASSING or status >= SERVER_ERROR:
        return CallFailed(told)
    return CallRefused(f"{call}: {code}: {_hint(code)}. AWS says: {message}")


def _hint(code: str) -> str:
    """What a person does about an error that stays until then."""
    is_quota = "LimitExceeded" in code or "QuotaExceeded" in code
    return QUOTAS.get(code) or HINTS.get(code) or (OTHER_QUOTA if is_quota else OTHER_HINT)


@contextmanager
def classified(call: str, by: Classify = classify) -> Iterator[None]:
    """Turn what botocore raises, after its own retries, into our errors."""
    try:
        yield
    except ClientError as error:
        told = error.response.get("Error", {})
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        raise by(call, told.get("Code", ""), told.get("Message", ""), status) from error
    except (ConnectionError, HTTPClientError) as error:
        raise CallFailed(f"{call}: AWS was not reached: {error}") from error
    except BotoCoreError as error:
        raise CallRefused(f"{call}: the call could not be made: {error}") from error
