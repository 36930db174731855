"""Flow Warden's way: reads an event and aggregates its flows with the monitor's own modules."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from benchmarks.aggregates import Aggregates, Group, Pair
from benchmarks.ways.way import Event, Way
from flowwarden.network.addresses import AddressClassifier
from flowwarden.network.direction import Directions
from flowwarden.network.traffic import Traffic
from flowwarden.records.columnar.flow_table import FlowTable
from flowwarden.records.columnar.group_by import Groups, packed
from flowwarden.records.columnar.reader import ColumnarReader
from flowwarden.records.columnar.string_pool import EGRESS, INGRESS, REJECT
from flowwarden.records.columnar.tokenizer import ABSENT, Integers
from flowwarden.records.log_format import LogFormat
from flowwarden.records.subscription import ControlMessage, decode

MAX_BYTES = 64 * 2**20
"""The template's limit."""

_SIDES: Final = {INGRESS: "ingress", EGRESS: "egress", ABSENT: "unknown"}


_KEYS: Final = "srcaddr", "dstaddr", "dstport", "protocol", "action"


class Found(Struct, frozen=True):
    """The results of a payload: arrays."""

    flows: FlowTable
    groups: tuple[Integers, ...]
    """Source, destination, destination port, protocol and action; records, packets and bytes."""
    rejected: tuple[Integers, ...]
    """Source, destination and port, each combination once."""
    sides: dict[int, int]


def make(layout: LogFormat) -> Way:
    """Reuses the reader and the address classes for all events, as in a warm container."""
    reader = ColumnarReader((layout,))
    classifier = AddressClassifier()

    def run(event: Event) -> Found:
        batch = decode(event["awslogs"]["data"], MAX_BYTES)
        if isinstance(batch, ControlMessage):
            raise TypeError("the generator creates no control messages")
        return summed(reader.read(batch.lines).flows, classifier)

    return Way(run=run, aggregates=aggregates)


def summed(flows: FlowTable, classifier: AddressClassifier) -> Found:
    """All aggregates of the flows of a batch."""
    texts, columns = len(flows.texts), [flows[attribute] for attribute in _KEYS]
    alike = Groups(packed(columns, [texts, texts, 2**16, 2**8, 2]))
    keys = [column[alike.rows] for column in columns]
    sums = (alike.sums(np.maximum(flows[attribute], 0)) for attribute in ("packets", "bytes"))
    return Found(
        flows,
        (*keys, alike.sizes, *sums),
        _rejected(keys, texts),
        _counted(Directions(Traffic(flows), classifier).side),
    )


def _rejected(keys: list[Integers], texts: int) -> tuple[Integers, ...]:
    source, destination, port, _, action = keys
    ends = [column[action == REJECT] for column in (source, destination, port)]
    rows = Groups(packed(ends, [texts, texts, 2**16])).rows
    return tuple(column[rows] for column in ends)


def _counted(values: NDArray[Any]) -> dict[int, int]:
    return {number: count for number in _SIDES if (count := int(np.count_nonzero(values == number)))}


def aggregates(found: Found) -> Aggregates:
    """The results in the common form."""
    text = found.flows.text
    groups: dict[Group, list[int]] = {
        (str(text(source)), str(text(destination)), _number(port), _number(protocol), text(action)): sums
        for source, destination, port, protocol, action, *sums in zip(*_lists(found.groups), strict=True)
    }
    rejected: defaultdict[Pair, set[int | None]] = defaultdict(set)
    for source, destination, port in zip(*_lists(found.rejected), strict=True):
        rejected[str(text(source)), str(text(destination))].add(_number(port))
    return Aggregates(groups, rejected, {_SIDES[side]: count for side, count in found.sides.items()})


def _lists(columns: tuple[Integers, ...]) -> list[list[int]]:
    return [column.tolist() for column in columns]


def _number(value: int) -> int | None:
    return None if value == ABSENT else value
