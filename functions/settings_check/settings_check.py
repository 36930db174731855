"""The handler of the stack's custom resources: one checks the settings, the other removes subscriptions.

The first one fails a deployment whose settings are not valid: CloudFormation sends the parameters before it
changes the two functions. The second one does nothing until the stack is deleted. Then it removes the
monitor's subscription filters from existing log groups, and fails if some are left, because CloudFormation
shows a reason only then. Deleting the stack again tries again.

CloudFormation waits for a response at a pre-signed URL. Without a response it would wait until its timeout,
in a deletion too. So this file needs only the standard library to respond: it imports the package when it
uses it, and responds with an import error as with any other error.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from http.client import HTTPException
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from zlib import crc32

type Event = Mapping[str, Any]
type Check = Callable[[Mapping[str, str]], None]
type Remove = Callable[[str, str, str, Callable[[], float]], list[str]]
type Put = Callable[[str, bytes], None]
type Handler = Callable[[Event, Any], None]

logger = logging.getLogger(__name__)

SUBSCRIPTIONS: Final = "Custom::ExistingSubscriptions"
PHYSICAL_IDS: Final = {SUBSCRIPTIONS: "subscriptions"}
"""By resource type; others have `PHYSICAL_ID`."""
PHYSICAL_ID: Final = "settings"
"""Never changes: another id in an update would make CloudFormation delete the resource of the old one."""
REASON_CHARACTERS: Final = 900
"""Maximum characters of a reason: CloudFormation truncates a long one, and refuses a response of more than
4,096 bytes."""
ATTEMPTS: Final = 3
PUT_SECONDS: Final = 5
RESPONSE_SECONDS: Final = 20.0
"""Left for the response: all attempts, with the pauses between them."""
NOT_PARAMETERS: Final = ("ServiceToken", "ServiceTimeout", "Code")
"""Properties of the resource that are not parameters of the stack."""
BROKEN: Final = "The check itself failed: see the log of the stack's function SettingsCheckFunction."
NEXT: Final = (
    "The functions were not changed. Correct the parameter and deploy again; "
    "`flowwarden policy check FILE` checks a policy before a deployment."
)
LEFT: Final = (
    "Delete the stack again to try again, or delete the filters by hand (aws logs "
    "delete-subscription-filter) and retain the resource ExistingSubscriptions."
)


TOO_LATE: Final = (
    "The removal of the subscription filters takes too long for the function; `flowwarden uninstall` has no "
    "such limit."
)


class NotAnswered(Exception):
    """CloudFormation did not accept the response."""


def check(parameters: Mapping[str, str]) -> None:
    """Check the parameters of the stack. Raises ConfigurationError."""
    from flowwarden.bootstrap.deployment import check as check_deployment  # noqa: PLC0415  see the docstring

    check_deployment(parameters)


def remove(monitor_arn: str, filter_name: str, own_group: str, time_left: Callable[[], float]) -> list[str]:
    """Remove the subscription filters; returns what is left. Raises FlowWardenError."""
    from flowwarden.bootstrap.subscription_removal import remove_on_aws  # noqa: PLC0415  see the docstring

    turn = crc32(str(time.time_ns()).encode())
    return remove_on_aws(monitor_arn, filter_name, own_group, time_left, turn)


def put(url: str, body: bytes) -> None:
    """Send a response to a pre-signed URL, whose signature includes an empty content type. Raises OSError."""
    request = Request(url, data=body, method="PUT", headers={"Content-Type": ""})  # noqa: S310  CloudFormation's
    with urlopen(request, timeout=PUT_SECONDS):  # noqa: S310
        pass


def make_handler(
    check: Check, put: Put, wait: Callable[[float], None] = time.sleep, remove: Remove = remove
) -> Handler:
    """The Lambda handler. It responds to every event, and raises NotAnswered if that fails."""

    def handle(event: Event, context: Any) -> None:  # noqa: ANN401 - Lambda's type is not in the runtime
        if event.get("ResourceType") == SUBSCRIPTIONS:
            problem = problem_of_removal(event, remove, lambda: context.get_remaining_time_in_millis() / 1000)
        else:
            problem = problem_of(event, check)
        if problem is not None:
            logger.error(problem)
        _send(event["ResponseURL"], answer(event, problem), put, wait)

    return handle


def problem_of(event: Event, check: Check) -> str | None:
    """Why the request fails; None if it succeeds. A deletion always does: there is nothing to delete."""
    if event.get("RequestType") == "Delete":
        return None

    def checked() -> str | None:
        properties = dict(event["ResourceProperties"])
        check({name: str(value) for name, value in properties.items() if name not in NOT_PARAMETERS})
        return None

    return _explained(checked, NEXT, BROKEN)


def problem_of_removal(event: Event, remove: Remove, time_left: Callable[[], float]) -> str | None:
    """Why a deletion fails: what is left; None if nothing is. Other requests succeed."""
    if event.get("RequestType") != "Delete":
        return None

    def removed() -> str | None:
        properties = event["ResourceProperties"]
        monitor_arn, own_group = properties["MonitorFunctionArn"], properties["FlowLogGroupName"]
        left = remove(monitor_arn, properties["FilterName"], own_group, time_left)
        for each in left:
            logger.error("not removed: %s", each)
        count = f"{len(left)} subscription filters or log groups remain"
        return f"{_bounded(f'{count}: {"; ".join(left)}')} {LEFT}" if left else None

    return _in_time(lambda: _explained(removed, LEFT, LEFT), time_left() - RESPONSE_SECONDS)


def _in_time(attempt: Callable[[], str | None], seconds: float) -> str | None:
    """The problem of an attempt, or that it takes longer: Lambda would stop the function before it responds.

    What the attempt has begun goes on in its thread until the function ends, which does no harm.
    """
    results: SimpleQueue[str | None] = SimpleQueue()
    Thread(target=lambda: results.put(attempt()), daemon=True).start()
    try:
        return results.get(timeout=max(0.0, seconds))
    except Empty:
        return f"{TOO_LATE} {LEFT}"


def _explained(attempt: Callable[[], str | None], if_known: str, if_broken: str) -> str | None:
    """The problem that an attempt returns or raises, with what to do."""
    try:
        return attempt()
    except Exception as error:  # without a response CloudFormation waits until its timeout
        known = any(base.__name__ == "FlowWardenError" for base in type(error).__mro__)
        if known:
            return f"{_bounded(str(error)).rstrip('.')}. {if_known}"
        logger.exception("the request failed")
        return f"{_bounded(f'{type(error).__name__}: {error}')} {if_broken}"


def answer(event: Event, problem: str | None) -> bytes:
    """The response to a request, as JSON of less than 4,096 bytes."""
    document = {
        "Status": "SUCCESS" if problem is None else "FAILED",
        "Reason": problem or "valid",
        "PhysicalResourceId": event.get("PhysicalResourceId")
        or PHYSICAL_IDS.get(event.get("ResourceType", ""), PHYSICAL_ID),
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
