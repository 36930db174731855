"""Runs the monitor's handler on an event, and checks what it sends and logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

import monitor
from benchmarks.fuzz.kind import Problem, raw, raw_pages
from flowwarden.errors import PayloadError, PublishFailed
from tests.functions.captured import captured
from tests.functions.test_monitor_events import Context, Harness
from tests.notify.fakes import MemorySink

REFUSED: Final = PayloadError, PublishFailed
"""The errors that the handler may raise, so that Lambda retries the event. Its settings are valid."""


class Done(Struct, frozen=True):
    """A processed event."""

    problems: Sequence[Problem]
    result: Mapping[str, int] | None
    """None if the event was refused, so that Lambda retries it."""


def harness_of(*log_formats: str) -> Harness:
    """A new container, whose log group has flow logs of these formats."""
    return Harness({"MAX_INFLATED_MIB": "1"}, log_formats=[*log_formats])


def process(event: object, *log_formats: str) -> Done:
    """Process an event in a new container whose log group has flow logs of these formats."""
    harness = harness_of(*log_formats)
    return handle(harness.handler(), event, harness.sink, harness.operations)


def handle(handler: monitor.Handler, event: Any, *sinks: MemorySink) -> Done:  # noqa: ANN401 - any JSON
    """Process an event with this handler; `sinks` receive its notifications."""
    context: Any = Context()
    result = None
    with captured(monitor.logger, metrics=True) as log:
        try:
            result = handler(event, context)
        except REFUSED as error:
            monitor.logger.error(str(error))
    problems = [*raw("the monitor's log", log.getvalue())]
    problems += [each for sink in sinks for each in raw_pages(sink.sent)]
    return Done(problems, result)
