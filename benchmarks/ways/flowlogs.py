"""flowlogs-reader: its record class, with the standard library before it and the shared aggregation after.

It reads from CloudWatch Logs itself and knows no subscription payload; its records are made from log
events by `FlowRecord.from_cwl_event`.
"""

from __future__ import annotations

from collections.abc import Iterator

from flowlogs_reader import FlowRecord

from benchmarks.aggregates import Aggregates, aggregate
from benchmarks.ways.floors import document
from benchmarks.ways.way import Event, Way
from flowwarden.records.log_format import LogFormat


def make(layout: LogFormat) -> Way:
    """Told the layout, as its users do."""
    fields = tuple(field.attribute for field in layout.fields)

    def flows(event: Event) -> Iterator[FlowRecord]:
        for each in document(event)["logEvents"]:
            record = FlowRecord.from_cwl_event(each, fields)
            if record.log_status == "OK":
                yield record

    def run(event: Event) -> Aggregates:
        return aggregate(flows(event))

    return Way(run=run, aggregates=lambda result: result)
