"""Answered TCP contacts with the internet that are not usual for a role, by interface and service port.

Only the first record of a long connection shows with certainty which end opened it. For later records the
initiator is a guess, which counts only together with other knowledge about the port.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from itertools import chain, islice, repeat
from typing import Final

import numpy as np
from msgspec import Struct

from flowwarden.monitor.baseline.baseline import Edge
from flowwarden.monitor.traffic.contact import Contact
from flowwarden.monitor.traffic.contacts import MOST_CONTACTS, Contacts
from flowwarden.monitor.traffic.novelty import NewContacts
from flowwarden.monitor.traffic.sessions import ARE_SIZED
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import INTERNET, Directions
from flowwarden.network.services import EPHEMERAL, TCP
from flowwarden.records.columnar.tokenizer import Mask

MOST_SOURCES: Final = 64
"""Maximum contacts of an interface whose sessions are inspected, those with the most records first. A source
that guesses passwords has more records than others, and single sessions of many sources are not reported."""


class InternetService(Struct, frozen=True):
    """A service port through which an internal host is connected with the internet."""

    place: int
    """The index of the interface that logged the contacts."""
    host: int
    """The text number of the internal host's address."""
    port: int


type NewServices = Mapping[InternetService, list[int]]
"""Contact numbers by service."""


def opened(contacts: Contacts) -> Mask:
    """The answered contacts whose initiator is certain."""
    opened: Mask = contacts.answered & contacts.is_sure
    return opened


def lasting(contacts: Contacts, directions: Directions) -> Mask:
    """The contacts that began before the batch and whose initiator ports show.

    The client's port is `EPHEMERAL` or higher, and the server's is lower. Between two ports from `EPHEMERAL`
    on, nothing shows the initiator.
    """
    every = contacts.lead_rows(np.arange(len(contacts)))
    lasting: Mask = contacts.lasts & contacts.is_connection & (directions.client_port[every] >= EPHEMERAL)
    return lasting


def new_services(
    contacts: Contacts,
    directions: Directions,
    new: NewContacts,
    counted: Mask,
    wanted: Callable[[int, Edge], bool],
) -> NewServices:
    """The new contacts that count, at most `MOST_CONTACTS` of an edge.

    Args:
        contacts: of the batch.
        directions: of the batch.
        new: the contacts that are not usual, of TCP with the internet.
        counted: which contacts count.
        wanted: which edges count, by the index of the interface.
    """
    found: defaultdict[InternetService, list[int]] = defaultdict(list)
    for place, edges in new.those(new.edges.any(counted)).items():
        for edge in edges:
            if not wanted(place, edge):
                continue
            numbers = edges[edge]
            numbers = numbers[counted[numbers]][:MOST_CONTACTS]
            rows = contacts.lead_rows(numbers)
            hosts = directions.server if edge.direction == "in" else directions.client
            columns = numbers, hosts[rows], directions.service_port[rows]
            for number, host, port in zip(*(column.tolist() for column in columns), strict=True):
                found[InternetService(place, host, port)].append(number)
    return found


def sessions_from_internet(contacts: Contacts, directions: Directions) -> dict[int, list[Contact]]:
    """The answered contacts of internet hosts with services that ask for a password, by interface index.

    At most `MOST_SOURCES` of an interface, those with the most records first.
    """
    (found,) = opened(contacts).nonzero()
    rows = contacts.lead_rows(found)
    asks = ARE_SIZED[directions.service_port[rows]] & (directions.client_class[rows] == INTERNET)
    found, rows = found[asks], rows[asks]
    if not len(found):
        return {}
    found = found[(directions.traffic.flows["protocol"][rows] == TCP) & contacts.inbound(rows)]
    found = found[np.argsort(-contacts.count()[found], kind="stable")]
    chosen = {place: each[:MOST_SOURCES].tolist() for place, each in contacts.by_interface(found).items()}
    inspected = iter(contacts.one_by_one(chain.from_iterable(chosen.values()), repeat(PeerClass.INTERNET)))
    return {place: [*islice(inspected, len(numbers))] for place, numbers in chosen.items()}
