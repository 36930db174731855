"""Compares the values of the table with those that the project's reader reads from the same lines."""

from __future__ import annotations

from collections import Counter
from typing import Any

from benchmarks.evaluation.reading import Reading
from flowwarden.records.fields import Kind
from flowwarden_cli.athena import ddl
from tests.cli.athena.comparison import Comparison

HOURS = 4
"""Of the last day: reading all records with the strict reader takes long."""
MOST = 5
"""Differing records that a failure shows."""


def differing(compared: Comparison) -> list[tuple[str, tuple[Any, ...]]]:
    """Some records of the table that the reader does not read, and the reverse; empty if there are none."""
    layout, reading = compared.judged.network.layout, Reading(compared.judged.network.layout)
    begin = compared.judged.network.end - HOURS * 3600
    read = Counter(
        tuple(_value(getattr(flow, each.attribute), each.kind) for each in layout.fields)
        for delivery in compared.judged.deliveries
        if delivery.arrived >= begin
        for flow in reading.records(delivery).flows
        if (flow.start or 0) >= begin
    )
    names = ", ".join(f'"{ddl.column(each)}"' for each in layout.fields)
    rows = compared.connection.execute(
        f"SELECT {names} FROM flow_logs WHERE log_status = 'OK' AND start >= {begin}"
    )
    stored = Counter(rows.fetchall())
    assert sum(read.values()) > 1000
    only_read = [("only in the records", each) for each in (read - stored)]
    return [*only_read[:MOST], *[("only in the table", each) for each in (stored - read)][:MOST]]


def _value(value: Any, kind: Kind) -> Any:
    """A value of a record, as it is in the table: an absent text is `-` there."""
    numeric = {Kind.INTEGER, Kind.PORT, Kind.PROTOCOL, Kind.COUNT, Kind.FLAGS, Kind.SECONDS}
    if kind in numeric:
        return value
    return "-" if value is None else str(value)
