"""Peers: how a baseline classifies the far end of a contact."""

from __future__ import annotations

from functools import lru_cache
from socket import AF_INET6, inet_ntop, inet_pton
from typing import Final

from flowwarden.monitor.baseline.baseline import Edge
from flowwarden.network.addresses import CLASSES, PeerClass
from flowwarden.network.direction import OWN, DirectedFlow
from flowwarden.network.initiator import Initiator
from flowwarden.network.services import EPHEMERAL
from flowwarden.records.model import FlowDirection

DYNAMIC: Final = EPHEMERAL
"""Baselines treat all service ports from this one upward as one: RPC and similar services use changing
ports."""

_IPV6_BITS: Final = 64


def peer_of(address: str, peer_class: int) -> str:
    """The peer of a far end: the /24 or /64 network of an internal address, otherwise its class.

    Subnets in VPCs are typically of that size, and the hosts in a subnet are of one kind. Internet addresses
    are never stored individually: there are too many, and the individual address carries no information.
    """
    return network_of(address) if peer_class == OWN else CLASSES[peer_class].value


def class_of(peer: str) -> PeerClass:
    """The class of a peer."""
    return PeerClass.OWN if "/" in peer else PeerClass(peer)


@lru_cache(maxsize=2**14)
def network_of(address: str) -> str:
    """The /24 or /64 network of an address."""
    if ":" in address:
        prefix = inet_pton(AF_INET6, address)[: _IPV6_BITS // 8]
        return f"{inet_ntop(AF_INET6, prefix.ljust(16, bytes(1)))}/{_IPV6_BITS}"
    return f"{address.rpartition('.')[0]}.0/24"


def edge_of(directed: DirectedFlow) -> Edge | None:
    """The edge of the contact that a flow belongs to, from the view of the interface that logged it.

    None if the record contains no protocol or no service port.
    """
    if directed.flow.protocol is None or directed.service_port is None:
        return None
    by_source = directed.verdict.initiator is not Initiator.DESTINATION
    inbound = (directed.side is FlowDirection.INGRESS) == by_source
    far, far_class = (
        (directed.client, directed.client_class) if inbound else (directed.server, directed.server_class)
    )
    port = min(directed.service_port, DYNAMIC)
    return Edge(
        "in" if inbound else "out", directed.flow.protocol, port, peer_of(far, CLASSES.index(far_class))
    )
