"""New contacts: contacts of a batch that are not usual for the roles of the hosts at their interfaces.

Watched contacts: contacts for remote administration that are usual, which can be an intruder's nevertheless,
and contacts with directory services, which show who is a directory server.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np

from flowwarden.monitor.baseline.baseline import Edge
from flowwarden.monitor.baseline.peers import DYNAMIC, class_of
from flowwarden.monitor.baseline.profile import RoleProfile
from flowwarden.monitor.traffic.contacts import Contacts
from flowwarden.monitor.traffic.edges import Edges
from flowwarden.network.addresses import PeerClass
from flowwarden.network.services import ADMIN_PORTS, DATABASE_PORTS, DIRECTORY_SERVICES
from flowwarden.records.columnar.tokenizer import Integers

type NewContacts = Mapping[int, Mapping[Edge, Integers]]
"""Contact numbers, by interface index and edge."""


class _ByEdge(Mapping[Edge, Integers]):
    """The contacts of some edges, computed on access: most are never accessed."""

    def __init__(self, edges: Edges, numbers: dict[Edge, int]) -> None:
        self._edges = edges
        self._numbers = numbers

    def __getitem__(self, edge: Edge) -> Integers:
        return self._edges.of(self._numbers[edge])

    def __iter__(self) -> Iterator[Edge]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


def new_contacts(contacts: Contacts, profiles: Mapping[int, RoleProfile]) -> NewContacts:
    """The contacts whose edge is not usual.

    Args:
        contacts: of a batch.
        profiles: the usual behavior, by interface index.
    """
    edges = contacts.edges
    found: dict[int, Mapping[Edge, Integers]] = {}
    for place, profile in profiles.items():
        here = edges.at(place)
        if new := profile.new_among(edges.fingerprints[here]):
            numbers = (here.start + at for at in new)
            found[place] = _ByEdge(edges, {edges.keys[number]: number for number in numbers})
    return found


def watched_contacts(
    contacts: Contacts, profiles: Mapping[int, RoleProfile], new: NewContacts, bursts: Collection[int] = ()
) -> NewContacts:
    """The answered contacts that hosts initiated and that are watched although they are usual or not certain.

    Args:
        contacts: of a batch.
        profiles: the usual behavior, by interface index.
        new: the contacts that are not usual.
        bursts: contacts with many small sessions; of databases that are usual, only these are watched.
    """
    edges, sudden = contacts.edges, np.array([*bursts], np.int64)
    found: dict[int, Mapping[Edge, Integers]] = {}
    for place, profile in profiles.items():
        here, unusual = edges.at(place), new.get(place, {})
        watched = {
            edge: _watched(contacts, edge, edges.of(here.start + at))
            for at, edge in enumerate(edges.keys[here])
            if edge.direction == "out" and _is_watched(edge, profile, is_new=edge in unusual)
        }
        if len(sudden) and not profile.learning:
            watched |= {
                edge: numbers
                for at, edge in enumerate(edges.keys[here])
                if edge.direction == "out" and edge.port in DATABASE_PORTS and edge not in unusual
                if len(numbers := np.intersect1d(edges.of(here.start + at), sudden))
            }
        if watched:
            found[place] = watched
    return found


def _is_watched(edge: Edge, profile: RoleProfile, *, is_new: bool) -> bool:
    if class_of(edge.peer) is not PeerClass.OWN:
        return False
    if profile.learning:
        ports = edge.port in ADMIN_PORTS or edge.port in DIRECTORY_SERVICES or edge.port == DYNAMIC
        return profile.cautious and ports
    return edge.port in (DIRECTORY_SERVICES if is_new else ADMIN_PORTS)


def _watched(contacts: Contacts, edge: Edge, numbers: Integers) -> Integers:
    """Those that were answered; names and tickets come over UDP, where no initiator is certain."""
    answered: Integers = numbers[contacts.answered[numbers]]
    return answered if edge.port in DIRECTORY_SERVICES else answered[contacts.is_sure[answered]]
