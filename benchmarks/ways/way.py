"""The type of a way: a measured function, and the conversion of its result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from benchmarks.aggregates import Aggregates
from flowwarden.records.log_format import LogFormat

type Event = dict[str, Any]
"""The event that Lambda passes to a function."""


class Way(Struct, frozen=True, kw_only=True):
    """One way from an event to its aggregates, for one layout."""

    run: Callable[[Event], Any]
    """The measured function. It keeps the state that it would keep in a warm container."""
    aggregates: Callable[[Any], Aggregates] | None
    """Converts a result for the comparison, unmeasured; None for floors and findings, which have no
    aggregates."""


type Maker = Callable[[LogFormat], Way]
"""Creates a way for a layout."""
