"""Detects the end of a function's invocations from its log group, which has a REPORT line for each."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from local.clients import Clients

POLL_SECONDS = 0.1


class Invocation(Struct, frozen=True):
    """The log of one invocation."""

    lines: tuple[str, ...]

    @property
    def metrics(self) -> dict[str, float]:
        """The emitted metrics (embedded metric format), summed by name."""
        totals: dict[str, float] = {}
        for name, value in (pair for line in self.lines for pair in _metrics(line)):
            totals[name] = totals.get(name, 0) + value
        return totals


class InvocationWatcher:
    """Finds the invocations of one function that finish from now on."""

    def __init__(self, clients: Clients, function: str) -> None:
        self._logs = clients.logs
        configuration = clients.functions.get_function_configuration(FunctionName=function)
        default = f"/aws/lambda/{function}"
        self.log_group = configuration.get("LoggingConfig", {}).get("LogGroup") or default
        self._known = set(self._finished())

    def skip(self) -> None:
        """Ignore the invocations that have finished so far."""
        self._known.update(self._finished())

    def wait(self, count: int, seconds: float) -> list[Invocation]:
        """The next `count` finished invocations, or fewer after `seconds`."""
        deadline = time.monotonic() + seconds
        fresh: list[str] = []
        while time.monotonic() < deadline:
            fresh = [stream for stream in self._finished() if stream not in self._known]
            if len(fresh) >= count:
                break
            time.sleep(POLL_SECONDS)
        self._known.update(fresh)
        return [Invocation(self._lines(stream)) for stream in fresh]

    def _finished(self) -> Iterator[str]:
        """Streams with a REPORT line; the AWS emulator creates a stream for each invocation."""
        try:
            pages = self._logs.get_paginator("filter_log_events").paginate(
                logGroupName=self.log_group, filterPattern='"REPORT RequestId:"'
            )
            yield from [event["logStreamName"] for page in pages for event in page["events"]]
        except self._logs.exceptions.ResourceNotFoundException:
            return

    def _lines(self, stream: str) -> tuple[str, ...]:
        answer = self._logs.get_log_events(
            logGroupName=self.log_group, logStreamName=stream, startFromHead=True
        )
        return tuple(event["message"] for event in answer["events"])


def _metrics(line: str) -> Iterator[tuple[str, float]]:
    document = _json(line)
    for directive in document.get("_aws", {}).get("CloudWatchMetrics", []):
        for metric in directive["Metrics"]:
            value = document[metric["Name"]]
            yield metric["Name"], sum(value) if isinstance(value, list) else value


def _json(line: str) -> dict[str, Any]:
    try:
        document = json.loads(line)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
