"""Side and initiator: each rule decides the flows that it can decide, and no others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.network.addresses import AddressClassifier, PeerClass
from flowwarden.network.direction import Directions
from flowwarden.network.initiator import Basis, Initiator
from flowwarden.network.traffic import Traffic
from flowwarden.records.columnar.flow_table import FlowTable
from flowwarden.records.model import Action, Flow, FlowDirection
from tests.flows import directed, flow, make_flow, rejected

SYN, SYN_ACK, FIN = 2, 18, 1


def test_a_syn_proves_the_initiator_regardless_of_ports() -> None:
    """The flags of the record outweigh a service port at the source."""
    (one,) = directed(flow("10.0.0.1:443", "10.0.0.2:50000", tcp_flags=SYN))
    assert one.verdict.initiator is Initiator.SOURCE
    assert (one.verdict.evidence, one.confidence) == (Basis.TCP_FLAGS, 0.99)


def test_a_syn_ack_proves_the_responder() -> None:
    """Client and server depend on the initiator, not on the sender of the record."""
    (one,) = directed(flow("10.0.0.2:5432", "10.0.0.1:49152", tcp_flags=SYN_ACK | FIN))
    assert (one.client, one.client_port) == ("10.0.0.1", 49152)
    assert (one.server, one.service_port) == ("10.0.0.2", 5432)


def test_the_flags_of_the_reverse_flow_decide() -> None:
    """A later window has no SYN; the reverse flow still has one."""
    answer, request = directed(
        flow("10.0.0.2:31000", "10.0.0.1:32000", tcp_flags=0),
        flow("10.0.0.1:32000", "10.0.0.2:31000", tcp_flags=SYN),
    )
    assert answer.verdict.initiator is Initiator.DESTINATION
    assert answer.verdict.evidence is Basis.REVERSE_TCP_FLAGS
    assert answer.client == request.client == "10.0.0.1"


def test_an_endpoint_that_sent_a_syn_ack_is_a_listener() -> None:
    """Another client's flow to the same endpoint needs no flags."""
    _, other = directed(
        flow("10.0.0.2:31000", "10.0.0.1:32000", tcp_flags=SYN_ACK),
        flow("10.0.0.9:33000", "10.0.0.2:31000", tcp_flags=0),
    )
    assert (other.verdict.initiator, other.verdict.evidence) == (Initiator.SOURCE, Basis.LISTENER)


def test_a_syn_or_a_reject_does_not_prove_a_listener() -> None:
    """They show an attempt to connect, not a listener."""
    *_, other = directed(
        flow("10.0.0.1:32000", "10.0.0.2:31000", tcp_flags=SYN),
        rejected("10.0.0.3:32000", "10.0.0.2:31000", tcp_flags=SYN),
        flow("10.0.0.9:33000", "10.0.0.2:31000", tcp_flags=0),
    )
    assert other.verdict.evidence is Basis.LOWER_PORT


def test_a_reject_without_a_syn_is_a_leftover() -> None:
    """No connection is opened: its tracking entry has expired."""
    (one,) = directed(rejected("10.0.0.1:50000", "10.0.0.2:5432", tcp_flags=0))
    assert (one.verdict.initiator, one.verdict.evidence) == (Initiator.UNKNOWN, Basis.STALE)


def test_without_flags_the_source_of_a_reject_is_the_initiator() -> None:
    """The default format has no flags, so the REJECT itself is the evidence."""
    (one,) = directed(rejected("10.0.0.1:50000", "10.0.0.2:31337"))
    assert (one.verdict.initiator, one.verdict.evidence) == (Initiator.SOURCE, Basis.REJECTED)


def test_the_sender_of_a_rejected_reply_is_not_the_initiator() -> None:
    """The request was accepted, the reply was rejected: a network ACL."""
    answer, _ = directed(
        rejected("10.0.0.2:31337", "10.0.0.1:50000"), flow("10.0.0.1:50000", "10.0.0.2:31337")
    )
    assert answer.verdict.initiator is Initiator.DESTINATION
    assert answer.verdict.evidence is Basis.REPLY_REJECTED


def test_a_late_reply_of_a_dns_server_does_not_open_a_connection() -> None:
    """Its source port outweighs the REJECT."""
    (one,) = directed(rejected("10.0.0.2:53", "10.0.0.1:41000", protocol=17))
    assert (one.client, one.verdict.evidence) == ("10.0.0.1", Basis.SERVICE_PORT)


@pytest.mark.parametrize(
    ("source", "protocol"), [("10.0.0.2:8081", 6), ("10.0.0.2:3000", 6), ("10.0.0.2:1812", 17)]
)
def test_a_late_reply_of_any_server_has_a_low_confidence(source: str, protocol: int) -> None:
    """Without flags, from an unknown port to an ephemeral one: a guess, and guesses never page."""
    (one,) = directed(rejected(source, "10.0.0.1:41000", protocol=protocol))
    assert one.confidence < 0.95
    assert one.client == "10.0.0.1"


