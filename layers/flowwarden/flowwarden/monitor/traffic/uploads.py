"""Uploads: records of data that internal hosts send out, and a sample from which their sum is estimated.

Storing each record would cost a write for each batch of a busy host. So a record of `LEAST` bytes or more
always counts with its size. A smaller one counts with a probability of its size divided by `SAMPLE`, and then
counts as `SAMPLE` bytes. The sum is unbiased, whatever the sizes ("threshold sampling": Duffield, Lund and
Thorup, IEEE Transactions on Information Theory, 2005); its standard deviation for 500 MB in small records is
18 %. A hash of the record decides whether it counts, so each delivery of it, in any batch and container, has
the same outcome.
"""

from __future__ import annotations

from math import sqrt
from typing import Final

import numpy as np

from flowwarden.monitor.findings import Window
from flowwarden.monitor.traffic.record_sizes import ACCURACY
from flowwarden.monitor.traffic.selection import PAGING_CONFIDENCE, is_outside, mixed
from flowwarden.network.direction import OWN, Directions
from flowwarden.network.services import EPHEMERAL, TCP
from flowwarden.records.columnar.group_by import Groups
from flowwarden.records.columnar.string_pool import ACCEPT, EGRESS
from flowwarden.records.columnar.tokenizer import ABSENT, FIXED_MIX, Integers
from flowwarden.state.sets import SIGMAS

LEAST: Final = 4_000_000
"""Bytes of a record that always counts: 125 such records are the default of `upload_megabytes`."""
SAMPLE: Final = 16_000_000
"""Bytes for which a smaller record counts, if it counts. A smaller value would be more accurate and cost more
writes: a host that uploads 20 MB per hour causes one or two."""
_BITS: Final = 53
"""Bits of a hash that a float represents exactly."""


def uploads(directions: Directions) -> tuple[Integers, Integers]:
    """The rows of uploads, with duplicates: those with a certain initiator, and those of later records.

    Later records belong to connections that began before the batch, from a port of `EPHEMERAL` or higher to a
    lower one. Ports alone do not make the initiator certain: a later record counts only if the role is known
    to connect to the port (`KnownOpenings`).
    """
    flows = directions.traffic.flows
    (rows,) = (is_outside(directions.server_class) & (directions.client_class == OWN)).nonzero()
    rows = rows[
        (flows["action"][rows] == ACCEPT)
        & directions.from_source[rows]
        & (directions.side[rows] == EGRESS)
        & (flows["bytes"][rows] > 0)
    ]
    sure = directions.confidence[rows] >= PAGING_CONFIDENCE
    later = rows[~sure]
    later = later[
        (flows["protocol"][later] == TCP)
        & (flows["tcp_flags"][later] != ABSENT)
        & (directions.client_port[later] >= EPHEMERAL)
        & (directions.service_port[later] < EPHEMERAL)
    ]
    return rows[sure], later


def counted(directions: Directions, rows: Integers) -> Integers:
    """The rows among these that count."""
    if not len(rows):
        return rows
    flows = directions.traffic.flows
    sizes = flows["bytes"][rows]
    columns = [directions.client_port[rows], directions.service_port[rows], flows["protocol"][rows]]
    columns += [flows[name][rows] for name in ("packets", "bytes", "start", "end")]
    drawn = (mixed(columns, FIXED_MIX) >> np.uint64(64 - _BITS)).astype(np.float64) * (SAMPLE / 2**_BITS)
    counting: Integers = rows[(sizes >= LEAST) | (drawn < sizes)]
    return counting


def amount(directions: Directions, rows: Integers) -> float:
    """The bytes for which these rows count together, see `size_of`."""
    sizes = directions.traffic.flows["bytes"][rows]
    return float(np.where(sizes >= LEAST, sizes, SAMPLE).astype(np.float64).sum())


def window_of(directions: Directions, rows: Integers, begin: int, end: int) -> Window:
    """The time (Unix seconds) over which uploads were summed, with the exact bytes of those in the batch."""
    flows = directions.traffic.flows
    starts, sizes = flows["start"][rows], flows["bytes"][rows]
    sizes = sizes[(starts == ABSENT) | ((starts >= begin) & (starts < end))]
    sent, small = int(sizes.sum()), int(sizes[sizes < LEAST].sum())
    error = ACCURACY * sent + SIGMAS * sqrt(SAMPLE * small)
    return Window(begin, end, sent, error)


def size_of(size: int) -> int:
    """The bytes for which a record of this size counts, if it counts."""
    return size if size >= LEAST else SAMPLE


def main_receiver(directions: Directions, rows: Integers) -> str:
    """The server to which most bytes of these rows were sent."""
    servers, flows = Groups(directions.server[rows]), directions.traffic.flows
    sent = np.bincount(servers.numbers, weights=flows["bytes"][rows].clip(min=0))
    names = (str(flows.texts[each]) for each in servers.keys.tolist())
    return max(zip(sent.tolist(), names, strict=True))[1]
