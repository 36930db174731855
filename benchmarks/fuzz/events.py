"""Kind of input: events with changed members, processed by the enforcer in the example event's account."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from random import Random
from typing import Any, Final

from msgspec import Struct

from benchmarks.fuzz.draw import changed
from benchmarks.fuzz.enforcing import handler, process
from benchmarks.fuzz.kind import Kind, Problem
from benchmarks.fuzz.table import EMPTY, Table
from tests.functions.test_enforcer_events import EVENTS, read, run_of


class Given(Struct, frozen=True):
    """An event, and the number of the example whose account the enforcer finds."""

    example: int
    event: Any


RARE: Final[tuple[tuple[tuple[str, ...], Any], ...]] = (
    (("detail", "requestParameters", "filterPattern"), "REJECT"),
    (("detail", "requestParameters", "destinationArn"), "arn:aws:lambda:eu-west-1:111122223333:function:f"),
    (("detail", "requestParameters", "logGroupIdentifier"), "/flow-warden/flow-logs"),
    (
        ("detail", "requestParameters", "resourceIdentifier"),
        "arn:aws:logs:eu-west-1:111122223333:log-group:/flow-warden/flow-logs:*",
    ),
    (("detail", "responseElements", "CreateVpcResponse"), {"vpc": {"vpcId": "vpc-0a10c0de00000001"}}),
    (("detail", "userIdentity", "invokedBy"), "cloudformation.amazonaws.com"),
)
"""Members that the enforcer reads and that no example has: the path of each, and a value."""


@cache
def _example(number: int) -> dict[str, Any]:
    return read(EVENTS[number])


def make(random: Random) -> Given:
    """An event."""
    number = random.randrange(len(EVENTS))
    event = _example(number)["event"]
    if not random.randrange(4):
        event = _with(event, *random.choice(RARE))
    return Given(number, changed(random, event, 4))


def _with(event: Any, path: Sequence[str], value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The event with one more member; creates the objects on its path if necessary."""
    first, *rest = path
    members = event if isinstance(event, dict) else {}
    return {**members, first: _with(members.get(first), rest, value) if rest else value}


def check(given: Given) -> Iterator[Problem]:
    """Process the event with an empty state table."""
    run = run_of(_example(given.example))
    return process(handler(run, Table(EMPTY)), given.event, run.sink.sent)


KIND: Final = Kind(
    name="events",
    what="CloudTrail, EventBridge and manual events with changed members: the enforcer",
    make=make,
    check=check,
    share=0.05,
)
