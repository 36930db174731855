"""The initiator: who opened the conversation that a flow is part of.

The side does not tell: a web server's answers are egress flows. The ladder in `_LADDER` goes from what
proves to what suggests; the first rung that decides is the answer.

Sources: AWS on `tcp-flags` (values are ORed over the window; 18 is a SYN-ACK and marks the responder),
and measurements on synthetic traffic for the confidences: a service port on exactly one end is right in
97.6-98.8 % of flows, the lower port in 90.3-91.7 %.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from enum import StrEnum

from msgspec import Struct

from flowwarden.network.ports import ICMP, ICMPV6, SERVICE_NAMES, TCP, is_client_port
from flowwarden.records.model import Action, Flow

SYN, SYN_ACK = 2, 18
"""`tcp-flags` bits: the bit 16 is only ever logged as part of a SYN-ACK."""


class Initiator(StrEnum):
    """Which end of the flow opened the conversation."""

    SOURCE = "source"
    DESTINATION = "destination"
    UNKNOWN = "unknown"


class Evidence(StrEnum):
    """What decided about the initiator."""

    TCP_FLAGS = "the record's tcp-flags"
    REVERSE_TCP_FLAGS = "the tcp-flags of the reverse flow"
    LISTENER = "an endpoint that answered with SYN-ACK"
    REJECTED = "rejected, with no accepted flow the other way"
    REPLY_REJECTED = "rejected, while the other way was accepted"
    SERVICE_PORT = "a well-known service port on one end only"
    LOWER_PORT = "the lower port"
    STALE = "rejected without a SYN: a leftover of an expired connection"
    NONE = "nothing tells"


class Verdict(Struct, frozen=True):
    """An answer about the initiator, 0 ≤ confidence ≤ 1."""

    initiator: Initiator
    confidence: float
    evidence: Evidence


_UNKNOWN = Verdict(Initiator.UNKNOWN, 0.0, Evidence.NONE)


type _Tuple = tuple[str, str, int | None, int | None, int | None]


class Neighbours:
    """What the flows of a batch tell about each other."""

    def __init__(self, flows: Iterable[Flow]) -> None:
        self.accepted: set[_Tuple] = set()
        self.flags: dict[_Tuple, int] = defaultdict(int)
        self.listeners: set[tuple[str, int | None]] = set()
        for flow in flows:
            self._learn(flow)

    def _learn(self, flow: Flow) -> None:
        key = _tuple(flow)
        if flow.action is Action.ACCEPT:
            self.accepted.add(key)
        if flow.protocol == TCP and flow.tcp_flags:
            self.flags[key] |= flow.tcp_flags
            # Only a SYN-ACK proves a listener: a SYN or a REJECT shows a wish to connect.
            if flow.tcp_flags & SYN_ACK == SYN_ACK:
                self.listeners.add((source(flow), flow.srcport))


def initiator_of(flow: Flow, neighbours: Neighbours) -> Verdict:
    """Who started it, by the first rung of the ladder that tells."""
    return next((verdict for rung in _LADDER if (verdict := rung(flow, neighbours))), _UNKNOWN)


def source(flow: Flow) -> str:
    """The address that the packets came from."""
    return flow.pkt_srcaddr or flow.srcaddr


def destination(flow: Flow) -> str:
    """The address that the packets were sent to."""
    return flow.pkt_dstaddr or flow.dstaddr


def _tuple(flow: Flow) -> _Tuple:
    return (source(flow), destination(flow), flow.srcport, flow.dstport, flow.protocol)


def _reverse(flow: Flow) -> _Tuple:
    return (destination(flow), source(flow), flow.dstport, flow.srcport, flow.protocol)


def _from_flags(flags: int) -> Initiator:
    if flags & SYN_ACK == SYN_ACK:
        return Initiator.DESTINATION
    return Initiator.SOURCE if flags & SYN else Initiator.UNKNOWN


def _by_flags(flow: Flow, _neighbours: Neighbours) -> Verdict | None:
    initiator = _from_flags(flow.tcp_flags or 0) if flow.protocol == TCP else Initiator.UNKNOWN
    return None if initiator is Initiator.UNKNOWN else Verdict(initiator, 0.99, Evidence.TCP_FLAGS)


def _by_reverse_flags(flow: Flow, neighbours: Neighbours) -> Verdict | None:
    if flow.protocol != TCP:
        return None
    match _from_flags(neighbours.flags.get(_reverse(flow), 0)):
        case Initiator.SOURCE:
            return Verdict(Initiator.DESTINATION, 0.99, Evidence.REVERSE_TCP_FLAGS)
        case Initiator.DESTINATION:
            return Verdict(Initiator.SOURCE, 0.99, Evidence.REVERSE_TCP_FLAGS)
        case _:
            return None


def _by_listener(flow: Flow, neighbours: Neighbours) -> Verdict | None:
    if flow.protocol != TCP:
        return None
    at_source = (source(flow), flow.srcport) in neighbours.listeners
    at_destination = (destination(flow), flow.dstport) in neighbours.listeners
    if at_source == at_destination:
        return None
    return Verdict(Initiator.DESTINATION if at_source else Initiator.SOURCE, 0.99, Evidence.LISTENER)


def _by_missing_syn(flow: Flow, _neighbours: Neighbours) -> Verdict | None:
    # Security groups forget idle connections; what is sent on one after that is rejected, and neither
    # end is opening anything. Earlier rungs took every record with a SYN.
    if flow.action is Action.REJECT and flow.protocol == TCP and flow.tcp_flags is not None:
        return Verdict(Initiator.UNKNOWN, 0.0, Evidence.STALE)
    return None


def _by_absent_ports(flow: Flow, _neighbours: Neighbours) -> Verdict | None:
    # ICMP logs ports 0, and two equal ports (NTP, IKE, VXLAN) tell nothing: an echo reply looks as its
    # request does.
    if flow.protocol in (ICMP, ICMPV6) or flow.srcport == flow.dstport:
        return _UNKNOWN
    return None


def _by_service_port(flow: Flow, _neighbours: Neighbours) -> Verdict | None:
    if flow.srcport is None or flow.dstport is None:
        return None
    if flow.dstport in SERVICE_NAMES and is_client_port(flow.srcport):
        return Verdict(Initiator.SOURCE, 0.95, Evidence.SERVICE_PORT)
    if flow.srcport in SERVICE_NAMES and is_client_port(flow.dstport):
        return Verdict(Initiator.DESTINATION, 0.95, Evidence.SERVICE_PORT)
    return None


def _by_rejection(flow: Flow, neighbours: Neighbours) -> Verdict | None:
    if flow.action is not Action.REJECT:
        return None
    if _reverse(flow) in neighbours.accepted:
        # A request that came through and whose answer did not: a network ACL, which keeps no state.
        return Verdict(Initiator.DESTINATION, 0.95, Evidence.REPLY_REJECTED)
    return Verdict(Initiator.SOURCE, 0.97, Evidence.REJECTED)


def _by_lower_port(flow: Flow, _neighbours: Neighbours) -> Verdict | None:
    if flow.srcport is None or flow.dstport is None:
        return None
    lower = Initiator.DESTINATION if flow.srcport < flow.dstport else Initiator.SOURCE
    return Verdict(lower, 0.6, Evidence.LOWER_PORT)


_LADDER: tuple[Callable[[Flow, Neighbours], Verdict | None], ...] = (
    _by_flags,
    _by_reverse_flags,
    _by_listener,
    _by_missing_syn,
    _by_absent_ports,
    # Before the REJECT itself: a late answer from a DNS or web server is rejected when the connection
    # has been forgotten, and its source port says that it opened nothing.
    _by_service_port,
    _by_rejection,
    _by_lower_port,
)
"""From what proves to what suggests; the first answer counts."""
