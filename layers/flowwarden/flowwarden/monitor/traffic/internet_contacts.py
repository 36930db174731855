"""Answered TCP contacts with the internet that are not usual for a role, by interface and service port."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Final

import numpy as np
from msgspec import Struct

from flowwarden.monitor.baseline.baseline import Edge, EdgeDirection
from flowwarden.monitor.baseline.peers import DYNAMIC
from flowwarden.monitor.baseline.profile import RoleProfile
from flowwarden.monitor.traffic.contacts import Contacts
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import INTERNET, Directions
from flowwarden.network.services import TCP
from flowwarden.records.columnar.tokenizer import Integers
from flowwarden.state.sets import fingerprint

MOST_PORTS: Final = 256
"""Ports of an interface that are compared with the baseline, those with most contacts first."""


class InternetService(Struct, frozen=True):
    """A service port through which an internal host is connected with the internet."""

    place: int
    """The index of the interface that logged the contacts."""
    host: int
    """The text number of the internal host's address."""
    port: int


type NewServices = Mapping[InternetService, list[int]]
"""Contact numbers by service, those with the first contact first."""


def new_inbound(
    contacts: Contacts,
    directions: Directions,
    profiles: Mapping[int, RoleProfile],
    ports: Collection[int],
) -> NewServices:
    """The contacts of internet hosts with these ports of internal hosts."""
    numbers, rows = _answered(contacts, directions)
    wanted = contacts.inbound(rows) & (directions.client_class[rows] == INTERNET)
    wanted &= np.isin(directions.service_port[rows], [*ports])
    return _new(numbers[wanted], contacts, directions.server, directions, profiles, "in")


def new_outbound(
    contacts: Contacts, directions: Directions, profiles: Mapping[int, RoleProfile]
) -> NewServices:
    """The contacts of internal hosts with internet hosts."""
    numbers, rows = _answered(contacts, directions)
    wanted = ~contacts.inbound(rows) & (directions.server_class[rows] == INTERNET)
    return _new(numbers[wanted], contacts, directions.client, directions, profiles, "out")


def _answered(contacts: Contacts, directions: Directions) -> tuple[Integers, Integers]:
    """The answered TCP contacts whose initiator is certain, and a row of each."""
    (numbers,) = (contacts.answered & contacts.is_sure).nonzero()
    rows = contacts.lead_rows(numbers)
    is_tcp = directions.traffic.flows["protocol"][rows] == TCP
    return numbers[is_tcp], rows[is_tcp]


def _new(
    numbers: Integers,
    contacts: Contacts,
    hosts: Integers,
    directions: Directions,
    profiles: Mapping[int, RoleProfile],
    way: EdgeDirection,
) -> NewServices:
    """The contacts whose edge is not usual, by service.

    Args:
        numbers: of the contacts.
        contacts: of the batch.
        hosts: the internal host of each flow of the batch.
        directions: of the batch.
        profiles: the usual behavior, by interface index.
        way: whether the internal hosts are the servers or the clients.
    """
    rows = contacts.lead_rows(numbers)
    places, ports = contacts.interface[numbers], directions.service_port[rows]
    new = np.zeros(len(numbers), bool)
    for place in np.unique(places).tolist():
        here = places == place
        new[here] = np.isin(ports[here], _new_ports(ports[here], profiles[place], way))
    found: defaultdict[InternetService, list[int]] = defaultdict(list)
    columns = numbers[new], places[new], hosts[rows[new]], ports[new]
    for number, *service in zip(*(column.tolist() for column in columns), strict=True):
        found[InternetService(*service)].append(number)
    return found


def _new_ports(ports: Integers, profile: RoleProfile, way: EdgeDirection) -> list[int]:
    """The ports that are not usual for the role."""
    distinct, counts = np.unique(ports, return_counts=True)
    most: list[int] = distinct[np.argsort(-counts, kind="stable")[:MOST_PORTS]].tolist()
    edges = [Edge(way, TCP, min(port, DYNAMIC), PeerClass.INTERNET.value) for port in most]
    return [most[at] for at in profile.new_among([fingerprint(*edge) for edge in edges])]
