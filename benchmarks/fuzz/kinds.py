"""The table of all kinds of input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from benchmarks.fuzz import events, files, incidents, items, lines, payloads, policies
from benchmarks.fuzz.kind import Kind

KINDS: Final[Mapping[str, Kind]] = {
    each.name: each
    for each in (
        lines.KIND,
        payloads.KIND,
        events.KIND,
        policies.KIND,
        items.KIND,
        incidents.KIND,
        files.KIND,
    )
}
"""Every kind, by its name. Their shares add up to 1."""
