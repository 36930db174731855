"""The settings check's handler: a custom resource that fails a deployment whose settings are not valid.

CloudFormation sends the parameters before it changes the two functions, and waits for a response at a
pre-signed URL. Without a response it would wait until its timeout, in a deletion too. So this file needs only
the standard library to respond: it imports the package when it uses it, and responds with an import error as
with any other error.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

type Event = Mapping[str, Any]
type Check = Callable[[Mapping[str, str]], None]
type Put = Callable[[str, bytes], None]
type Handler = Callable[[Event, object], None]

logger = logging.getLogger(__name__)

PHYSICAL_ID: Final = "settings"
"""Never changes: another id in an update would make CloudFormation delete the resource of the old one."""
REASON_CHARACTERS: Final = 900
"""Maximum characters of a reason: CloudFormation truncates a long one, and refuses a response of more than
4,096 bytes."""
ATTEMPTS: Final = 3
PUT_SECONDS: Final = 5
NOT_PARAMETERS: Final = ("ServiceToken", "ServiceTimeout", "Code")
"""Properties of the resource that are not parameters of the stack."""
BROKEN: Final = "The check itself failed: see the log of the stack's function SettingsCheckFunction."
NEXT: Final = (
    "The functions were not changed. Correct the parameter and deploy again; "
    "`flowwarden policy check FILE` checks a policy before a deployment."
)


class NotAnswered(Exception):
    """CloudFormation did not accept the response."""


def check(parameters: Mapping[str, str]) -> None:
    """Check the parameters of the stack. Raises ConfigurationError."""
    from flowwarden.bootstrap.deployment import check as check_deployment  # noqa: PLC0415  see the docstring

    check_deployment(parameters)


def put(url: str, body: bytes) -> None:
    """Send a response to a pre-signed URL, whose signature includes an empty content type. Raises OSError."""
    request = Request(url, data=body, method="PUT", headers={"Content-Type": ""})  # noqa: S310  CloudFormation's
    with urlopen(request, timeout=PUT_SECONDS):  # noqa: S310
        pass


def make_handler(check: Check, put: Put, wait: Callable[[float], None] = time.sleep) -> Handler:
    """The Lambda handler. It responds to every event, and raises NotAnswered if that fails."""

    def handle(event: Event, _context: object) -> None:
        problem = problem_of(event, check)
        if problem is not None:
            logger.error(problem)
        _send(event["ResponseURL"], answer(event, problem), put, wait)

    return handle


def problem_of(event: Event, check: Check) -> str | None:
    """Why the request fails; None if it succeeds. A deletion always does: there is nothing to delete."""
    if event.get("RequestType") == "Delete":
        return None
    try:
        properties = dict(event["ResourceProperties"])
        check({name: str(value) for name, value in properties.items() if name not in NOT_PARAMETERS})
    except Exception as error:  # without a response CloudFormation waits until its timeout
        known = any(base.__name__ == "FlowWardenError" for base in type(error).__mro__)
        if known:
            return f"{_bounded(str(error)).rstrip('.')}. {NEXT}"
        logger.exception("the check failed")
        return f"{_bounded(f'{type(error).__name__}: {error}')} {BROKEN}"
    return None


def answer(event: Event, problem: str | None) -> bytes:
    """The response to a request, as JSON of less than 4,096 bytes."""
    document = {
        "Status": "SUCCESS" if problem is None else "FAILED",
        "Reason": problem or "valid",
        "PhysicalResourceId": event.get("PhysicalResourceId") or PHYSICAL_ID,
        "StackId": event.get("StackId"),
        "RequestId": event.get("RequestId"),
        "LogicalResourceId": event.get("LogicalResourceId"),
    }
    return json.dumps(document).encode()


def _bounded(problem: str) -> str:
    """A problem as one line of limited length, in ASCII, each character of which is one byte."""
    line = "".join(
        each if each.isascii() and each.isprintable() else "?" for each in " ".join(problem.split())
    )
    return line if len(line) <= REASON_CHARACTERS else f"{line[: REASON_CHARACTERS - 3]}..."


def _send(url: str, body: bytes, put: Put, wait: Callable[[float], None]) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            put(url, body)
        except (OSError, HTTPException) as error:
            # A refusal is final: the URL has expired, or was never valid.
            refused = isinstance(error, HTTPError) and error.code < 500  # noqa: PLR2004
            if refused or attempt == ATTEMPTS:
                raise NotAnswered(
                    f"CloudFormation did not accept the response: {type(error).__name__}"
                ) from error
            wait(attempt)
        else:
            return


handler = make_handler(check, put)
