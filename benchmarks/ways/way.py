"""What a way is: a function that the clock runs on, and what its result means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from benchmarks.aggregates import Aggregates
from flowwarden.records.log_format import LogFormat

type Event = dict[str, Any]
"""What Lambda hands to a function."""


class Way(Struct, frozen=True, kw_only=True):
    """One way from an event to its aggregates, made ready for one layout."""

    run: Callable[[Event], Any]
    """What is measured. What the way would keep between events in a warm container, it keeps."""
    aggregates: Callable[[Any], Aggregates] | None
    """Turns a result into what is compared, off the clock; None for a floor, which finds nothing out, and for
    findings, which are no aggregates."""


type Maker = Callable[[LogFormat], Way]
"""Makes a way for a layout."""
