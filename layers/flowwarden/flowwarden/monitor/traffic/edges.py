"""Contacts by interface and edge: what baselines tell apart. Pure."""

from __future__ import annotations

from functools import cached_property, partial
from itertools import count
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from flowwarden.monitor.baseline.baseline import Edge, Way
from flowwarden.monitor.baseline.peers import DYNAMIC, network_of
from flowwarden.monitor.traffic.interface_index import InterfaceIndex
from flowwarden.network.addresses import CLASSES
from flowwarden.network.direction import OWN, Directions
from flowwarden.records.columnar.group_by import Groups, packed
from flowwarden.records.columnar.tokenizer import Integers, Mask

_WAYS: Final[tuple[Way, Way]] = "out", "in"
"""By whether an edge is inbound."""
_EDGE: Final = partial(tuple.__new__, Edge)
"""What `Edge._make` does, without a call of Python's for each edge."""
_CLASS_NAMES: Final = tuple(each.value for each in CLASSES)


class Edges:
    """The contacts that ended in some way, by interface and edge."""

    def __init__(self, keys: list[Edge], interfaces: Integers, groups: Groups, contacts: Integers) -> None:
        """Take the edges, those of an interface together.

        Args:
            keys: the edges.
            interfaces: the index of each one's interface, ascending.
            groups: the contacts of each edge.
            contacts: the numbers of these contacts.
        """
        self.keys = keys
        self._interfaces = interfaces
        self._groups = groups
        self._contacts = contacts

    def __len__(self) -> int:
        return len(self.keys)

    def at(self, interface: int) -> slice:
        """The edges of an interface."""
        begins = self._begins
        return slice(*begins[interface : interface + 2]) if interface + 1 < len(begins) else slice(0, 0)

    @cached_property
    def _begins(self) -> list[int]:
        """Where the edges of each interface begin, and those of the last one end."""
        count = int(self._interfaces[-1]) + 1 if len(self) else 0
        begins: list[int] = np.searchsorted(self._interfaces, np.arange(count + 1)).tolist()
        return begins

    def of(self, number: int) -> Integers:
        """The contacts of an edge."""
        return self._contacts[self._groups.members(number)]

    def any(self, of_contact: Mask) -> Mask:
        """Of which edges any contact has something; the mask has an element for each contact."""
        return self._groups.any(of_contact[self._contacts])


def edges_of(
    directions: Directions, interfaces: InterfaceIndex, rows: Integers, inbound: Mask, contacts: Integers
) -> Edges:
    """The edges of some contacts.

    Args:
        directions: of the batch.
        interfaces: of the batch.
        rows: a row of each contact.
        inbound: whether each contact was logged at the server's interface.
        contacts: their numbers.
    """
    far = np.where(inbound, directions.client[rows], directions.server[rows])
    classes = np.where(inbound, directions.client_class[rows], directions.server_class[rows])
    names, peers = _peers(directions, far, classes)
    flows = directions.traffic.flows
    columns: list[NDArray[Any]] = [interfaces.of_row[rows], inbound, flows["protocol"][rows]]
    columns += [np.minimum(directions.service_port[rows], DYNAMIC), peers]
    alike = Groups(packed(columns, [len(interfaces), 2, 2**8, 2**16, len(names)]))
    of_interface, *values = (column[alike.rows] for column in columns)
    ways, protocols, ports, peers_of = (each.tolist() for each in values)
    parts = map(_WAYS.__getitem__, ways), protocols, ports, map(names.__getitem__, peers_of)
    return Edges([*map(_EDGE, zip(*parts, strict=True))], of_interface, alike, contacts)


def _peers(directions: Directions, ends: Integers, classes: Integers) -> tuple[list[str], Integers]:
    """What the far ends are, each name once, and the number of each end's."""
    (own,) = (classes == OWN).nonzero()
    mine, texts = ends[own], directions.traffic.flows.texts
    numbers = sorted(set(mine.tolist()))
    networks = [*map(network_of, map(texts.__getitem__, numbers))]
    names = [*_CLASS_NAMES, *dict.fromkeys(networks)]
    places = dict(zip(names, count(), strict=False))
    of_number = np.array([*map(places.__getitem__, networks)], np.int64)
    peers = classes.copy()
    peers[own] = of_number[np.searchsorted(numbers, mine)]
    return names, peers
