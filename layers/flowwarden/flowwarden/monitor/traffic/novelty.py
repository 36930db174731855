"""New contacts: contacts of a batch that are not usual for the roles of the hosts at their interfaces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flowwarden.monitor.baseline.baseline import Edge
from flowwarden.monitor.baseline.profile import RoleProfile
from flowwarden.monitor.traffic.contacts import Contacts
from flowwarden.monitor.traffic.edges import Edges
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
