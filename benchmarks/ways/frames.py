"""The polars way: all lines as one table.

Its results stay data frames; converting them for the comparison is not measured. It does not check lines: one
surplus token in a line, or one letter in a number, and the whole payload fails.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from benchmarks.aggregates import Aggregates, sides
from benchmarks.ways.way import Event, Way
from benchmarks.ways.wheels import messages
from flowwarden.records.log_format import LogFormat

_KEY = ["srcaddr", "dstaddr", "dstport", "protocol", "action"]
_TYPES: dict[str, Any] = {
    "interface-id": pl.String,
    "srcaddr": pl.String,
    "dstaddr": pl.String,
    "dstport": pl.Int32,
    "protocol": pl.Int16,
    "packets": pl.Int64,
    "bytes": pl.Int64,
    "action": pl.String,
    "log-status": pl.String,
    "flow-direction": pl.String,
}
"""The columns to read; polars skips the others."""

type Frames = tuple[pl.DataFrame, pl.DataFrame, dict[str, int]]
"""Groups, rejected ports, and records at each side."""


def make(layout: LogFormat) -> Way:
    """Reads only the columns needed for the aggregates."""
    columns = [name for name in layout.names if name in _TYPES]
    schema = {name: _TYPES.get(name, pl.String) for name in layout.names}

    def run(event: Event) -> Frames:
        table = pl.scan_csv(
            "\n".join(messages(event)).encode(),
            has_header=False,
            separator=" ",
            null_values="-",
            quote_char=None,
            schema=schema,
        )
        return _aggregate(table.filter(pl.col("log-status") == "OK").select(columns).collect())

    return Way(run=run, aggregates=_aggregates)


def _aggregate(flows: pl.DataFrame) -> Frames:
    groups = flows.group_by(_KEY).agg(pl.len(), pl.col("packets").sum(), pl.col("bytes").sum())
    rejected = groups.filter(pl.col("action") == "REJECT")
    ports = rejected.group_by("srcaddr", "dstaddr").agg(pl.col("dstport").unique())
    if "flow-direction" in flows.columns:
        by_side = flows.group_by("flow-direction").len()
        return groups, ports, dict(by_side.rows())
    pairs = flows.group_by("interface-id", "srcaddr", "dstaddr").len()
    return groups, ports, sides({row[:3]: row[3] for row in pairs.rows()})


def _aggregates(frames: Frames) -> Aggregates:
    groups, ports, at_sides = frames
    return Aggregates(
        {row[:5]: list(row[5:]) for row in groups.rows()},
        {row[:2]: set(row[2]) for row in ports.rows()},
        at_sides,
    )
