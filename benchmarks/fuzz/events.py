"""Events of the enforcer with changed members, through its handler, in the account of the example event."""

from __future__ import annotations

from collections.abc import Iterator
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
    """An event, and the example whose account it arrives in."""

    example: int
    event: Any


@cache
def _example(number: int) -> dict[str, Any]:
    return read(EVENTS[number])


def make(random: Random) -> Given:
    """An event."""
    number = random.randrange(len(EVENTS))
    return Given(number, changed(random, _example(number)["event"], 4))


def check(given: Given) -> Iterator[Problem]:
    """Process it, on a state table that is empty."""
    run = run_of(_example(given.example))
    return process(handler(run, Table(EMPTY)), given.event, run.sink.sent)


KIND: Final = Kind(
    name="events",
    what="events of CloudTrail, EventBridge and of people with changed members: the enforcer",
    make=make,
    check=check,
    share=0.05,
)
