"""From and To, each with what is known of that end: no page names the wrong machine."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from flowwarden.monitor.detectors import DETECTORS, scan
from flowwarden.monitor.findings import Finding, TrafficFinding
from flowwarden.monitor.render.ends import TOP
from flowwarden.monitor.traffic.hosts import Hosts
from flowwarden.network.interface import NetworkInterface
from flowwarden.notify.alert import Route
from flowwarden.policy.detection import Thresholds
from flowwarden.records.model import FlowDirection
from tests.flows import rejected
from tests.monitor.batches import triaged
from tests.monitor.fakes_interfaces import having
from tests.monitor.render.examples import EXAMPLES
from tests.monitor.render.golden import CONTEXT
from tests.monitor.render.rows import below, page, row
from tests.monitor.suspicion import contact, suspect

OUT, IN = FlowDirection.EGRESS, FlowDirection.INGRESS
IDS = {"vpc_id": "vpc-1", "subnet_id": "subnet-1", "instance_id": "i-1"}
NOTHING_KNOWN = replace(CONTEXT, hosts=Hosts({}))
OF_WEB = ["Team=shop, role tag:Role=web, Auto Scaling group shop-web",
          "i-1, eni-1, subnet-1 (web-a), security group sg-1 (web)"]  # fmt: skip
"""What is known of the host that logged the records."""


def blocked(**given: Any) -> Finding:
    """A blocked connection."""
    return triaged([rejected("10.0.1.20:50000", "10.0.2.99:5432", tcp_flags=2, **(IDS | given))])[0]


@pytest.mark.parametrize(
    ("side", "own", "far"), [(OUT, "From", "To"), (IN, "To", "From")], ids=["client logged", "server logged"]
)
def test_the_ids_stand_at_the_end_that_logged_the_records(side: FlowDirection, own: str, far: str) -> None:
    """The same connection, seen from either end; also in the document."""
    sent = page(blocked(flow_direction=side))
    assert row(sent, own).endswith(" web-1 (internal)")
    assert below(sent, own) == OF_WEB
    assert below(sent, far) == []
    assert row(sent, "Where").endswith(f"vpc-1 (shop), logged by eni-1 ({side})")
    (host,) = sent.document[own.lower()]["hosts"]
    assert (host["interface"], host["instance"], host["subnet"]) == ("eni-1", "i-1", "subnet-1")
    assert (host["role"], host["described"]) == ("tag:Role=web", None)
    (other,) = sent.document[far.lower()]["hosts"]
    assert {other[name] for name in ("interface", "instance", "subnet", "role")} == {None}


def test_ids_of_an_unknown_side_stand_at_neither_end() -> None:
    """They are shown, but not with an address."""
    sent = page(blocked())
    assert below(sent, "From") + below(sent, "To") == []
    assert row(sent, "Where").endswith("logged by eni-1, web-1 (side unknown, i-1, subnet-1)")


def test_ids_of_a_gateway_stand_at_neither_end() -> None:
    """The packets' addresses are those of the hosts behind it."""
    sent = page(blocked(flow_direction=OUT, pkt_srcaddr="10.0.7.7", pkt_dstaddr="10.0.2.99"))
    assert row(sent, "From") == "10.0.7.7 (internal)"
    assert below(sent, "From") + below(sent, "To") == []
    assert "at neither end, traffic passes through it, i-1, subnet-1" in row(sent, "Where")


def test_the_other_end_shows_when_it_was_described() -> None:
    """The address may have another host since."""
    finding = triaged([rejected("10.0.1.20:50000", "10.0.2.30:5432", tcp_flags=2, flow_direction=OUT)])[0]
    sent = page(finding)
    assert row(sent, "To") == "10.0.2.30 orders-db-1 (internal)"
    assert below(sent, "To")[1].startswith("i-2, eni-2, subnet-2 (data-a), security groups sg-2 (data), sg-3")
    assert below(sent, "To")[1].endswith(", per EC2 at 2025-11-24 15:45:00 UTC")
    assert sent.document["to"]["hosts"][0]["described"] == 1_763_999_100
    assert row(page(finding, NOTHING_KNOWN), "To") == "10.0.2.30 (internal)"


