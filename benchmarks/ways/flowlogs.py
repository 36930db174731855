"""flowlogs-reader: its record class, with decoding by the standard library and the shared aggregation.

It reads from CloudWatch Logs itself and does not support subscription payloads; `FlowRecord.from_cwl_event`
creates its records from log events.
"""

from __future__ import annotations

from collections.abc import Iterator

from flowlogs_reader import FlowRecord

from benchmarks.aggregates import Aggregates, aggregate
from benchmarks.ways.floors import document
from benchmarks.ways.way import Event, Way
from flowwarden.records.log_format import LogFormat


def make(layout: LogFormat) -> Way:
    """Configured with the layout, as by its users."""
    fields = tuple(field.attribute for field in layout.fields)

    def flows(event: Event) -> Iterator[FlowRecord]:
        for each in document(event)["logEvents"]:
            record = FlowRecord.from_cwl_event(each, fields)
            if record.log_status == "OK":
                yield record

    def run(event: Event) -> Aggregates:
        return aggregate(flows(event))

    return Way(run=run, aggregates=lambda result: result)