def test_between_two_client_ports_only_a_retry_has_a_high_confidence() -> None:
    """Without flags: the last packets of a gRPC server, and a host that is refused repeatedly."""
    late, asked, again, udp = directed(
        rejected("10.0.0.2:50051", "10.0.0.1:41000"),
        rejected("10.0.0.3:41001", "10.0.0.4:50051"),
        rejected("10.0.0.3:41002", "10.0.0.4:50051"),
        rejected("10.0.0.3:41001", "10.0.0.4:50051", protocol=17),
    )
    assert (late.confidence, udp.confidence) == (0.6, 0.6)
    assert (asked.client, asked.confidence, again.confidence) == ("10.0.0.3", 0.97, 0.97)
    repeated = directed(*[rejected("10.0.0.2:50051", "10.0.0.1:41000")] * 3)
    assert {each.confidence for each in repeated} == {0.6}, (
        "several windows of one connection taken for a retry"
    )


def test_rejected_udp_between_client_ports_has_a_low_confidence() -> None:
    """Media, gossip and games use such ports at both ends; a retry from another port proves nothing."""
    ends = [(f"10.0.0.3:{40_000 + n}", f"10.0.0.{n % 4 + 4}:{50_000 + n % 2}") for n in range(8)]
    assert {one.confidence for one in directed(*(rejected(*each, protocol=17) for each in ends))} == {0.6}
    (syslog,) = directed(rejected("10.0.0.3:40000", "10.0.0.4:1514", protocol=17))
    assert syslog.confidence == 0.97, "1514 taken for a client port"


def test_a_reset_to_a_scanner_does_not_open_a_connection() -> None:
    """The SYN came from port 443 and the reply was an RST."""
    (one,) = directed(flow("10.0.0.2:8000", "203.0.113.9:443", tcp_flags=4))
    assert one.verdict.initiator is Initiator.UNKNOWN


def test_ports_of_accepted_udp_have_a_low_confidence() -> None:
    """Any host can send from port 53."""
    (one,) = directed(flow("10.0.0.2:40000", "203.0.113.9:53", protocol=17))
    assert (one.verdict.evidence, one.confidence) == (Basis.SERVICE_PORT, 0.9)


def test_a_public_address_that_all_flows_share_is_the_peer() -> None:
    """AWS logs private addresses: one scanner at several hosts is not the interface."""
    noise = directed(*(rejected("198.51.100.7:40000", f"10.0.2.{host}:22") for host in range(3)))
    assert {one.client_class for one in noise} == {PeerClass.INTERNET}
    assert {one.side for one in noise} == {None}


def test_a_flow_to_a_service_port_without_a_reply_is_a_request() -> None:
    """Without flags, a probe of an unknown port shows nothing else; servers do not send unsolicited."""
    (one,) = directed(flow("10.0.0.1:50000", "10.0.0.2:31337"))
    assert (one.verdict.initiator, one.verdict.evidence) == (Initiator.SOURCE, Basis.UNANSWERED)
    assert one.confidence == 0.95


def test_a_flow_to_a_client_port_is_not_a_request() -> None:
    """A last packet can be logged in the next window; nor is it a request if there was a reply."""
    (late,) = directed(flow("10.0.0.2:31337", "10.0.0.1:50000"))
    assert late.verdict.evidence is Basis.LOWER_PORT
    both = directed(flow("10.0.0.1:50000", "10.0.0.2:31337"), flow("10.0.0.2:31337", "10.0.0.1:50000"))
    assert {one.verdict.evidence for one in both} == {Basis.LOWER_PORT}


def test_two_service_ports_do_not_decide() -> None:
    """A server calls another from a listed port: only the lower port is left, a guess."""
    (one,) = directed(flow("10.0.0.1:8080", "10.0.0.2:5432"))
    assert (one.verdict.evidence, one.confidence) == (Basis.LOWER_PORT, 0.6)


def test_icmp_and_equal_ports_stay_unknown() -> None:
    """An echo reply looks like its request, and so does NTP between peers."""
    for one in directed(
        flow("10.0.0.1:0", "10.0.0.2:0", protocol=1),
        rejected("10.0.0.1:0", "10.0.0.2:0", protocol=1),
        flow("10.0.0.1:123", "10.0.0.2:123", protocol=17),
    ):
        assert one.verdict.initiator is Initiator.UNKNOWN
        assert one.confidence == 0


def test_a_layout_without_ports_leaves_an_accepted_flow_unknown() -> None:
    """Without evidence, there is no guess."""
    (one,) = directed(make_flow(srcaddr="10.0.0.1", dstaddr="8.8.8.8", action=Action.ACCEPT))
    assert one.verdict.evidence is Basis.NONE


def test_flow_direction_decides_the_side() -> None:
    """The field states it directly."""
    (one,) = directed(flow("10.0.0.1:1", "10.0.0.2:2", flow_direction=FlowDirection.INGRESS))
    assert one.side is FlowDirection.INGRESS


def test_the_side_follows_from_the_address_that_flows_share() -> None:
    """Two different peers show which address is the interface's."""
    sides = [
        one.side
        for one in directed(flow("10.0.0.1:50000", "10.0.0.9:443"), flow("10.0.0.9:443", "10.0.0.2:50001"))
    ]
    assert sides == [FlowDirection.INGRESS, FlowDirection.EGRESS]


