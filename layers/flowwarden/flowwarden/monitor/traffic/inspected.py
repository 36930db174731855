"""Creates the contacts that are inspected individually, all at once, because most have only a few records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, compress, islice

import numpy as np

from flowwarden.monitor.baseline.profile import Standing
from flowwarden.monitor.traffic.contact import Contact, ContactOutcome
from flowwarden.monitor.traffic.sessions import ARE_SIZED, SizedRecords, sized_records
from flowwarden.network.direction import Directions
from flowwarden.records.columnar.tokenizer import Integers


def inspected(
    directions: Directions,
    rows: Sequence[Integers],
    facts: Iterable[tuple[str, ContactOutcome, Standing]],
) -> list[Contact]:
    """Create some contacts.

    Args:
        directions: of the batch.
        rows: the rows of each contact, of which there is at least one.
        facts: the peer, the outcome and the standing of each contact.
    """
    if not rows:
        return []
    flows = directions.traffic.flows
    lead, every = np.array([each[0] for each in rows]), np.concatenate(rows)
    columns = directions.client, directions.server, flows["protocol"], directions.service_port
    first = np.minimum.reduceat(flows["start"][every], [0, *accumulate(map(len, rows[:-1]))])
    client_ports = iter(directions.client_port[every].tolist())
    values = zip(*(column[lead].tolist() for column in columns), first.tolist(), strict=True)
    sizes = _sizes(directions, rows, directions.service_port[lead])
    return [
        Contact(
            client=flows.texts[client],
            server=flows.texts[server],
            protocol=protocol,
            port=port,
            peer=peer,
            outcome=outcome,
            first=start,
            rows=here,
            client_ports=frozenset(islice(client_ports, len(here))),
            sizes=sized,
            standing=standing,
        )
        for here, sized, (client, server, protocol, port, start), (peer, outcome, standing) in zip(
            rows, sizes, values, facts, strict=False
        )
    ]


def _sizes(directions: Directions, rows: Sequence[Integers], ports: Integers) -> list[SizedRecords]:
    """For each contact the sizes of its connections; none if its port is not in `SIZED_PORTS`."""
    asks = ARE_SIZED[ports].tolist()
    sized = iter(sized_records(directions, [*compress(rows, asks)]))
    return [next(sized) if is_sized else frozenset() for is_sized in asks]
