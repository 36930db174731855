"""Side and initiator: two facts about a flow.

The side (ingress or egress) says which end the interface is; the initiator says who opened the
conversation. Together with the classes of both ends they make a DirectedFlow.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from flowwarden.network.addresses import AddressBook, PeerClass, same_ipv6_vpc
from flowwarden.network.initiator import (
    Initiator,
    Verdict,
    Verdicts,
    destination,
    source,
)
from flowwarden.network.traffic import Traffic
from flowwarden.records.model import Flow, FlowDirection
from flowwarden.records.tokens import ABSENT, Integers
from flowwarden.records.vocabulary import EGRESS, INGRESS


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


def resolve(traffic: Traffic, book: AddressBook, rows: Integers | None = None) -> list[DirectedFlow]:
    """Find side and initiator of the flows in these rows, from the records and all the traffic around them.

    Args:
        traffic: all flows of the batch.
        book: tells which addresses are whose.
        rows: the flows that somebody wants to see; all if None.
    """
    if rows is None:
        rows = np.arange(len(traffic.flows))
    if not len(rows):
        return []
    verdicts = Verdicts(traffic)
    own = own_numbers(traffic, book)[rows].tolist()
    text, flows = traffic.flows.text, traffic.flows.flows(rows)
    return [
        _direct(flow, verdicts[row], text(number), book)
        for flow, row, number in zip(flows, rows.tolist(), own, strict=True)
    ]


def own_numbers(traffic: Traffic, book: AddressBook) -> Integers:
    """For each flow the number of the text of its interface's own address; `ABSENT` if nothing tells it."""
    flows = traffic.flows
    direction = flows["flow_direction"]
    told = direction != ABSENT
    own = np.where(direction == INGRESS, flows["dstaddr"], flows["srcaddr"])
    return own if told.all() else np.where(told, own, traffic.own_addresses(book))


def sides(traffic: Traffic, book: AddressBook) -> Integers:
    """`INGRESS`, `EGRESS` or `ABSENT` of each flow."""
    flows = traffic.flows
    told = flows["flow_direction"]
    if (told != ABSENT).all():
        return told
    own, source, destination = own_numbers(traffic, book), flows["srcaddr"], flows["dstaddr"]
    by_address = np.where(own == source, EGRESS, np.where(own == destination, INGRESS, ABSENT))
    unknown = (own == ABSENT) | (source == destination)
    return np.where(told != ABSENT, told, np.where(unknown, ABSENT, by_address))


def _direct(flow: Flow, verdict: Verdict, own: str | None, book: AddressBook) -> DirectedFlow:
    source_class, destination_class = _classes(flow, own, book)
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


def _side(flow: Flow, own: str | None) -> FlowDirection | None:
    if flow.flow_direction is not None:
        return flow.flow_direction
    if own is None or flow.srcaddr == flow.dstaddr:
        return None
    if own == flow.srcaddr:
        return FlowDirection.EGRESS
    return FlowDirection.INGRESS if own == flow.dstaddr else None
