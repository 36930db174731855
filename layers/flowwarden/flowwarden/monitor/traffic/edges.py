"""Contacts by interface and edge, as baselines distinguish them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial
from itertools import compress, count, starmap
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from flowwarden.monitor.baseline.baseline import Edge, EdgeDirection
from flowwarden.monitor.baseline.peers import DYNAMIC, network_of
from flowwarden.network.addresses import CLASSES
from flowwarden.network.direction import OWN, Directions
from flowwarden.records.columnar.group_by import Groups, packed
from flowwarden.records.columnar.tokenizer import Integers, Mask
from flowwarden.state.sets import fingerprint

_WAYS: Final[tuple[EdgeDirection, EdgeDirection]] = "out", "in"
"""Indexed by whether an edge is inbound."""
_EDGE: Final = partial(tuple.__new__, Edge)
"""Equivalent to `Edge._make`, without a Python call per edge."""
_CLASS_NAMES: Final = tuple(each.value for each in CLASSES)


class Places(Protocol):
    """An interface for each row of a batch, as a number from 0."""

    of_row: Integers

    def __len__(self) -> int: ...


class Edges:
    """The contacts with a known outcome, by interface and edge."""

    def __init__(
        self,
        distinct: Sequence[Edge],
        numbers: Sequence[int],
        begins: Sequence[int],
        groups: Groups,
        contacts: Integers,
    ) -> None:
        """Take the edges, grouped by interface.

        Args:
            distinct: the edges of all interfaces, each once.
            numbers: for each interface and each of its edges, the index of the edge in `distinct`.
            begins: where the edges of each interface begin, and where those of the last one end.
            groups: the contacts of each edge of an interface.
            contacts: the numbers of these contacts.
        """
        self._distinct = distinct
        self._numbers = numbers
        self._begins = begins
        self._groups = groups
        self._contacts = contacts

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def places(self) -> int:
        """The number of interfaces."""
        return len(self._begins) - 1

    def key(self, number: int) -> Edge:
        """The edge with this number."""
        return self._distinct[self._numbers[number]]

    @cached_property
    def keys(self) -> list[Edge]:
        """The edges."""
        return [*map(self._distinct.__getitem__, self._numbers)]

    @cached_property
    def fingerprints(self) -> Integers:
        """The fingerprints of the edges, by which baselines identify them."""
        return np.array([*starmap(fingerprint, self._distinct)], np.int64)[self._of_distinct]

    @cached_property
    def _of_distinct(self) -> Integers:
        return np.array(self._numbers, np.int64)

    @cached_property
    def owners(self) -> Integers:
        """The interface of each edge; ascending."""
        begins = np.array(self._begins, np.int64)
        return np.arange(self.places).repeat(begins[1:] - begins[:-1])

    def are(self, wanted: Callable[[Edge], bool]) -> Mask:
        """Which edges are wanted; `wanted` is called once for an edge of several interfaces."""
        return np.array([*map(wanted, self._distinct)], bool)[self._of_distinct]

    def those(self, wanted: Callable[[Edge], bool]) -> list[int]:
        """The numbers of the wanted edges; `wanted` is called once for an edge of several interfaces."""
        chosen = [*map(wanted, self._distinct)]
        return [*compress(count(), map(chosen.__getitem__, self._numbers))] if any(chosen) else []

    def distinct(self, numbers: Iterable[int]) -> set[Edge]:
        """The edges with these numbers; one that several interfaces have occurs once."""
        places = {*map(self._numbers.__getitem__, numbers)}
        return {*map(self._distinct.__getitem__, places)}

    def at(self, interface: int) -> slice:
        """The edges of an interface."""
        return slice(self._begins[interface], self._begins[interface + 1])

    def numbers_at(self, interface: int) -> range:
        """The numbers of the edges of an interface."""
        return range(self._begins[interface], self._begins[interface + 1])

    def of(self, number: int) -> Integers:
        """The contacts of an edge."""
        return self._contacts[self._groups.members(number)]

    def any(self, of_contact: Mask) -> Mask:
        """Which edges have a contact that is set in the mask, which has an element for each contact."""
        return self._groups.any(of_contact[self._contacts])


def edges_of(
    directions: Directions, interfaces: Places, rows: Integers, inbound: Mask, contacts: Integers
) -> Edges:
    """The edges of some contacts.

    Args:
        directions: of the batch.
        interfaces: the interface of each row, such as an `InterfaceIndex`.
        rows: a row of each contact.
        inbound: whether each contact was logged at the server's interface.
        contacts: their numbers.
    """
    far = np.where(inbound, directions.client[rows], directions.server[rows])
    classes = np.where(inbound, directions.client_class[rows], directions.server_class[rows])
    names, peers = _peers(directions, far, classes)
    flows = directions.traffic.flows
    columns: list[NDArray[Any]] = [inbound.astype(np.int64), flows["protocol"][rows]]
    columns += [np.minimum(directions.service_port[rows], DYNAMIC), peers]
    kinds = Groups(packed(columns, [2, 2**8, 2**16, len(names)]))
    ways, protocols, ports, peers_of = (column[kinds.rows].tolist() for column in columns)
    parts = map(_WAYS.__getitem__, ways), protocols, ports, map(names.__getitem__, peers_of)
    distinct = [*map(_EDGE, zip(*parts, strict=True))]
    if len(interfaces) == 1:
        return Edges(distinct, range(len(distinct)), (0, len(distinct)), kinds, contacts)
    places = interfaces.of_row[rows]
    alike = Groups(packed([places, kinds.numbers], [len(interfaces), len(kinds)]))
    begins = np.searchsorted(places[alike.rows], np.arange(len(interfaces) + 1))
    return Edges(distinct, kinds.numbers[alike.rows].tolist(), begins.tolist(), alike, contacts)


def _peers(directions: Directions, ends: Integers, classes: Integers) -> tuple[list[str], Integers]:
    """The distinct peers, and the index of each far end's peer."""
    (own,) = (classes == OWN).nonzero()
    mine, texts = ends[own], directions.traffic.flows.texts
    numbers = np.array(sorted(set(mine.tolist())), mine.dtype)
    networks = [*map(network_of, map(texts.__getitem__, numbers.tolist()))]
    names = [*_CLASS_NAMES, *dict.fromkeys(networks)]
    places = dict(zip(names, count(), strict=False))
    of_number = np.array([*map(places.__getitem__, networks)], np.int64)
    peers = classes.copy()
    peers[own] = of_number[numbers.searchsorted(mine)]
    return names, peers
