"""Powertools' event class and a pydantic model of the record, as AWS's documentation suggests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aws_lambda_powertools.utilities.data_classes import CloudWatchLogsEvent
from pydantic import create_model

from benchmarks.aggregates import Aggregates, aggregate
from benchmarks.ways.way import Event, Way
from flowwarden.records.fields import Field, Kind
from flowwarden.records.log_format import LogFormat
from flowwarden.records.model import Action, FlowDirection, LogStatus

_TYPES: dict[Kind, Any] = {
    Kind.TEXT: str,
    Kind.ENCODED_TEXT: str,
    Kind.ADDRESS: str,  # IPvAnyAddress would take twice as long
    Kind.ACTION: Action,
    Kind.STATUS: LogStatus,
    Kind.DIRECTION: FlowDirection,
}
"""All other kinds are numbers."""


def make(layout: LogFormat) -> Way:
    """A model with a typed field for each field of the layout; `-` is None."""
    columns: dict[str, Any] = {"flow_direction": (FlowDirection | None, None)}  # a layout may lack it
    columns |= {field.attribute: _annotation(field) for field in layout.fields}
    model: Any = create_model("Record", **columns)
    names = [field.attribute for field in layout.fields]

    def flows(event: Event) -> Iterator[Any]:
        for each in CloudWatchLogsEvent(event).parse_logs_data().log_events:
            values = [None if text == "-" else text for text in each.message.split()]
            record = model(**dict(zip(names, values, strict=True)))
            if record.log_status is LogStatus.OK:
                yield record

    def run(event: Event) -> Aggregates:
        return aggregate(flows(event))

    return Way(run=run, aggregates=lambda result: result)


def _annotation(field: Field) -> Any:  # noqa: ANN401 -- a pydantic annotation
    return _TYPES.get(field.kind, int) | None, None
