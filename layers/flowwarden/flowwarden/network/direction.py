"""Side and initiator: two facts about a flow, each with its evidence.

The side (ingress or egress) says which end the interface is. The initiator says who opened the
conversation, which the side does not tell: a web server's answers are egress flows. The ladder in
`_LADDER` goes from what proves to what suggests; the first rung that decides is the answer.

Sources: AWS on `tcp-flags` (values are ORed over the window; 18 is a SYN-ACK and marks the responder),
and measurements on synthetic traffic for the confidences: a service port on exactly one end is right in
97.6-98.8 % of flows, the lower port in 90.3-91.7 %.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

from msgspec import Struct

from flowwarden.network.addresses import AddressBook, PeerClass, same_ipv6_vpc
from flowwarden.network.ports import ICMP, ICMPV6, SERVICE_NAMES, TCP, is_client_port
from flowwarden.records.model import Action, Flow, FlowDirection

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


class DirectedFlow(Struct, frozen=True, kw_only=True):
    """A flow with what is known about its direction.

    Addresses are those in the packets: where the record has `pkt-srcaddr`, a NAT gateway's or a node's
    own address does not hide the host behind it. While the initiator is unknown, the source stands as
    the client.
    """

    flow: Flow
    side: FlowDirection | None
    verdict: Verdict
    client: str
    """Address of the end that opened the conversation."""
    server: str
    client_class: PeerClass
    server_class: PeerClass
    client_port: int | None
    service_port: int | None

    @property
    def confidence(self) -> float:
        """How sure the initiator is: 0.95 and more may page."""
        return self.verdict.confidence


_UNKNOWN = Verdict(Initiator.UNKNOWN, 0.0, Evidence.NONE)


def resolve(flows: Sequence[Flow], book: AddressBook) -> list[DirectedFlow]:
    """Find side and initiator of each flow of a batch, from the record and its neighbours in the batch."""
    context = _Context(flows, book)
    return [_direct(flow, context) for flow in flows]


type _Tuple = tuple[str, str, int | None, int | None, int | None]


class _Context:
    """What the flows of a batch tell about each other."""

    def __init__(self, flows: Sequence[Flow], book: AddressBook) -> None:
        self.book = book
        self.own_addresses = _learn_own_addresses(flows, book)
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


def _by_flags(flow: Flow, _context: _Context) -> Verdict | None:
    initiator = _from_flags(flow.tcp_flags or 0) if flow.protocol == TCP else Initiator.UNKNOWN
    return None if initiator is Initiator.UNKNOWN else Verdict(initiator, 0.99, Evidence.TCP_FLAGS)


def _by_reverse_flags(flow: Flow, context: _Context) -> Verdict | None:
    if flow.protocol != TCP:
        return None
    match _from_flags(context.flags.get(_reverse(flow), 0)):
        case Initiator.SOURCE:
            return Verdict(Initiator.DESTINATION, 0.99, Evidence.REVERSE_TCP_FLAGS)
        case Initiator.DESTINATION:
            return Verdict(Initiator.SOURCE, 0.99, Evidence.REVERSE_TCP_FLAGS)
        case _:
            return None


def _by_listener(flow: Flow, context: _Context) -> Verdict | None:
    if flow.protocol != TCP:
        return None
    at_source = (source(flow), flow.srcport) in context.listeners
    at_destination = (destination(flow), flow.dstport) in context.listeners
    if at_source == at_destination:
        return None
    return Verdict(Initiator.DESTINATION if at_source else Initiator.SOURCE, 0.99, Evidence.LISTENER)


def _by_missing_syn(flow: Flow, _context: _Context) -> Verdict | None:
    # Security groups forget idle connections; what is sent on one after that is rejected, and neither
    # end is opening anything. Earlier rungs took every record with a SYN.
    if flow.action is Action.REJECT and flow.protocol == TCP and flow.tcp_flags is not None:
        return Verdict(Initiator.UNKNOWN, 0.0, Evidence.STALE)
    return None


def _by_absent_ports(flow: Flow, _context: _Context) -> Verdict | None:
    # ICMP logs ports 0, and two equal ports (NTP, IKE, VXLAN) tell nothing: an echo reply looks as its
    # request does.
    if flow.protocol in (ICMP, ICMPV6) or flow.srcport == flow.dstport:
        return _UNKNOWN
    return None


def _by_service_port(flow: Flow, _context: _Context) -> Verdict | None:
    if flow.srcport is None or flow.dstport is None:
        return None
    if flow.dstport in SERVICE_NAMES and is_client_port(flow.srcport):
        return Verdict(Initiator.SOURCE, 0.95, Evidence.SERVICE_PORT)
    if flow.srcport in SERVICE_NAMES and is_client_port(flow.dstport):
        return Verdict(Initiator.DESTINATION, 0.95, Evidence.SERVICE_PORT)
    return None


def _by_rejection(flow: Flow, context: _Context) -> Verdict | None:
    if flow.action is not Action.REJECT:
        return None
    if _reverse(flow) in context.accepted:
        # A request that came through and whose answer did not: a network ACL, which keeps no state.
        return Verdict(Initiator.DESTINATION, 0.95, Evidence.REPLY_REJECTED)
    return Verdict(Initiator.SOURCE, 0.97, Evidence.REJECTED)


def _by_lower_port(flow: Flow, _context: _Context) -> Verdict | None:
    if flow.srcport is None or flow.dstport is None:
        return None
    lower = Initiator.DESTINATION if flow.srcport < flow.dstport else Initiator.SOURCE
    return Verdict(lower, 0.6, Evidence.LOWER_PORT)


_LADDER: tuple[Callable[[Flow, _Context], Verdict | None], ...] = (
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


def _direct(flow: Flow, context: _Context) -> DirectedFlow:
    verdict = next((v for rung in _LADDER if (v := rung(flow, context))), _UNKNOWN)
    own = _own_address(flow, context)
    source_class, destination_class = _classes(flow, own, context.book)
    ends = (
        (source(flow), flow.srcport, source_class),
        (destination(flow), flow.dstport, destination_class),
    )
    client, server = ends[::-1] if verdict.initiator is Initiator.DESTINATION else ends
    return DirectedFlow(
        flow=flow,
        side=_side(flow, own),
        verdict=verdict,
        client=client[0],
        client_port=client[1],
        client_class=client[2],
        server=server[0],
        service_port=server[1],
        server_class=server[2],
    )


def _classes(flow: Flow, own: str | None, book: AddressBook) -> tuple[PeerClass, PeerClass]:
    """The classes of source and destination."""
    near, far = source(flow), destination(flow)
    if same_ipv6_vpc(near, far):
        # A VPC's IPv6 addresses are routable on the internet, but one end of a record is always ours.
        return PeerClass.OWN, PeerClass.OWN
    return (
        _class_of(near, flow.pkt_src_aws_service, own, book),
        _class_of(far, flow.pkt_dst_aws_service, own, book),
    )


def _class_of(address: str, aws_service: str | None, own: str | None, book: AddressBook) -> PeerClass:
    peer_class = book.classify(address)
    if peer_class is not PeerClass.INTERNET:
        return peer_class
    if own is not None and (address == own or same_ipv6_vpc(address, own)):
        return PeerClass.OWN
    return PeerClass.AWS_SERVICE if is_aws_service(aws_service) else PeerClass.INTERNET


def is_aws_service(code: str | None) -> bool:
    """Whether a `pkt-*-aws-service` code names a service; EC2 and the like are other customers' hosts."""
    return code is not None and code not in CUSTOMER_RANGES


