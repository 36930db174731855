"""New contacts: contacts of a batch that are not usual for the roles of the hosts at their interfaces.

Watched contacts: usual contacts for remote administration, which an intruder can make nevertheless; bursts of
small sessions with usual databases; and contacts with directory services, which show which servers are
directory servers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

import numpy as np

from flowwarden.monitor.baseline.baseline import Edge
from flowwarden.monitor.baseline.peers import DYNAMIC, class_of
from flowwarden.monitor.baseline.profile import RoleProfile
from flowwarden.monitor.traffic.contacts import Contacts
from flowwarden.monitor.traffic.edges import Edges
from flowwarden.network.addresses import PeerClass
from flowwarden.network.services import ADMIN_PORTS, DATABASE_PORTS, DIRECTORY_SERVICES, TCP
from flowwarden.records.columnar.group_by import Groups
from flowwarden.records.columnar.tokenizer import Integers, Mask

type EdgeContacts = Mapping[int, Mapping[Edge, Integers]]
"""Contact numbers, by interface index and edge."""


class NewContacts(Mapping[int, Mapping[Edge, Integers]]):
    """The contacts of some edges, as `EdgeContacts`.

    While roles are learned, nearly all edges are new, and most are never accessed. So restrict them with
    `those` before a loop: that costs no call per edge.
    """

    def __init__(self, edges: Edges, are: Mask) -> None:
        """Take all edges of a batch, and which of them are meant."""
        self.edges = edges
        self.are = are
        (self._numbers,) = are.nonzero()
        self._places = edges.owners[self._numbers]

    def those(self, wanted: Mask) -> NewContacts:
        """The contacts of the edges that are set in the mask, which has an element for each edge."""
        return NewContacts(self.edges, self.are & wanted)

    def where(self, wanted: Callable[[Edge], bool]) -> NewContacts:
        """The contacts of the edges that are wanted; `wanted` may be called for other edges, too."""
        return self.those(self.edges.are(wanted)) if len(self._numbers) else self

    def __getitem__(self, place: int) -> Mapping[Edge, Integers]:
        begin, end = self._places.searchsorted([place, place + 1]).tolist()
        if begin == end:
            raise KeyError(place)
        numbers = self._numbers[begin:end].tolist()
        return _ByEdge(self.edges, dict(zip(map(self.edges.key, numbers), numbers, strict=True)))

    def __iter__(self) -> Iterator[int]:
        return iter(self._distinct)

    def __len__(self) -> int:
        return len(self._distinct)

    @cached_property
    def _distinct(self) -> Mapping[int, None]:
        return dict.fromkeys(self._places.tolist())


class _ByEdge(Mapping[Edge, Integers]):
    """The contacts of some edges, computed on access."""

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

    There is one look-up for all interfaces of a role and day, because they have the same baseline.

    Args:
        contacts: of a batch.
        profiles: the usual behavior, by interface index.
    """
    edges = contacts.edges
    are = np.zeros(len(edges), bool)
    for profile, numbers in _by_baseline(edges, profiles) if len(edges) else ():
        are[numbers[profile.new_among(edges.fingerprints[numbers])]] = True
    return NewContacts(edges, are)


def _by_baseline(edges: Edges, profiles: Mapping[int, RoleProfile]) -> Iterator[tuple[RoleProfile, Integers]]:
    """A profile of each baseline, and the numbers of the edges at its interfaces."""
    alike, group_of = _alike(profiles, edges.places)
    if len(alike) == 1:
        yield alike[0], np.arange(len(edges))
        return
    groups = Groups(group_of[edges.owners])
    for group, number in enumerate(groups.keys.tolist()):
        yield alike[number], groups.members(group)


def _alike(profiles: Mapping[int, RoleProfile], places: int) -> tuple[list[RoleProfile], Integers]:
    """A profile of each baseline, and for each interface index the position of its one."""
    found: dict[tuple[str, int, bool], RoleProfile] = {}
    numbers: dict[tuple[str, int, bool], int] = {}
    group_of = np.zeros(places, np.int64)
    for place, profile in profiles.items():
        key = profile.role, profile.day, profile.baseline is None
        found.setdefault(key, profile)
        group_of[place] = numbers.setdefault(key, len(numbers))
    return [*found.values()], group_of


def of_internet(new: NewContacts) -> NewContacts:
    """The new contacts over TCP with the internet, which several detectors inspect."""
    return new.where(lambda each: each.peer == PeerClass.INTERNET and each.protocol == TCP)


def watched_contacts(
    contacts: Contacts, profiles: Mapping[int, RoleProfile], new: NewContacts, are_bursts: Mask | None = None
) -> EdgeContacts:
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
        edge, place = edges.key(number), int(edges.owners[number])
        if _is_watched(edge, profiles[place], is_new=bool(new.are[number])):
            found[place][edge] = _watched(contacts, edge, edges.of(number))
    for number in edges.those(_is_database) if are_bursts is not None else ():
        edge, place, here = edges.key(number), int(edges.owners[number]), edges.of(number)
        sudden = here[are_bursts[here]] if are_bursts is not None else here
        if len(sudden) and not profiles[place].learning and not new.are[number]:
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
