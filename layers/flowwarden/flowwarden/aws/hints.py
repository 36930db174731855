"""The recommended action for a permanent error of AWS, from its code or its message. Pure.

Some codes are ambiguous: an item in a response of CreateFlowLogs may have the code `400` and the reason only
in its message, and AccessDeniedException is also the code if a key policy denies a call. So the message is
first searched for a KMS key and a log group's class; then the code decides; then the rest of the message.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from flowwarden.policy.flow_logs import CLASS_REMEDY

PERMISSION: Final = (
    "give the enforcer's role the permissions that the template grants; check also whether a service control "
    "policy denies the call"
)
KEY: Final = (
    "check the KMS key and its key policy: the key must exist in this region and be enabled, and its policy "
    "must let the service use it (for a log group logs.REGION.amazonaws.com, in China "
    "logs.REGION.amazonaws.com.cn; for a bucket delivery.logs.amazonaws.com)"
)
LOG_CLASS: Final = f"a subscription filter needs a log group of the class STANDARD, and {CLASS_REMEDY}"
DESTINATION: Final = (
    "check that the log group, bucket or stream exists, and that the delivery role, or the bucket's policy, "
    "allows flow logs to be delivered to it; the key policy of an encrypted bucket must do so, too"
)
TRUST: Final = (
    "a new role works after some seconds; if the error persists, make the delivery role trust "
    "vpc-flow-logs.amazonaws.com for this account and region"
)
MONITOR: Final = (
    "check that the monitor's function exists and that CloudWatch Logs may invoke it; redeploying the stack "
    "restores both"
)
GONE: Final = (
    "the resource that the message names does not exist (any more); if it was deleted in the meantime, the "
    "next sweep restores it; otherwise correct its name in the policy or the stack's settings"
)
FLOW_LOGS: Final = (
    "the quota of flow logs per resource is reached: delete duplicate and unused flow logs of this VPC, or "
    "request a higher quota"
)
LOG_QUOTA: Final = (
    "a quota of CloudWatch Logs is reached (log groups of the region, or filters of the group): delete "
    "unused ones, or request a higher quota"
)
TAG_QUOTA: Final = (
    "the quota of 50 tags per resource is reached: remove tags from the policy or from the resource"
)
OTHER_QUOTA: Final = (
    "the quota named in the error is reached: delete unused resources, or request a higher quota in the "
    "Service Quotas console"
)
OTHER: Final = "check the stack's settings against the message"

BY_CODE: Final[Mapping[str, str]] = {
    "UnauthorizedOperation": PERMISSION,
    "AccessDenied": PERMISSION,
    "AccessDeniedException": PERMISSION,
    "FlowLogLimitExceeded": FLOW_LOGS,
    "FlowLogsLimitExceeded": FLOW_LOGS,
    "LimitExceededException": LOG_QUOTA,
    "TagLimitExceeded": TAG_QUOTA,
    "ResourceNotFoundException": GONE,
}
"""The recommended action for an error code."""


def _any(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words), re.IGNORECASE)


_OVERRIDING: Final = (
    (_any(r"\bkms", "key policy"), KEY),
    (_any(r"log (group )?class"), LOG_CLASS),
)
"""Messages that are more specific than any code."""
_BY_MESSAGE: Final = (
    (_any(r"log ?destination"), DESTINATION),
    (_any("lambda function", "destination lambda"), MONITOR),
    (_any("given iam role", "passrole", "DeliverLogsPermissionArn"), TRUST),
    (_any("access ?denied", "not authorized", "unauthorized", "explicit deny"), PERMISSION),
    (_any("flow logs?[^.]* (limit|maximum)", "(limit|maximum)[^.]* flow logs?"), FLOW_LOGS),
    (
        _any("limit ?exceeded", "exceeds? the limit", "limit has been", r"maximum number", "quota"),
        OTHER_QUOTA,
    ),
    (_any("does not exist", "not found", "could not be found"), GONE),
)
"""Messages of errors whose code is not in `BY_CODE`."""
_WORD: Final = re.compile(r"[A-Z][A-Za-z]{5,}(?:\.[A-Z][A-Za-z]+)?")
"""A word that may be an error code, such as `InvalidVpcID.NotFound`."""


def hint(code: str, message: str, codes: Mapping[str, str] = BY_CODE) -> str:
    """The recommended action for a permanent error.

    Args:
        code: AWS's error code, which may be a number or empty.
        message: AWS's message.
        codes: the recommended action for each code of the service.
    """
    if code.startswith("KMS"):
        return KEY
    found = _first(_OVERRIDING, message) or codes.get(code)
    if found is None and ("LimitExceeded" in code or "QuotaExceeded" in code):
        return OTHER_QUOTA
    return found or _first(_BY_MESSAGE, message) or OTHER


def is_uninformative(code: str) -> bool:
    """Whether a code is empty or only an HTTP status, so that the message alone has the reason."""
    return not code or code.isdecimal()


def code_in(code: str, message: str, known: Iterable[str]) -> str:
    """The code of an error; if that is uninformative, the first known code in the message, if any."""
    if not is_uninformative(code):
        return code
    words = dict.fromkeys(_WORD.findall(message))
    return next((each for each in words if each in known), code)


def _first(table: Iterable[tuple[re.Pattern[str], str]], message: str) -> str | None:
    return next((action for pattern, action in table if pattern.search(message)), None)
