"""The question that a finding asks: which packet was rejected, and at which interface. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network
from typing import Final

from msgspec import Struct

from flowwarden.monitor.rules.ports import Attached
from flowwarden.monitor.traffic.hosts import known_id
from flowwarden.monitor.traffic.reject_cause import REASONS, WORDS, cause_of
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.initiator import Initiator
from flowwarden.network.interface import NetworkInterface
from flowwarden.network.rules.model import (
    ANY_ICMP,
    ANY_PORT,
    EPHEMERAL,
    Direction,
    End,
    Packet,
    Place,
    Span,
    address_of,
)
from flowwarden.network.rules.verdict import Rejected
from flowwarden.network.services import ICMP, ICMPV6
from flowwarden.records.model import FlowDirection

_OTHERS: Final = frozenset(REASONS.values())
"""Causes that records name and that are no rules."""
_DIRECTIONS: Final = {FlowDirection.INGRESS: Direction.INBOUND, FlowDirection.EGRESS: Direction.OUTBOUND}


class Question(Struct, frozen=True, kw_only=True):
    """A packet that was rejected, and the interface that logged it."""

    interface_id: str
    vpc_id: str
    """'' if the record does not contain it."""
    request: Packet
    direction: Direction
    is_reply: bool
    far: str
    """The address of the far end."""
    far_is_public: bool
    """Whether the far end is certainly outside the VPC."""

    def rejected(self, here: Attached, far: Attached | None, vpc_cidrs: Sequence[str]) -> Rejected:
        """The rejected packet.

        Args:
            here: the interface that logged it.
            far: the interface at the far end; None if there is none in the VPC, or it is not known.
            vpc_cidrs: networks of the VPC; empty if they are not known.
        """
        own, other = _end(here.interface), self._far_end(far, vpc_cidrs)
        leaves_source = (self.direction is Direction.OUTBOUND) is not self.is_reply
        return Rejected(
            request=self.request,
            source=own if leaves_source else other,
            destination=other if leaves_source else own,
            direction=self.direction,
            is_reply=self.is_reply,
        )

    def _far_end(self, far: Attached | None, vpc_cidrs: Sequence[str]) -> End:
        if far is not None:
            return _end(far.interface)
        outside = self.far_is_public or (vpc_cidrs and not any(_is_in(self.far, each) for each in vpc_cidrs))
        return End(place=Place.OUTSIDE if outside else Place.UNKNOWN)


def question_of(example: DirectedFlow) -> Question | str:
    """The question about a rejected flow; the reason if its record does not contain enough."""
    cause = cause_of(example)
    if cause in _OTHERS:
        return f"the record states another cause: {WORDS[cause]}"
    interface_id, direction = known_id(example.flow.interface_id), _direction(example)
    if interface_id is None:
        return "the record does not contain the interface"
    if direction is None:
        return "the record does not show the direction"
    if example.flow.protocol is None:
        return "the record does not contain the protocol"
    is_reply = example.verdict.initiator is Initiator.DESTINATION
    far_is_client = (direction is Direction.INBOUND) is not is_reply
    far_class = example.client_class if far_is_client else example.server_class
    try:
        request = _request(example, example.flow.protocol)
    except ValueError:
        return "the record does not contain valid addresses"
    return Question(
        interface_id=interface_id,
        vpc_id=known_id(example.flow.vpc_id) or "",
        request=request,
        direction=direction,
        is_reply=is_reply,
        far=str(request.source if far_is_client else request.destination),
        far_is_public=far_class in {PeerClass.INTERNET, PeerClass.AWS_SERVICE},
    )


def _direction(example: DirectedFlow) -> Direction | None:
    return None if example.side is None else _DIRECTIONS[example.side]


def _request(example: DirectedFlow, protocol: int) -> Packet:
    """The request of the flow's connection. Raises ValueError."""
    is_icmp = protocol in {ICMP, ICMPV6}
    return Packet(
        source=address_of(example.client),
        destination=address_of(example.server),
        protocol=protocol,
        source_ports=ANY_ICMP if is_icmp else _span(example.client_port, EPHEMERAL),
        ports=ANY_ICMP if is_icmp else _span(example.service_port, ANY_PORT),
    )


def _span(port: int | None, unknown: Span) -> Span:
    return unknown if port is None else Span(port, port)


def _end(interface: NetworkInterface) -> End:
    return End(
        place=Place.INTERFACE,
        interface_id=interface.interface_id,
        groups=interface.security_groups,
        subnet=interface.subnet_id,
    )


def _is_in(address: str, cidr: str) -> bool:
    network, host = ip_network(cidr), address_of(address)
    return host.version == network.version and host in network
