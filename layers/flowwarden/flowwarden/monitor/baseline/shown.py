"""Shown edges: the edges of a role that the report on learning lists, as numbers that can be decoded.

The other sets of a baseline contain hashes, which only show whether an edge was seen. The report needs the
edge itself, for administration, services that the internet reaches, ports at which passwords may be guessed,
outbound ports, and refused connections. These few edges are stored a second time, in the same item, so that
they cost no additional write.
"""

from __future__ import annotations

from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import Final

from flowwarden.monitor.baseline.baseline import Edge, EdgeDirection
from flowwarden.network.addresses import PeerClass
from flowwarden.network.services import ADMIN_PORTS, DATABASE_PORTS

OUTSIDE: Final = frozenset({PeerClass.INTERNET, PeerClass.PARTNER})
"""Peers whose contacts with administration and database ports are shown."""
EXPOSED: Final = ADMIN_PORTS | DATABASE_PORTS
"""Ports that the internet should not reach, and at which hosts guess passwords."""

_DIRECTIONS: Final[tuple[EdgeDirection, ...]] = ("in", "out", "refused")
_PEERS: Final = {
    PeerClass.PARTNER: 1, PeerClass.AWS_SERVICE: 2, PeerClass.INTERNET: 3, PeerClass.LOCAL: 4,
}  # fmt: skip
"""The numbers of the classes, which are stored, so they must not change."""
_CLASSES: Final = {number: each.value for each, number in _PEERS.items()}
_CLASS, _IPV4, _IPV6 = range(3)
"""Kinds of peers."""
_KIND_BITS, _PORT_BITS, _PROTOCOL_BITS, _DIRECTION_BITS = 2, 16, 8, 2
_IPV4_BYTES, _IPV6_BYTES = 3, 8
"""Bytes of the network part of a peer: /24 and /64."""


def number_of(edge: Edge) -> int | None:
    """The number of an edge; None if the edge is not shown."""
    peer = _peer_number(edge.peer) if _is_shown(edge) else None
    if peer is None or not (0 <= edge.port < 1 << _PORT_BITS and 0 <= edge.protocol < 1 << _PROTOCOL_BITS):
        return None
    number = peer << _PORT_BITS | edge.port
    number = number << _PROTOCOL_BITS | edge.protocol
    return number << _DIRECTION_BITS | _DIRECTIONS.index(edge.direction)


def edge_of_number(number: int) -> Edge | None:
    """The edge with this number; None if there is none, as in an item of another version."""
    number, direction = number >> _DIRECTION_BITS, number & (1 << _DIRECTION_BITS) - 1
    number, protocol = number >> _PROTOCOL_BITS, number & (1 << _PROTOCOL_BITS) - 1
    peer, port = number >> _PORT_BITS, number & (1 << _PORT_BITS) - 1
    name = _peer_name(peer)
    if name is None or direction >= len(_DIRECTIONS):
        return None
    return Edge(_DIRECTIONS[direction], protocol, port, name)


@lru_cache(maxsize=2**14)
def network_number(network: str) -> int | None:
    """The number of a network, see `peers.network_of`; None if the text is not a network."""
    return _peer_number(network) if "/" in network else None


def network_name(number: int) -> str | None:
    """The network with this number; None if no network has it."""
    name = _peer_name(number)
    return name if name and "/" in name else None


def _is_shown(edge: Edge) -> bool:
    if edge.direction == "refused":
        return True
    if edge.direction == "in":
        return edge.peer in OUTSIDE and edge.port in EXPOSED
    return edge.peer == PeerClass.INTERNET or edge.port in EXPOSED


def _peer_number(peer: str) -> int | None:
    if peer in _PEERS:
        return _PEERS[PeerClass(peer)] << _KIND_BITS | _CLASS
    address = peer.partition("/")[0]
    family, size, kind = (AF_INET6, _IPV6_BYTES, _IPV6) if ":" in address else (AF_INET, _IPV4_BYTES, _IPV4)
    try:
        packed = inet_pton(family, address)
    except OSError:  # the edge does not stand for a contact, such as `PINGS`
        return None
    return int.from_bytes(packed[:size]) << _KIND_BITS | kind


def _peer_name(number: int) -> str | None:
    value, kind = number >> _KIND_BITS, number & (1 << _KIND_BITS) - 1
    if kind == _CLASS:
        return _CLASSES.get(value)
    if kind == _IPV4 and value < 1 << 8 * _IPV4_BYTES:
        return f"{inet_ntop(AF_INET, value.to_bytes(_IPV4_BYTES) + bytes(1))}/24"
    if kind == _IPV6 and value < 1 << 8 * _IPV6_BYTES:
        return f"{inet_ntop(AF_INET6, value.to_bytes(_IPV6_BYTES).ljust(16, bytes(1)))}/64"
    return None
