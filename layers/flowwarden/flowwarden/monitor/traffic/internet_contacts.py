"""Answered TCP contacts with the internet that are not usual for a role, by interface and service port."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping

from msgspec import Struct

from flowwarden.monitor.baseline.baseline import Edge
from flowwarden.monitor.traffic.contacts import MOST_CONTACTS, Contacts
from flowwarden.monitor.traffic.novelty import NewContacts
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import Directions
from flowwarden.network.services import TCP


class InternetService(Struct, frozen=True):
    """A service port through which an internal host is connected with the internet."""

    place: int
    """The index of the interface that logged the contacts."""
    host: int
    """The text number of the internal host's address."""
    port: int


type NewServices = Mapping[InternetService, list[int]]
"""Contact numbers by service."""


def new_services(
    contacts: Contacts, directions: Directions, new: NewContacts, wanted: Callable[[int, Edge], bool]
) -> NewServices:
    """The answered contacts whose initiator is certain, at most `MOST_CONTACTS` of an edge.

    Args:
        contacts: of the batch.
        directions: of the batch.
        new: the contacts that are not usual.
        wanted: which edges count, by the index of the interface.
    """
    found: defaultdict[InternetService, list[int]] = defaultdict(list)
    for place, edges in new.items():
        for edge in edges:
            if edge.protocol != TCP or edge.peer != PeerClass.INTERNET or not wanted(place, edge):
                continue
            numbers = edges[edge]
            numbers = numbers[contacts.answered[numbers] & contacts.is_sure[numbers]][:MOST_CONTACTS]
            rows = contacts.lead_rows(numbers)
            hosts = directions.server if edge.direction == "in" else directions.client
            columns = numbers, hosts[rows], directions.service_port[rows]
            for number, host, port in zip(*(column.tolist() for column in columns), strict=True):
                found[InternetService(place, host, port)].append(number)
    return found
