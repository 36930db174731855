"""The hosts at the ends of connections: ids belong to the end that logged the record."""

from __future__ import annotations

from typing import Any

import pytest

from flowwarden.monitor.traffic.hosts import Described, Host, Hosts
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.interface import NetworkInterface
from flowwarden.records.model import FlowDirection
from tests.flows import directed, rejected
from tests.monitor.fakes_interfaces import having

CLIENT, SERVER = "10.0.1.20", "10.0.2.30"
IDS = {"vpc_id": "vpc-1", "instance_id": "i-1", "subnet_id": "subnet-1"}
AT = 1_763_999_000


def asked(side: FlowDirection | None, **given: Any) -> DirectedFlow:
    """A rejected request, logged at one of its ends."""
    return directed(
        rejected(f"{CLIENT}:50000", f"{SERVER}:5432", tcp_flags=2, flow_direction=side, **(IDS | given))
    )[0]


def described(address: str, vpc: str = "vpc-1", name: str = "eni-9") -> Described:
    """An interface, as EC2 described it."""
    interface = NetworkInterface(
        interface_id=name, vpc_id=vpc, subnet_id="subnet-9", addresses=(address,), instance_id="i-9",
        tags={"Role": "db"},
    )  # fmt: skip
    return interface, AT


OWN = Host(interface="eni-1", instance="i-1", subnet="subnet-1")
FAR = Host(
    interface="eni-9", instance="i-9", subnet="subnet-9", role="tag:Role=db", described=AT,
    found=described(SERVER)[0],
)  # fmt: skip


@pytest.mark.parametrize(
    ("side", "own", "far"), [(FlowDirection.EGRESS, CLIENT, SERVER), (FlowDirection.INGRESS, SERVER, CLIENT)]
)
def test_the_ids_of_a_record_belong_to_the_end_that_logged_it(
    side: FlowDirection, own: str, far: str
) -> None:
    """Of the other end, only its address is known."""
    flow, hosts = asked(side), Hosts({})
    assert hosts.at(own, flow) == OWN
    assert hosts.at(far, flow) == Host()


def test_ids_belong_to_no_end_if_the_side_is_unknown_or_a_gateway_logged_the_record() -> None:
    """A NAT gateway's interface relays for the hosts whose addresses are in the packets."""
    relayed = asked(FlowDirection.EGRESS, pkt_srcaddr="10.0.1.99", pkt_dstaddr="203.0.113.9")
    for flow in (asked(None), relayed):
        assert (Hosts({}).at(flow.client, flow), Hosts({}).at(flow.server, flow)) == (Host(), Host())


def test_the_role_comes_from_the_description_of_the_interface() -> None:
    """It also has instance and subnet, if the log format has not; what the record says comes first."""
    interface, _ = described(CLIENT, name="eni-1")
    hosts = Hosts({"eni-1": interface}, role_tags=("Role",))
    assert hosts.at(CLIENT, asked(FlowDirection.EGRESS)) == Host(
        interface="eni-1", instance="i-1", subnet="subnet-1", role="tag:Role=db", found=interface
    )
    bare = asked(FlowDirection.EGRESS, instance_id=None, subnet_id=None)
    assert hosts.at(CLIENT, bare) == Host(
        interface="eni-1", instance="i-9", subnet="subnet-9", role="tag:Role=db", found=interface
    )


def test_the_other_end_is_known_by_its_address_in_the_same_vpc() -> None:
    """With the time of the description, because the address may have moved since."""
    flow = asked(FlowDirection.EGRESS)
    assert Hosts({}, having(described(SERVER)), ("Role",)).at(SERVER, flow) == FAR
    unnamed = asked(FlowDirection.EGRESS, vpc_id=None)
    interface = NetworkInterface(interface_id="eni-1", vpc_id="vpc-1")
    assert Hosts({"eni-1": interface}, having(described(SERVER)), ("Role",)).at(SERVER, unnamed) == FAR


@pytest.mark.parametrize(
    "others",
    [
        [described(SERVER, vpc="vpc-2")],  # networks of VPCs overlap
        [described(SERVER), described(SERVER, name="eni-8")],  # the address moved within an hour
        [described("10.0.2.31")],
        [],
    ],
)
def test_the_other_end_is_unknown_unless_one_interface_of_the_vpc_has_its_address(
    others: list[Described],
) -> None:
    """No page may name the wrong machine."""
    assert Hosts({}, having(*others)).at(SERVER, asked(FlowDirection.EGRESS)) == Host()


def test_the_other_end_is_unknown_if_the_vpc_is() -> None:
    """Then any VPC could have the address."""
    flow = asked(FlowDirection.EGRESS, vpc_id=None)
    assert (
        Hosts({}, having(described(SERVER), described(SERVER, vpc="", name="eni-8"))).at(SERVER, flow)
        == Host()
    )


@pytest.mark.parametrize("nothing", ["unknown", "-", "null", "", None])
def test_a_word_for_unknown_is_no_id(nothing: str | None) -> None:
    """AWS writes `unknown` or a dash, other tools `null`."""
    flow = asked(FlowDirection.EGRESS, instance_id=nothing, subnet_id=nothing, vpc_id=nothing)
    assert Hosts({}).at(CLIENT, flow) == Host(interface="eni-1")
