"""Tallies and samples of flows, computed from columns, because creating many flows is expensive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

import numpy as np

from flowwarden.monitor.findings import FlowSample, Tally, in_order, ranked, representative
from flowwarden.network.addresses import CLASSES, PeerClass
from flowwarden.network.direction import DirectedFlow, Directions
from flowwarden.network.services import has_ports
from flowwarden.records.columnar.group_by import Groups, packed
from flowwarden.records.columnar.tokenizer import ABSENT, Integers

FEW: Final = 24
"""Below this number of rows, creating the flows is faster."""
SMALL: Final = 512
"""Up to this number of rows, counting in lists is faster than sorting an array. The lists of a large batch
would take tens of megabytes."""


def sample_of(directions: Directions, rows: Integers) -> FlowSample:
    """The sample of the flows in these rows; there is at least one."""
    (sample,) = samples_of(directions, [rows])
    return sample


def samples_of(directions: Directions, groups: Sequence[Integers]) -> list[FlowSample]:
    """The samples of the flows in each group of rows; no group is empty."""
    few = [rows for rows in groups if len(rows) < FEW]
    flows = iter(
        directions.flows(np.concatenate([_NONE, *few]))
    )  # one call for all, because calls are expensive
    return [
        FlowSample.of([*islice(flows, len(rows))])
        if len(rows) < FEW
        else FlowSample(tally_of(directions, rows), representative_of(directions, rows))
        for rows in groups
    ]


_PORTS: Final = 2**16 + 1
"""Values of a port, the absent one among them."""
_NONE: Final = np.empty(0, np.int64)


def tally_of(directions: Directions, rows: Integers) -> Tally:
    """Equivalent to `Tally.of` for the flows in these rows."""
    flows = directions.traffic.flows
    starts = flows["start"][rows]
    starts = starts[starts != ABSENT]
    return Tally(
        records=len(rows),
        connections=None if _lack_ports(directions, rows) else connections_in(directions, rows),
        packets=_total(flows["packets"][rows]),
        bytes=_total(flows["bytes"][rows]),
        first=int(starts.min()) if len(starts) else None,
        last=_number(int(flows["end"][rows].max())),
        clients=_hosts(directions, directions.client[rows]),
        servers=_hosts(directions, directions.server[rows]),
        client_classes=_classes(directions.client_class[rows]),
        server_classes=_classes(directions.server_class[rows]),
        services=_services(flows["protocol"][rows], directions.service_port[rows]),
    )


def places_in(directions: Directions, rows: Integers) -> int:
    """The number of distinct places (server, protocol, port) of the flows in these rows."""
    columns = [directions.server, directions.traffic.flows["protocol"], directions.service_port]
    sizes = [len(directions.traffic.flows.texts), 2**8, 2**16]
    return len(Groups(packed([column[rows] for column in columns], sizes)))


def connections_in(directions: Directions, rows: Integers) -> int:
    """The number of distinct connections of the flows in these rows."""
    flows, texts = directions.traffic.flows, len(directions.traffic.flows.texts)
    ends = [directions.client[rows], directions.server[rows], flows["protocol"][rows]]
    ports = [directions.client_port[rows], directions.service_port[rows]]
    if len(rows) <= SMALL:
        return len({*zip(*(column.tolist() for column in (*ends, *ports)), strict=True)})
    pairs = Groups(packed(ends, [texts, texts, 2**8])).numbers
    return len(Groups(packed([pairs, *ports], [len(rows), 2**16, 2**16])))


def representative_of(directions: Directions, rows: Integers) -> DirectedFlow:
    """Equivalent to `representative` for the flows in these rows; creates only the candidates."""
    confidences = directions.confidence[rows]
    rows = rows[confidences == confidences.max()]
    # A missing start counts as the earliest.
    starts = np.maximum(directions.traffic.flows["start"][rows], 0)
    rows = rows[starts == starts.min()]
    texts = directions.traffic.flows.texts
    for column in (directions.server, directions.client) if len(rows) > 1 else ():
        rows = rows[column[rows] == min({*column[rows].tolist()}, key=texts.__getitem__)]
    for column in (directions.client_port, directions.service_port) if len(rows) > 1 else ():
        rows = rows[column[rows] == column[rows].min()]
    return representative(directions.flows(rows))


def _lack_ports(directions: Directions, rows: Integers) -> bool:
    """Whether a record of a protocol with ports lacks one of them, so that connections cannot be counted."""
    lacks = (directions.client_port[rows] == ABSENT) | (directions.service_port[rows] == ABSENT)
    protocols = directions.traffic.flows["protocol"][rows[lacks]]
    return any(has_ports(_number(each)) for each in {*protocols.tolist()})


def _total(counts: Integers) -> int | None:
    """The exact sum, which may exceed 64 bits; None if one of the counts is missing."""
    return None if (counts == ABSENT).any() else sum(counts.tolist())


def _hosts(directions: Directions, numbers: Integers) -> tuple[tuple[str, int], ...]:
    texts = directions.traffic.flows.texts
    return ranked({texts[number]: count for number, count in _counted(numbers)})


def _services(protocols: Integers, ports: Integers) -> tuple[tuple[tuple[int | None, int | None], int], ...]:
    # Both are -1 if absent, and below 2**16 otherwise.
    pairs = (protocols.astype(np.int64) + 1) * _PORTS + ports + 1
    return ranked(
        {(_number(pair // _PORTS - 1), _number(pair % _PORTS - 1)): count for pair, count in _counted(pairs)}
    )


def _counted(numbers: Integers) -> Iterable[tuple[int, int]]:
    """The distinct numbers, and how often each occurs."""
    if len(numbers) <= SMALL:
        return Counter(numbers.tolist()).items()
    distinct, counts = np.unique(numbers, return_counts=True)
    return zip(distinct.tolist(), counts.tolist(), strict=True)


def _classes(numbers: Integers) -> tuple[PeerClass, ...]:
    return in_order([CLASSES[number] for number in {*numbers.tolist()}])


def _number(value: int) -> int | None:
    return None if value == ABSENT else value
