"""Baselines: the usual contacts of the interfaces of a role.

An edge is a direction, a protocol, a service port and the kind of the far end. It is learned from answered
contacts, on the day of the traffic, and is usual once it was seen on `DAYS_SEEN` earlier days. So an
intruder's successful contacts must go undetected for two days before they count as usual. Failed attempts are
never learned as usual contacts; attempts that rules reject are learned separately, as refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flowwarden.network.addresses import PeerClass
from flowwarden.network.services import ADMIN_PORTS, DATABASE_PORTS, ICMP, TCP
from flowwarden.records.columnar.tokenizer import Integers
from flowwarden.state.schema import BASELINES, DAYS_READ
from flowwarden.state.sets import BUCKETS, Sets, bucket, fingerprint

DAYS_SEEN: Final = 2
"""Distinct days before an edge is usual. With one day, every incident would be usual on the day after it."""
LEARNING_DAYS: Final = 14
"""Days for which a role is learned: two weeks contain each day of the week twice. Before that, most behavior
looks new."""
DAYS_LEARNED: Final = 7
"""Distinct days with learned edges before a role counts as learned, so that a single day two weeks ago is not
enough. A role that is active on weekdays has ten in two weeks."""

EDGES, REFUSED, SHOWN = BASELINES.sets


class Edge(NamedTuple):
    """A kind of contact of a host, as far as a baseline distinguishes it."""

    direction: EdgeDirection
    protocol: int
    port: int
    """The service port."""
    peer: str
    """The kind of the far end; see `peers.peer_of`."""


type EdgeDirection = Literal["in", "out", "refused"]
"""Whether others connect to the host, the host connects to others, or it tries to and rules reject it."""
type EdgeKind = tuple[object, ...]
"""A group of edges that share their first elements, or one of the kinds below."""
LISTENS: Final[EdgeKind] = ("in",)
GOES_OUT: Final[EdgeKind] = ("out", PeerClass.INTERNET)
"""All edges to the internet, on any protocol and port."""


PRESENT: Final = Edge("in", 0, 0, "")
"""Learned for a VPC on every other day with learned edges: it shows how old the VPC is."""
MEASURED: Final = Edge("out", 0, 0, PeerClass.AWS_SERVICE)
"""Learned for a role on each day on which its uploads to AWS services and its bursts of small sessions are
learned. Without it, days of an earlier version, which learned neither, would look as if there were none."""
PINGS: Final = Edge("out", ICMP, 0, "silent addresses")
"""Learned for a role whose hosts ping many addresses that do not reply, as monitoring does."""


def bursts_of(edge: Edge) -> Edge:
    """Learned for a role whose hosts open many small sessions at once over an edge to an internal network."""
    return edge._replace(peer=f"bursts {bucket(edge.peer)}")


def guessed_at(port: int, host: str = "") -> Edge:
    """Learned for a role if internet hosts guess passwords at its TCP port, as they do at every open one.

    It is learned for the role, and for each of its hosts.
    """
    return Edge("in", TCP, port, f"guesses {bucket(host)}" if host else "guesses")


def shows_presence(day: int) -> bool:
    """Whether `PRESENT` is stored on a day (since 1970): it costs a write, and every other day is enough."""
    return day % 2 == 1


class Baseline:
    """The behavior of a role that was learned before a day.

    Stored as one sorted array of fingerprints with the number of days and the first day of each, 10 bytes per
    edge: a month of a role has tens of thousands of edges, most of them recurring, and a container knows many
    roles.
    """

    def __init__(self, day: int, seen: Mapping[int, Collection[int]], *, refuses: bool = False) -> None:
        """Take the day (since 1970), and the fingerprints of edges by day, for earlier days."""
        self.refuses = refuses
        """Whether it contains any refused edge."""
        days = sorted(seen)
        self.day = day
        # An edge and the number of its day are one number, so after sorting the first day of each edge is
        # first.
        bits = len(days).bit_length()
        every = np.concatenate(
            [_NONE, *(_numbers(seen[each], number, bits) for number, each in enumerate(days))]
        )
        every.sort()
        edges = every >> bits
        (starts,) = np.diff(edges, prepend=-1).nonzero()
        self._edges: Integers = edges[starts]
        self._days: NDArray[np.uint8] = np.diff(starts, append=len(edges)).astype(np.uint8)
        ages = np.array([day - each for each in days], np.int64).astype(np.uint8)
        self._ages: NDArray[np.uint8] = ages[every[starts] & (1 << bits) - 1]
        self._learned = len(seen)
        self._first = min(seen, default=day)

    @property
    def learning(self) -> bool:
        """Whether the role is too young for new behavior to be significant."""
        return self._learned < DAYS_LEARNED or self.day - self._first < LEARNING_DAYS

    @property
    def first(self) -> int:
        """The first day with learned edges; the baseline's own day if there is none."""
        return self._first

    @property
    def days(self) -> int:
        """The number of days with learned edges."""
        return self._learned

    @property
    def can_be_usual(self) -> bool:
        """Whether the role is old enough for any behavior to be usual; before that, all behavior is new."""
        return self._learned >= DAYS_SEEN

    @property
    def bytes(self) -> int:
        """The approximate size in memory, in bytes."""
        return int(_OBJECT + self._edges.nbytes + self._days.nbytes + self._ages.nbytes)

    def knows(self, edge: Edge | EdgeKind) -> bool:
        """Whether the edge is usual for the role."""
        return self.days_of(edge) >= DAYS_SEEN

    def new_among(self, edges: Sequence[int] | Integers) -> list[int]:
        """The positions of the edges, given by fingerprint, that are not usual for the role."""
        new: list[int] = (self._days_of(np.array(edges, np.int64)) < DAYS_SEEN).nonzero()[0].tolist()
        return new

    def days_of(self, edge: Edge | EdgeKind) -> int:
        """The number of days on which the edge was seen."""
        return self.days_of_all([edge])[0]

    def days_of_all(self, edges: Iterable[Edge | EdgeKind]) -> list[int]:
        """The number of days on which each of the edges was seen."""
        days: list[int] = self._days_of(np.array([fingerprint(*edge) for edge in edges], np.int64)).tolist()
        return days

    @cached_property
    def days_serving(self) -> Mapping[int, int]:
        """The number of days on which the role served each kind of database, by port."""
        days = self.days_of_all(("in", TCP, port) for port in DATABASE_PORTS)
        return dict(zip(DATABASE_PORTS, days, strict=True))

    @cached_property
    def only_listens(self) -> bool:
        """Whether the role usually answers others and never connects to the internet."""
        listens, goes_out = self.days_of_all((LISTENS, GOES_OUT))
        return listens >= DAYS_SEEN > goes_out

    def age_of(self, edge: Edge | EdgeKind) -> int:
        """The number of days since the edge was first seen; 0 if it was not."""
        return int(self._of(self._ages, np.array([fingerprint(*edge)], np.int64))[0])

    def days_of_networks(self, protocol: int, port: int) -> list[int]:
        """For each network that was administered on at least `DAYS_SEEN` days, the number of these days."""
        days = self._days_of(_networks(protocol, port))
        usual: list[int] = days[days >= DAYS_SEEN].tolist()
        return usual

    def _days_of(self, edges: Integers) -> Integers:
        return self._of(self._days, edges)

    def _of(self, values: NDArray[np.uint8], edges: Integers) -> Integers:
        """The values of these edges; 0 for unknown ones."""
        if not len(self._edges):
            return np.zeros(len(edges), np.int64)
        places = np.minimum(self._edges.searchsorted(edges), len(self._edges) - 1)
        return np.where(self._edges[places] == edges, values[places], 0)


