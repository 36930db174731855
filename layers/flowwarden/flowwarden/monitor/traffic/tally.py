"""What findings tell of flows, from the columns: for so many flows that making each of them would be dear."""

from __future__ import annotations

import numpy as np

from flowwarden.monitor.findings import Tally, ranked, representative
from flowwarden.network.direction import DirectedFlow, Directions
from flowwarden.records.columnar.group_by import Groups, packed
from flowwarden.records.columnar.tokenizer import ABSENT, Integers


def tally_of(directions: Directions, rows: Integers) -> Tally:
    """What `Tally.of` says about the flows in these rows."""
    flows = directions.traffic.flows
    packets, starts = flows["packets"][rows], flows["start"][rows]
    starts = starts[starts != ABSENT]
    return Tally(
        records=len(rows),
        connections=_connections(directions, rows),
        # A record stands for a packet at least, also where the log format leaves the count out.
        packets=sum(np.where(packets == ABSENT, 1, packets).tolist()),
        bytes=sum(np.maximum(flows["bytes"][rows], 0).tolist()),
        first=int(starts.min()) if len(starts) else None,
        last=_number(int(flows["end"][rows].max())),
        clients=_hosts(directions, directions.client[rows]),
        servers=_hosts(directions, directions.server[rows]),
        services=_services(directions, rows),
    )


def representative_of(directions: Directions, rows: Integers) -> DirectedFlow:
    """What `representative` chooses of the flows in these rows; only those are made that may be it."""
    starts = np.maximum(directions.traffic.flows["start"][rows], 0)
    unsure = -directions.confidence[rows]
    best = np.lexsort((starts, unsure))[0]
    rows = rows[(unsure == unsure[best]) & (starts == starts[best])]
    servers, clients = (_texts(directions, ends[rows]) for ends in (directions.server, directions.client))
    ports = (each[rows].tolist() for each in (directions.client_port, directions.service_port))
    ranks = [*zip(servers, clients, *ports, strict=True)]
    first = min(ranks)
    return representative(directions.flows(rows[[rank == first for rank in ranks]]))


def _texts(directions: Directions, numbers: Integers) -> list[str]:
    texts = directions.traffic.flows.texts
    return [texts[number] for number in numbers.tolist()]


def _connections(directions: Directions, rows: Integers) -> int:
    flows = directions.traffic.flows
    texts = len(flows.texts)
    ends = packed([directions.client[rows], directions.server[rows]], [texts, texts])
    ports = packed([directions.client_port[rows], directions.service_port[rows]], [2**16, 2**16])
    # In two steps, so that each key is a number of 64 bits.
    return len(
        Groups(packed([Groups(ends).of(ends)[0], ports, flows["protocol"][rows]], [len(rows), 2**33, 2**8]))
    )


def _hosts(directions: Directions, ends: Integers) -> tuple[tuple[str, int], ...]:
    numbers, counts = np.unique(ends, return_counts=True)
    return ranked(zip(_texts(directions, numbers), counts.tolist(), strict=True))


def _services(
    directions: Directions, rows: Integers
) -> tuple[tuple[tuple[int | None, int | None], int], ...]:
    columns = [directions.traffic.flows["protocol"][rows], directions.service_port[rows]]
    groups = Groups(packed(columns, [2**8, 2**16]))
    protocols, ports = (column[groups.rows].tolist() for column in columns)
    services = zip(map(_number, protocols), map(_number, ports), strict=True)
    return ranked(zip(services, groups.sizes.tolist(), strict=True))


def _number(value: int) -> int | None:
    return None if value == ABSENT else value
