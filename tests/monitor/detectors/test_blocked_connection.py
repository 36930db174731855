"""blocked-connection: connections of an internal host that are rejected."""

from __future__ import annotations

import pytest

from flowwarden.monitor.detectors import blocked_connection
from flowwarden.monitor.findings import Severity
from flowwarden.monitor.render.text import describe, steps
from flowwarden.policy.detection import Thresholds
from flowwarden.policy.policy import Policy
from flowwarden.records.model import Flow, FlowDirection
from tests.flows import START, flow, rejected
from tests.monitor.batches import batch, finding_with
from tests.monitor.render.golden import CONTEXT

inspect = finding_with(blocked_connection.DETECTOR)

PACKETS = Thresholds().blocked_packets


def test_many_lines_about_one_service_are_one_finding() -> None:
    """Never one alert per line."""
    flows = [rejected(f"10.0.1.20:{50000 + i}", "10.0.2.30:5432", start=START + i) for i in range(20)]
    (finding,) = inspect(batch(*flows), Policy())
    assert describe(finding).summary == "10.0.1.20 is blocked from PostgreSQL (tcp/5432) at 10.0.2.30."
    assert finding.facts.limit == PACKETS
    assert finding.severity is Severity.MEDIUM
    assert (finding.tally.records, finding.tally.connections, finding.tally.packets) == (20, 20, 120)
    assert (finding.tally.first, finding.tally.last) == (START, START + 58)


def test_findings_are_grouped_by_host_and_service() -> None:
    """Another client or service is another finding; another server is not."""
    flows = (
        rejected("10.0.1.20:50000", "10.0.2.30:5432"),
        rejected("10.0.1.20:50001", "10.0.2.31:5432"),
        rejected("10.0.1.20:50002", "10.0.2.30:6379"),
        rejected("10.0.1.21:50003", "10.0.2.30:5432"),
    )
    found = [(f.subject, str(f.service)) for f in inspect(batch(*flows), Policy())]
    assert found == [
        ("10.0.1.20", "PostgreSQL (tcp/5432)"),
        ("10.0.1.20", "Redis (tcp/6379)"),
        ("10.0.1.21", "PostgreSQL (tcp/5432)"),
    ]


def test_a_request_that_is_rejected_on_its_way_to_the_internet_counts() -> None:
    """At a NAT gateway's interface; what the host's own rules reject is reported by egress-denied."""
    ends = {"pkt_srcaddr": "10.0.1.20", "pkt_dstaddr": "198.51.100.7"}
    one = rejected("10.0.1.20:50000", "10.0.0.9:443", flow_direction=FlowDirection.INGRESS, **ends)
    (finding,) = inspect(batch(one), Policy())
    assert finding.peer_class == "internet"
    first, *_ = steps(finding, describe(finding), CONTEXT)
    assert "on the internet" in first
    own = rejected("10.0.1.20:50000", "198.51.100.7:443", flow_direction=FlowDirection.EGRESS)
    assert inspect(batch(own), Policy()) == []


@pytest.mark.parametrize(
    ("direction", "rules"),
    [
        (FlowDirection.INGRESS, "inbound rules at 10.0.2.30"),
        (FlowDirection.EGRESS, "outbound rules at 10.0.1.20"),
        (None, "at 10.0.1.20 or 10.0.2.30"),
    ],
)
def test_the_side_identifies_the_rules(direction: FlowDirection | None, rules: str) -> None:
    """On-call checks the right security group first."""
    one = rejected("10.0.1.20:50000", "10.0.2.30:5432", flow_direction=direction)
    (finding,) = inspect(batch(one), Policy())
    assert rules in describe(finding).likely


def test_a_reject_reason_is_reported() -> None:
    """`reject-reason` states the cause."""
    one = rejected("10.0.1.20:50000", "10.0.2.30:443", reject_reason="EC")
    (finding,) = inspect(batch(one), Policy())
    assert describe(finding).likely.startswith("VPC encryption controls")


def test_a_format_without_packet_counts_counts_records() -> None:
    """A record stands for at least one packet."""
    flows = [rejected(f"10.0.1.20:{50000 + i}", "10.0.2.30:5432", packets=None) for i in range(PACKETS)]
    assert len(inspect(batch(*flows), Policy())) == 1
    assert inspect(batch(*flows[1:]), Policy()) == []


@pytest.mark.parametrize(
    "one",
    [
        rejected("10.0.1.20:50000", "10.0.2.30:5432", packets=PACKETS - 1),
        rejected("203.0.113.5:50000", "10.0.2.30:5432"),
        rejected("10.0.1.20:50000", "10.0.2.30:5432", tcp_flags=4),
        rejected("10.0.2.30:5432", "10.0.1.20:50000"),
        rejected("10.0.2.30:5432", "10.0.1.20:50000", tcp_flags=18),
        rejected("10.0.1.20:0", "10.0.2.30:0", protocol=1),
        rejected("10.0.1.20:5353", "224.0.0.251:5353", protocol=17),
        rejected("10.0.1.20:41000", "255.255.255.255:5678", protocol=17),
        flow("10.0.1.20:50000", "10.0.2.30:5432"),
    ],
    ids=[
        "a stray packet", "from the internet", "a leftover without SYN", "a late answer",
        "a rejected SYN-ACK", "ICMP", "multicast", "broadcast", "accepted",
    ],
)  # fmt: skip
def test_other_traffic_is_not_a_finding(one: Flow) -> None:
    """Only rejected TCP and UDP connections that an internal host opens to another host count."""
    assert inspect(batch(one), Policy()) == []