def _numbers(edges: Collection[int], day: int, bits: int) -> Integers:
    """Each edge, shifted by `bits`, plus the number of a day."""
    numbers = np.fromiter(edges, np.int64, len(edges))
    numbers <<= bits
    numbers += day
    return numbers


_NONE: Final = np.empty(0, np.int64)
_OBJECT: Final = 600
"""Bytes of a baseline without its edges."""


def refused(edge: Edge) -> Edge:
    """The refused edge for an outbound edge: rejected attempts are learned apart from what works."""
    return edge._replace(direction="refused")


def kinds_of(edge: Edge) -> list[EdgeKind]:
    """The kinds of an edge: the service on any host; listening, going out, administering a network."""
    if edge.direction == "out" and edge.port in ADMIN_PORTS and "/" in edge.peer:
        return [administers_network(edge.protocol, edge.port, bucket(edge.peer))]
    kinds: list[EdgeKind] = [edge[:-1]]
    if edge.direction == "in":
        kinds.append(LISTENS)
    elif edge.peer == PeerClass.INTERNET:
        kinds.append(GOES_OUT)
    return kinds


def administers_network(protocol: int, port: int, network: int) -> EdgeKind:
    """The kind of edges to an administration port in a network, by the bucket of the network."""
    return "administers", protocol, port, network


@lru_cache(maxsize=64)
def _networks(protocol: int, port: int) -> Integers:
    """The fingerprints of all kinds of `administers_network`. Cached, because hashing is slow."""
    kinds = (administers_network(protocol, port, network) for network in range(BUCKETS))
    return np.array(sorted(fingerprint(*each) for each in kinds), np.int64)


def keys_before(role: str, day: int) -> dict[str, int]:
    """The keys of the items that count on a day, with their days (since 1970)."""
    return {BASELINES.key_of(role, before): before for before in range(day - DAYS_READ, day)}


def baseline(day: int, keys: Mapping[str, int], items: Mapping[str, Sets]) -> Baseline:
    """The baseline of a day, built from items.

    Args:
        day: days since 1970.
        keys: the days of the items, by key; see `keys_before`.
        items: the items that exist, by key.
    """
    seen = {keys[key]: _union(sets) for key, sets in items.items()}
    refuses = any(sets.get(REFUSED) for sets in items.values())
    return Baseline(day, {before: edges for before, edges in seen.items() if edges}, refuses=refuses)


def _union(sets: Sets) -> frozenset[int]:
    """All edges of an item. Most items have no refused ones, so their set needs no copy."""
    edges, rejected = (sets.get(name, frozenset[int]()) for name in (EDGES, REFUSED))
    return edges | rejected if rejected else edges
