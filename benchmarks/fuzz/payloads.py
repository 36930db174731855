"""Kind of input: payloads of CloudWatch Logs, damaged at any layer, processed by the monitor."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Iterator
from functools import partial
from random import Random
from typing import Any, Final

from benchmarks.fuzz.draw import changed, damaged
from benchmarks.fuzz.kind import Kind, Problem
from benchmarks.fuzz.monitoring import handle, harness_of
from flowwarden.records.subscription import encode
from tests.functions.test_monitor_events import BLOCKED, document
from tests.sources.held import ACCEPTED, NODATA, REJECTED

GROUP: Final = 10
"""Number of events in a group."""
_DOCUMENTS: Final = (
    document(BLOCKED, NODATA, REJECTED),
    document(ACCEPTED),
    document(*["no record"] * 4, BLOCKED),
    {**document("CWL CONTROL MESSAGE: Checking health of destination."), "messageType": "CONTROL_MESSAGE"},
)
_BOMB: Final = b" " * 2 * 2**20
_GZIP: Final = partial(gzip.compress, mtime=0)
"""Without the time, so that a seed always gives the same bytes."""
_PACKERS: Final = (_GZIP, _GZIP, zlib.compress, bytes)


def make(random: Random) -> tuple[Any, ...]:
    """Events for one container."""
    return tuple(_event(random) for _ in range(GROUP))


def _event(random: Random) -> Any:  # noqa: ANN401 - any JSON value
    whole = changed(random, random.choice(_DOCUMENTS), 2)
    inflated = json.dumps(whole, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")  # noqa: PLR2004
    layer = random.randrange(8)
    if layer == 0:
        inflated = damaged(random, inflated)
    if layer == 1 and not random.randrange(20):
        inflated += _BOMB
    packed = random.choice(_PACKERS)(inflated)
    if layer == 2:  # noqa: PLR2004
        packed = damaged(random, packed)
    text = base64.b64encode(packed)
    if layer == 3:  # noqa: PLR2004
        text = damaged(random, text)
    event: Any = {"awslogs": {"data": text.decode("utf-8", "replace")}}
    return changed(random, event, 2) if layer == 4 else event  # noqa: PLR2004


def check(events: tuple[Any, ...]) -> Iterator[Problem]:
    """Process the events, and then a valid batch, which must succeed whatever they were."""
    harness = harness_of()
    handler = harness.handler()
    for each in events:
        yield from handle(handler, each, harness.sink, harness.operations).problems
    if handle(handler, encode(document(BLOCKED))).result is None:
        yield Problem("a valid batch that is rejected after malformed ones")


KIND: Final = Kind(
    name="payloads",
    what="CloudWatch Logs payloads with damaged JSON, gzip, zlib or base64, and events: the monitor",
    make=make,
    check=check,
    size=GROUP,
    share=0.08,
)