CUSTOMER_RANGES = frozenset({"EC2", "AMAZON", "GLOBALACCELERATOR", "CLOUDFRONT", "API_GATEWAY"})
"""AWS ranges in which anybody's workload may answer: an attacker rents there too."""


def _family(flow: Flow) -> str:
    return "IPv6" if ":" in flow.dstaddr else "IPv4"


def _side(flow: Flow, own: str | None) -> FlowDirection | None:
    if flow.flow_direction is not None:
        return flow.flow_direction
    if own is None or flow.srcaddr == flow.dstaddr:
        return None
    if own == flow.srcaddr:
        return FlowDirection.EGRESS
    return FlowDirection.INGRESS if own == flow.dstaddr else None


def _own_address(flow: Flow, context: _Context) -> str | None:
    match flow.flow_direction:
        case FlowDirection.INGRESS:
            return flow.dstaddr
        case FlowDirection.EGRESS:
            return flow.srcaddr
        case None:
            return context.own_addresses.get((flow.interface_id, _family(flow)))


type _Interface = tuple[str | None, str]


def _learn_own_addresses(flows: Iterable[Flow], book: AddressBook) -> dict[_Interface, str]:
    """The interface's own address per family, for logs without `flow-direction`.

    It is what all of the interface's flows have in common; where one pair of addresses is all there is,
    it is the one of the two that is ours.
    """
    candidates: dict[_Interface, set[str]] = {}
    for flow in flows:
        key = (flow.interface_id, _family(flow))
        ends = {flow.srcaddr, flow.dstaddr}
        candidates[key] = candidates.get(key, ends) & ends
    return {
        key: address
        for key, addresses in candidates.items()
        if (address := _only_own(addresses, book)) is not None
    }


def _only_own(addresses: set[str], book: AddressBook) -> str | None:
    if len(addresses) > 1:
        addresses = {a for a in addresses if book.classify(a) is PeerClass.OWN}
    return next(iter(addresses)) if len(addresses) == 1 else None
