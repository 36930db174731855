"""Side and initiator of a flow.

The side (ingress or egress) states which end is the interface; the initiator is the end that opened the
connection. A DirectedFlow combines them with the peer classes of both ends.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from flowwarden.network.addresses import CLASSES, AddressClassifier, PeerClass, vpc_prefixes
from flowwarden.network.initiator import Initiator, InitiatorVerdict, InitiatorVerdicts
from flowwarden.network.traffic import Traffic
from flowwarden.records.columnar.string_pool import EGRESS, INGRESS
from flowwarden.records.columnar.tokenizer import ABSENT, Integers, Mask
from flowwarden.records.model import Flow, FlowDirection

OWN: Final = CLASSES.index(PeerClass.OWN)
AWS_SERVICE: Final = CLASSES.index(PeerClass.AWS_SERVICE)
INTERNET: Final = CLASSES.index(PeerClass.INTERNET)
LOCAL: Final = CLASSES.index(PeerClass.LOCAL)

_SERVICES: Final = "pkt_src_aws_service", "pkt_dst_aws_service"
"""Attributes with the AWS service at the source and at the destination."""

_SIDES: Final = {INGRESS: FlowDirection.INGRESS, EGRESS: FlowDirection.EGRESS}


class DirectedFlow(Struct, frozen=True, kw_only=True):
    """A flow with its direction.

    Addresses are those in the packets: if the record has `pkt-srcaddr`, the address of a NAT gateway or node
    does not hide the host behind it. If the initiator is unknown, the source counts as the client.
    """

    flow: Flow
    side: FlowDirection | None
    verdict: InitiatorVerdict
    client: str
    """Address of the end that opened the connection."""
    server: str
    client_class: PeerClass
    server_class: PeerClass
    client_port: int | None
    service_port: int | None
    expired: bool = False
    """Whether it is a REJECT of a packet on a connection whose tracking entry has expired."""
    reverse_accepted: bool = False
    """For a REJECT: whether the reverse of its 5-tuple was accepted at the interface in this batch."""

    @property
    def confidence(self) -> float:
        """Confidence of the initiator: findings page only from 0.95."""
        return self.verdict.confidence


def resolve(
    traffic: Traffic, classifier: AddressClassifier, rows: Integers | None = None
) -> list[DirectedFlow]:
    """Find side and initiator of the flows in these rows (all if None), from all traffic of the batch."""
    return Directions(traffic, classifier).flows(np.arange(len(traffic.flows)) if rows is None else rows)


class Directions:
    """The directions of all flows of a batch: arrays with one element per flow, computed on demand.

    Addresses are numbers of texts, peer classes indexes of `CLASSES`; see `DirectedFlow` for their meaning.
    """

    def __init__(
        self,
        traffic: Traffic,
        classifier: AddressClassifier,
        addresses: Mapping[str, Collection[str]] = MappingProxyType({}),
    ) -> None:
        """Take the flows and the known addresses.

        Args:
            traffic: the flows of a batch.
            classifier: assigns peer classes to addresses.
            addresses: interface id → addresses, as described by EC2.
        """
        self.traffic = traffic
        self._addresses = addresses
        self._flows = traffic.flows
        self._classifier = classifier

    def flows(self, rows: Integers) -> list[DirectedFlow]:
        """The flows in these rows, one by one."""
        if not len(rows):
            return []
        text, found = self._flows.text, self._flows.flows(rows)
        columns: list[NDArray[Any]] = [
            *(self.verdicts.numbers, self.from_source, self.side),
            *(self.client, self.server, self.client_class, self.server_class),
            *(self.traffic.expired_rejects, self.traffic.reverse_tuple_accepted),
        ]
        values = zip(*(column[rows].tolist() for column in columns), strict=True)
        return [
            DirectedFlow(
                flow=flow,
                side=_SIDES.get(side),
                verdict=self.verdicts.table[verdict],
                client=str(text(client)),
                server=str(text(server)),
                client_class=CLASSES[client_class],
                server_class=CLASSES[server_class],
                client_port=flow.srcport if asks else flow.dstport,
                service_port=flow.dstport if asks else flow.srcport,
                expired=expired,
                reverse_accepted=accepted,
            )
            for flow, (
                verdict,
                asks,
                side,
                client,
                server,
                client_class,
                server_class,
                expired,
                accepted,
            ) in zip(found, values, strict=True)
        ]

    @cached_property
    def verdicts(self) -> InitiatorVerdicts:
        """The initiator of each flow, with its basis."""
        return InitiatorVerdicts(self.traffic)

    @cached_property
    def confidence(self) -> NDArray[np.float64]:
        """The confidence of the initiator."""
        return np.array([verdict.confidence for verdict in self.verdicts.table])[self.verdicts.numbers]

    @cached_property
    def from_source(self) -> Mask:
        """Whether the source counts as the client: it is the initiator, or the initiator is unknown."""
        by_destination = [each.initiator is Initiator.DESTINATION for each in self.verdicts.table]
        return ~np.array(by_destination, bool)[self.verdicts.numbers]

    @cached_property
    def own(self) -> Integers:
        """The address of the interface itself; `ABSENT` if it is unknown."""
        direction = self._flows["flow_direction"]
        known = direction != ABSENT
        own = np.where(direction == INGRESS, self._flows["dstaddr"], self._flows["srcaddr"])
        if known.all():
            return own
        return np.where(known, own, self.traffic.own_addresses(self._classifier, self._addresses))

    @cached_property
    def side(self) -> Integers:
        """`INGRESS`, `EGRESS` or `ABSENT`."""
        logged = self._flows["flow_direction"]
        if (logged != ABSENT).all():
            return logged
        source, destination = self._flows["srcaddr"], self._flows["dstaddr"]
        by_address = np.where(self.own == source, EGRESS, np.where(self.own == destination, INGRESS, ABSENT))
        unknown = (self.own == ABSENT) | (source == destination)
        return np.where(logged != ABSENT, logged, np.where(unknown, ABSENT, by_address))

    @cached_property
    def client(self) -> Integers:
        """The address of the end that opened the connection."""
        return self._chosen(self._ends[0], self._ends[1])

    @cached_property
    def server(self) -> Integers:
        """The address of the other end."""
        return self._chosen(self._ends[1], self._ends[0])

    @cached_property
    def service_port(self) -> Integers:
        """The server's port."""
        return np.where(self.from_source, self._flows["dstport"], self._flows["srcport"])

    @cached_property
    def client_port(self) -> Integers:
        """The client's port."""
        return np.where(self.from_source, self._flows["srcport"], self._flows["dstport"])

    @cached_property
    def client_class(self) -> Integers:
        """The peer class of the client."""
        return self._chosen(self._classes[0], self._classes[1])

    @cached_property
    def server_class(self) -> Integers:
        """The peer class of the server."""
        return self._chosen(self._classes[1], self._classes[0])

    def _chosen(self, if_source: Integers, if_destination: Integers) -> Integers:
        """The first values where the source counts as the client, the second values elsewhere."""
        chosen: Integers = np.where(self.from_source, if_source, if_destination)
        return chosen

    @cached_property
    def _ends(self) -> Integers:
        """Source and destination in the packets: one row each."""
        flows = self._flows
        ends = self.traffic.ends
        if not (flows.has("pkt_srcaddr") or flows.has("pkt_dstaddr")):
            return ends
        packet = np.array([flows["pkt_srcaddr"], flows["pkt_dstaddr"]])
        return np.where(packet != ABSENT, packet, ends)

    @cached_property
    def _classes(self) -> Integers:
        """The peer classes of source and destination: one row each."""
        ends = self._ends
        classes = self._flows.answers(self._classifier.numbers).of(ends)
        public = classes == INTERNET
        if not np.count_nonzero(public):
            return classes
        within, own = self._own_ipv6()
        if any(map(self._flows.has, _SERVICES)):
            classes[public & self._services] = AWS_SERVICE
        classes[public & own] = OWN
        classes[public & within] = OWN
        return classes

    def _own_ipv6(self) -> tuple[Mask, Mask]:
        """Flows whose ends are both in the same VPC, and ends that are the interface or in its VPC.

        A VPC's IPv6 addresses are routable on the internet, but one end of a record is always internal.
        """
        ends = self._ends
        own = ends == self.own
        prefixes = self._flows.answers(vpc_prefixes)
        of_ends = self.traffic.prefixes if ends is self.traffic.ends else prefixes.of(ends)
        is_ipv6 = of_ends != ABSENT
        if not np.count_nonzero(is_ipv6):
            return is_ipv6[0], own
        own |= is_ipv6 & (of_ends == prefixes.of(self.own))
        return is_ipv6[0] & (of_ends[0] == of_ends[1]), own

    @property
    def _services(self) -> Mask:
        """Ends that the records attribute to an AWS service: one row for sources, one for destinations."""
        services = self._flows.answers(_are_services)
        return np.array([services.of(self._flows[name]) > 0 for name in _SERVICES])


def _are_services(codes: Sequence[str]) -> Sequence[int]:
    return [is_aws_service(code) for code in codes]


def is_aws_service(code: str | None) -> bool:
    """Whether a `pkt-*-aws-service` code is an AWS service; EC2 and similar codes are customers' hosts."""
    return code is not None and code not in CUSTOMER_RANGES


CUSTOMER_RANGES = frozenset({"EC2", "AMAZON", "GLOBALACCELERATOR", "CLOUDFRONT", "API_GATEWAY"})
"""AWS ranges that contain workloads of any customer, including attackers."""
