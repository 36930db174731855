"""nacl-blocks-replies: requests are accepted, and their replies are rejected."""

from __future__ import annotations

import pytest

from flowwarden.monitor.detectors import nacl_blocks_replies
from flowwarden.monitor.findings import Severity
from flowwarden.monitor.render.text import describe
from flowwarden.policy.detection import Thresholds
from flowwarden.policy.policy import Policy
from flowwarden.records.model import Flow, FlowDirection
from tests.flows import flow, rejected
from tests.monitor.batches import batch, finding_with, triaged

inspect = finding_with(nacl_blocks_replies.DETECTOR)

SERVER = "10.0.2.30:5432"
MIN_TUPLES = Thresholds().nacl_tuples
IN, OUT = FlowDirection.INGRESS, FlowDirection.EGRESS


def refused_answers(
    count: int, way: FlowDirection = OUT, *, flags: bool = True, subnet: str | None = None
) -> list[Flow]:
    """This number of requests accepted at an interface, with their rejected replies."""
    back = IN if way is OUT else OUT
    return [
        each
        for number in range(count)
        for client in (f"10.0.1.{20 + number}:{40000 + number}",)
        for each in (
            flow(client, SERVER, tcp_flags=2 if flags else None, flow_direction=back, subnet_id=subnet),
            rejected(SERVER, client, tcp_flags=18 if flags else None, flow_direction=way, subnet_id=subnet),
        )
    ]


@pytest.mark.parametrize("flags", [True, False])
def test_replies_rejected_outbound_are_the_outbound_rules(*, flags: bool) -> None:
    """Of the server's network ACL, with or without flags in the log format."""
    (finding,) = inspect(batch(*refused_answers(MIN_TUPLES, flags=flags)), Policy())
    assert (finding.subject, finding.severity) == ("10.0.2.30", Severity.MEDIUM)
    assert finding.aspect == "outbound"
    assert "denies replies from 10.0.2.30" in describe(finding).summary
    assert "outbound rules deny replies" in describe(finding).likely
    assert finding.example.confidence >= 0.95


def test_replies_rejected_inbound_are_the_inbound_rules() -> None:
    """Of the client's network ACL."""
    flows = [
        each
        for number in range(MIN_TUPLES)
        for each in (
            flow(f"10.0.1.20:{40000 + number}", SERVER, tcp_flags=2, flow_direction=OUT),
            rejected(SERVER, f"10.0.1.20:{40000 + number}", tcp_flags=18, flow_direction=IN),
        )
    ]
    (finding,) = inspect(batch(*flows), Policy())
    assert (finding.subject, finding.aspect) == ("10.0.1.20", "inbound")
    assert "denies replies to 10.0.1.20" in describe(finding).summary


def test_a_subnet_is_one_finding() -> None:
    """The network ACL belongs to the subnet."""
    here = {"tcp_flags": 18, "flow_direction": OUT, "subnet_id": "subnet-1"}
    neighbor = rejected("10.0.2.31:80", "10.0.1.9:40000", **here)
    (finding,) = inspect(batch(*refused_answers(2, subnet="subnet-1"), neighbor), Policy())
    assert finding.subject == "subnet-1"
    assert [name for name, _ in finding.tally.servers] == ["10.0.2.30", "10.0.2.31"]


def test_two_connections_are_too_few() -> None:
    """A connection that is logged repeatedly counts once."""
    assert inspect(batch(*refused_answers(MIN_TUPLES - 1)), Policy()) == []
    fewer = Policy(thresholds=Thresholds(nacl_tuples=MIN_TUPLES - 1))
    assert len(inspect(batch(*refused_answers(MIN_TUPLES - 1)), fewer)) == 1
    again = [
        rejected(SERVER, "10.0.1.20:40000", tcp_flags=18, flow_direction=OUT, start=at) for at in range(9)
    ]
    assert inspect(batch(*again), Policy()) == []


def test_backscatter_and_leftovers_are_not_a_fault_of_a_network_acl() -> None:
    """Replies without a request, and late packets."""
    strays = [
        rejected(f"203.0.113.{number}:443", "10.0.2.30:40000", tcp_flags=18, flow_direction=IN)
        for number in range(9)
    ]
    late = [
        rejected(SERVER, f"10.0.1.{number}:40000", tcp_flags=flags, flow_direction=OUT)
        for number, flags in enumerate((0, 1, 4, 5) * 3)
    ]
    assert inspect(batch(*strays, *late), Policy()) == []


def test_without_flags_late_packets_do_not_count() -> None:
    """All replies of these connections except the last were accepted."""
    worked = [
        flow(SERVER, f"10.0.1.{20 + number}:{40000 + number}", flow_direction=OUT) for number in range(9)
    ]
    assert inspect(batch(*refused_answers(9, flags=False), *worked), Policy()) == []


def test_the_finding_inhibits_less_specific_ones_in_its_subnet() -> None:
    """And nowhere else."""
    blocked = [
        rejected(f"10.0.2.7{number}:40000", "10.0.9.1:443", tcp_flags=2, flow_direction=OUT, subnet_id=subnet)
        for number, subnet in enumerate(("subnet-1", "subnet-2"))
    ]
    flows = batch(*refused_answers(MIN_TUPLES, subnet="subnet-1"), *blocked)
    found = [(each.detector, each.example.flow.subnet_id) for each in triaged(flows, Policy())]
    assert found == [("blocked-connection", "subnet-2"), ("nacl-blocks-replies", "subnet-1")]


def test_exempt_hosts_do_not_matter_to_a_subnet() -> None:
    """A subnet is not an address."""
    flows = batch(*refused_answers(MIN_TUPLES, subnet="subnet-1"))
    (finding,) = triaged(flows, Policy(exempt=("10.0.2.30/32",)))
    assert finding.severity.pages
