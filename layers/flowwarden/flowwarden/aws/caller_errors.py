"""Errors of calls that a person makes with own credentials, with the recommended action."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flowwarden.aws.caller import NOT_PERMITTED, REFUSED_CREDENTIALS, SIGN_IN
from flowwarden.aws.errors import classify
from flowwarden.errors import CallRefused, EnforcementError

DENIED: Final = (
    "give your credentials the permissions that docs/command-line.md lists; check also whether a service "
    "control policy or the policy of the resource denies the call"
)
GONE: Final = "it does not exist (any more): deploy the stack again"
KEY: Final = "check the KMS key that the message names: your credentials must be allowed to use it"

_BY_CODE: Final[Mapping[str, str]] = {
    **dict.fromkeys(REFUSED_CREDENTIALS, SIGN_IN),
    **dict.fromkeys(NOT_PERMITTED, DENIED),
    **dict.fromkeys(
        ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "ResourceNotFoundException"), GONE
    ),
}


def classify_own(call: str, code: str, message: str, status: int = 0) -> EnforcementError:
    """See `errors.classify`, which recommends changes of the enforcer's role."""
    found = classify(call, code, message, status)
    if not isinstance(found, CallRefused):
        return found
    action = KEY if code.startswith("KMS") or "kms:" in message.lower() else _BY_CODE.get(code)
    advice = f"{action}. AWS says: " if action else ""
    return CallRefused(f"{call}: {code}: {advice}{message}")