def test_the_side_of_a_single_pair_of_own_addresses_is_unknown() -> None:
    """Either can be the interface."""
    (one,) = directed(flow("10.0.0.1:50000", "10.0.0.9:443"))
    assert one.side is None


def test_the_addresses_described_by_ec2_decide_a_single_pair() -> None:
    """Addresses of another interface are ignored."""
    table = FlowTable.of([flow("10.0.0.1:50000", "10.0.0.9:443"), flow("10.0.0.9:443", "10.0.0.1:50000")])
    for addresses, sides in (
        ({"eni-1": ("10.0.0.9", "10.0.0.77")}, [FlowDirection.INGRESS, FlowDirection.EGRESS]),
        ({"eni-2": ("10.0.0.9",)}, [None, None]),
        ({"eni-1": ("10.0.0.77",)}, [None, None]),
    ):
        directions = Directions(Traffic(table), AddressClassifier(), addresses)
        assert [each.side for each in directions.flows(np.arange(2))] == sides


def test_the_side_of_a_pair_with_the_internet_is_known() -> None:
    """The interface is the internal end."""
    (one,) = directed(flow("203.0.113.5:50000", "10.0.0.9:443"))
    assert one.side is FlowDirection.INGRESS


def test_interfaces_and_address_families_are_independent() -> None:
    """An interface has an address in each family, and other interfaces have other addresses."""
    one, two, three = directed(
        flow("203.0.113.5:50000", "10.0.0.9:443"),
        flow("203.0.113.5:50000", "10.0.0.8:443", interface_id="eni-2"),
        flow("[fd00::9]:443", "[2001:db8::1]:50000"),
    )
    assert [one.side, two.side, three.side] == [
        FlowDirection.INGRESS, FlowDirection.INGRESS, FlowDirection.EGRESS,
    ]  # fmt: skip


def test_packet_addresses_show_the_hosts_behind_a_nat_gateway() -> None:
    """The NAT gateway's address hides neither the internal nor the external host."""
    (one,) = directed(
        flow(
            "10.0.1.5:39812", "10.0.0.220:80", pkt_srcaddr="10.0.1.5", pkt_dstaddr="203.0.113.5",
            tcp_flags=SYN, flow_direction=FlowDirection.INGRESS,
        )
    )  # fmt: skip
    assert (one.client, one.server) == ("10.0.1.5", "203.0.113.5")
    assert one.server_class is PeerClass.INTERNET


def test_ipv6_neighbors_of_the_interface_are_own() -> None:
    """Public addresses in the interface's /56 are own, others are not."""
    inside, outside = directed(
        flow("[2600:1f18:12:3400::20]:50000", "[2600:1f18:12:3410::30]:443"),
        flow("[2001:db8::1]:50000", "[2600:1f18:12:3410::30]:443"),
    )
    assert inside.client_class is PeerClass.OWN
    assert outside.client_class is PeerClass.INTERNET
    assert outside.server_class is PeerClass.OWN


def test_an_aws_service_is_not_an_internet_host_but_an_ec2_host_is() -> None:
    """S3 is a service; EC2's ranges contain hosts of other customers."""
    service, rented = directed(
        flow("10.0.0.1:50000", "52.216.0.1:443", pkt_dst_aws_service="S3"),
        flow("10.0.0.1:50000", "3.5.0.1:443", pkt_dst_aws_service="EC2"),
    )
    assert service.server_class is PeerClass.AWS_SERVICE
    assert rented.server_class is PeerClass.INTERNET


PORTS = st.integers(0, 65535)
HOSTS = st.sampled_from(["10.0.0.1", "10.0.0.2", "203.0.113.1", "fd00::1", "2001:db8::1"])
FLOWS = st.builds(
    make_flow,
    srcaddr=HOSTS, dstaddr=HOSTS,
    srcport=st.none() | PORTS, dstport=st.none() | PORTS,
    protocol=st.none() | st.sampled_from([1, 6, 17, 58]),
    action=st.none() | st.sampled_from(Action),
    tcp_flags=st.none() | st.integers(0, 31),
    flow_direction=st.none() | st.sampled_from(FlowDirection),
    interface_id=st.sampled_from(["eni-1", "eni-2"]),
)  # fmt: skip


@given(st.lists(FLOWS, max_size=8))
def test_every_flow_gets_a_direction_and_keeps_its_ends(flows: list[Flow]) -> None:
    """No flow raises or is lost, and client and server are the two ends of the flow."""
    found = directed(*flows)
    assert [one.flow for one in found] == flows
    for one in found:
        assert sorted((one.client, one.server)) == sorted((one.flow.srcaddr, one.flow.dstaddr))
        assert 0 <= one.confidence <= 0.99
        assert (one.confidence == 0) == (one.verdict.initiator is Initiator.UNKNOWN)


@given(st.lists(FLOWS, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_a_batch_does_not_matter(flows: list[Flow], random: object) -> None:
    """Records can arrive in any order."""
    shuffled = list(flows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    before = sorted(repr(one) for one in directed(*flows))
    assert before == sorted(repr(one) for one in directed(*shuffled))