def test_of_several_hosts_at_an_end_each_shows_its_own_ids() -> None:
    """Only one of nine clients is known; a list of hundreds is cut off and counted."""
    hosts = Hosts(
        {}, having((NetworkInterface(interface_id="eni-7", vpc_id="vpc-1", addresses=("10.0.1.21",)), 0))
    )
    flows = [
        rejected(f"10.0.{each // 250}.{each % 250}:50000", "10.0.2.30:6379", flow_direction=IN, **IDS)
        for each in range(270, 420)
    ]
    (finding,) = [each for each in triaged(flows) if each.detector == "service-blocked"]
    shown = row(page(finding, replace(CONTEXT, hosts=hosts)), "From")
    assert shown.startswith("10.0.1.100, ")
    assert below(page(finding, replace(CONTEXT, hosts=hosts)), "From") == [], "the known host comes too late"
    assert shown.endswith(f" and {150 - TOP} more (internal)")
    (few,) = [each for each in triaged(flows[:9]) if each.detector == "service-blocked"]
    sent = page(few, replace(CONTEXT, hosts=hosts))
    assert "10.0.1.20, 10.0.1.21, " in row(sent, "From")
    assert below(sent, "From") == ["10.0.1.21: eni-7, per EC2 at 1970-01-01 00:00:00 UTC"]


def test_an_end_with_hosts_inside_and_outside_says_so() -> None:
    """A scan can try both."""
    tried = [contact(f"10.0.9.{host}", 8080) for host in range(1, 15)]
    inside = scan.inspect(suspect(*tried), Thresholds())[0]
    assert row(page(inside), "To").partition(" in this batch")[0].endswith("(internal)")
    both = scan.inspect(suspect(*tried, contact("203.0.113.9", 8080, peer="internet")), Thresholds())[0]
    assert "(internal and internet) in this batch" in row(page(both), "To")
    assert page(both).document["to"]["classes"] == ["own", "internet"]


@pytest.mark.parametrize("name", [each.name for each in DETECTORS if each.route is not Route.OPERATIONS])
def test_every_page_has_both_ends(name: str) -> None:
    """All clients are in From, all servers in To, and the record's interface is at its own address."""
    finding = EXAMPLES[name]()
    assert isinstance(finding, TrafficFinding)
    sent = page(finding)
    assert [each["address"] for each in sent.document["from"]["hosts"]] == [
        each for each, _ in finding.tally.clients[:TOP]
    ]
    assert [each["address"] for each in sent.document["to"]["hosts"]] == [
        each for each, _ in finding.tally.servers[:TOP]
    ]
    logged = [
        host
        for end in ("from", "to")
        for host in sent.document[end]["hosts"]
        if host["interface"] == finding.example.flow.interface_id
    ]
    own = {OUT: finding.example.flow.srcaddr, IN: finding.example.flow.dstaddr}
    expected = [own[finding.example.side]] if finding.example.side else []
    assert [host["address"] for host in logged] == expected


def test_the_cause_names_the_machine_that_rejected() -> None:
    """The rules are those of the host that logged the REJECT, not of the one with the most records."""
    asked = [("10.0.2.30", 2, "eni-1"), ("10.0.2.40", 18, "eni-2")]
    flows = [
        rejected(f"10.0.1.20:{50_000 + each}", f"{server}:5432", tcp_flags=2, flow_direction=IN,
                 interface_id=name)
        for server, count, name in asked
        for each in range(count)
    ]  # fmt: skip
    (finding,) = [each for each in triaged(flows) if each.detector == "blocked-connection"]
    sent = page(finding)
    assert f"the inbound rules at {finding.example.server}" in row(sent, "Likely cause")
    assert finding.example.server != finding.main_server
