"""New contacts: contacts of a batch that are not usual for the roles of the hosts at their interfaces.

Watched contacts: usual contacts for remote administration, which an intruder can make nevertheless; bursts of
small sessions with usual databases; and contacts with directory services, which show which servers are
directory servers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from flowwarden.monitor.baseline.baseline import Edge
from flowwarden.monitor.baseline.peers import DYNAMIC, class_of
from flowwarden.monitor.baseline.profile import RoleProfile
from flowwarden.monitor.traffic.contacts import Contacts
from flowwarden.monitor.traffic.edges import Edges
from flowwarden.network.addresses import PeerClass
from flowwarden.network.services import ADMIN_PORTS, DATABASE_PORTS, DIRECTORY_SERVICES, TCP
from flowwarden.records.columnar.tokenizer import Integers, Mask

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
    found: defaultdict[int, dict[Edge, int]] = defaultdict(dict)
    for number in sorted(chain.from_iterable(_new_numbers(edges, profiles))):
        found[edges.owners[number]][edges.keys[number]] = number
    return {place: _ByEdge(edges, numbers) for place, numbers in found.items()}


def of_internet(new: NewContacts) -> NewContacts:
    """The new contacts over TCP with the internet, which several detectors inspect."""
    return {
        place: {edge: edges[edge] for edge in chosen}
        for place, edges in new.items()
        if (chosen := [edge for edge in edges if edge.peer == PeerClass.INTERNET and edge.protocol == TCP])
    }


def _new_numbers(edges: Edges, profiles: Mapping[int, RoleProfile]) -> Iterator[Iterable[int]]:
    """The numbers of the edges that are not usual.

    There is one look-up for all interfaces of a role and day, because they have the same baseline.
    """
    alike: defaultdict[tuple[str, int, bool], list[int]] = defaultdict(list)
    for place, profile in profiles.items():
        alike[profile.role, profile.day, profile.baseline is None].append(place)
    for places in alike.values():
        numbers = [*chain.from_iterable(map(edges.numbers_at, places))]
        new = profiles[places[0]].new_among([*map(edges.fingerprints.__getitem__, numbers)])
        yield map(numbers.__getitem__, new)


def watched_contacts(
    contacts: Contacts, profiles: Mapping[int, RoleProfile], new: NewContacts, are_bursts: Mask | None = None
) -> NewContacts:
    """The answered contacts that hosts initiated and that are watched, whether or not they are new.

    Args:
        contacts: of a batch.
        profiles: the usual behavior, by interface index.
        new: the contacts that are not usual.
        are_bursts: which contacts have many small sessions; of usual databases, only these are watched.
    """
    edges = contacts.edges
    found: defaultdict[int, dict[Edge, Integers]] = defaultdict(dict)
    for number in edges.those(_may_be_watched):
        edge, place = edges.keys[number], edges.owners[number]
        if _is_watched(edge, profiles[place], is_new=edge in new.get(place, ())):
            found[place][edge] = _watched(contacts, edge, edges.of(number))
    for number in edges.those(_is_database) if are_bursts is not None else ():
        edge, place, here = edges.keys[number], edges.owners[number], edges.of(number)
        sudden = here[are_bursts[here]] if are_bursts is not None else here
        if len(sudden) and not profiles[place].learning and edge not in new.get(place, ()):
            found[place][edge] = sudden
    return dict(found)


def _is_database(edge: Edge) -> bool:
    return edge.direction == "out" and edge.port in DATABASE_PORTS and class_of(edge.peer) is PeerClass.OWN


def _may_be_watched(edge: Edge) -> bool:
    """Whether the edge is watched for some roles."""
    ports = edge.port in ADMIN_PORTS or edge.port in DIRECTORY_SERVICES or edge.port == DYNAMIC
    return ports and edge.direction == "out" and class_of(edge.peer) is PeerClass.OWN


def _is_watched(edge: Edge, profile: RoleProfile, *, is_new: bool) -> bool:
    """Whether an edge that may be watched is watched for the role."""
    if profile.learning:
        return profile.cautious
    return edge.port in (DIRECTORY_SERVICES if is_new else ADMIN_PORTS)


def _watched(contacts: Contacts, edge: Edge, numbers: Integers) -> Integers:
    """Those of the contacts that were answered.

    Their initiator must be certain, except with directory services: DNS and Kerberos use UDP, where it never
    is.
    """
    answered: Integers = numbers[contacts.answered[numbers]]
    return answered if edge.port in DIRECTORY_SERVICES else answered[contacts.is_sure[answered]]
