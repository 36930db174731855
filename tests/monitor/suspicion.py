"""Active hosts for tests."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from flowwarden.monitor.findings import Tally
from flowwarden.monitor.traffic.contact import Contact, ContactOutcome
from flowwarden.monitor.traffic.host_activity import HostActivity, Services, sets
from flowwarden.network.direction import DirectedFlow
from flowwarden.state.sets import DAY, HOUR, Sets
from tests.flows import START, directed, flow

CLIENT = "10.0.1.5"


def contact(
    server: str,
    port: int,
    outcome: ContactOutcome = ContactOutcome.UNANSWERED,
    peer: str = "10.0.9.0/24",
    client_ports: Iterable[int] = (40_000,),
) -> Contact:
    """A contact of the client, with its outcome."""
    return Contact(
        client=CLIENT, server=server, protocol=6, port=port, peer=peer, outcome=outcome,
        first=1_764_000_000, rows=np.empty(0, np.int64), client_ports=frozenset(client_ports),
    )  # fmt: skip


def suspect(
    *contacts: Contact,
    before: Sets | None = None,
    learning: bool = False,
    asks: Services = frozenset(),
    only_listens: bool = False,
    databases: frozenset[int] = frozenset(),
) -> HostActivity:
    """The client; its hour and day consist of these contacts by default."""
    known = sets(contacts, asks) if before is None else before
    return HostActivity(
        client=CLIENT, role="tag:Role=web", learning=learning, contacts=contacts, hour=known, day=known,
        begins={HOUR: START // HOUR * HOUR, DAY: START // DAY * DAY}, tally=tally,
        sample=lambda: flows_of(contacts), asks=asks, only_listens=only_listens, databases=databases,
    )  # fmt: skip


def tally(contacts: Iterable[Contact]) -> Tally:
    """Their traffic: a record for each connection."""
    return Tally.of(
        directed(
            *(
                flow(f"{CLIENT}:{port}", f"{each.server}:{each.port}", tcp_flags=2)
                for each in contacts
                for port in sorted(each.client_ports)
            )
        )
    )


def flows_of(contacts: Iterable[Contact]) -> list[DirectedFlow]:
    """The flows behind its contacts."""
    return directed(
        *(flow(f"{CLIENT}:40000", f"{each.server}:{each.port}", tcp_flags=2) for each in contacts)
    )
