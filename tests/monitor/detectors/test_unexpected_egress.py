"""unexpected-egress: a host that should only answer connects to the internet."""

from __future__ import annotations

import pytest

from flowwarden.monitor.detectors import unexpected_egress
from flowwarden.monitor.detectors.unexpected_egress import Facts, Listener
from flowwarden.monitor.render.text import describe
from flowwarden.monitor.traffic.contact import ContactOutcome
from flowwarden.policy.policy import Policy
from tests.flows import flow, rejected
from tests.monitor.batches import batch, finding_with
from tests.monitor.suspicion import CLIENT, contact, suspect

inspect = finding_with(unexpected_egress.DETECTOR)

DATABASE, OUTSIDE = "10.0.2.30", "198.51.100.77"
CALL = (f"{DATABASE}:49800", f"{OUTSIDE}:443")


@pytest.mark.parametrize("named", ["eni-1", "i-1", DATABASE, "10.0.2.0/24"])
def test_a_listener_is_named_by_interface_instance_address_or_cidr(named: str) -> None:
    """Any of the four identifies it."""
    flows = batch(flow(*CALL, tcp_flags=2, instance_id="i-1"))
    (finding,) = inspect(flows, Policy(listener_only=(named,)))
    assert finding.facts == Facts(Listener.DECLARED)
    assert (
        describe(finding).summary == "10.0.2.30 connected to 198.51.100.77 on the internet: HTTPS (tcp/443)."
    )


def test_a_listener_that_ec2_does_not_describe_is_inspected() -> None:
    """Without EC2, its public address counts as an internet address, but the policy names it."""
    policy = Policy(listener_only=("2600:1f18::5",))
    (finding,) = inspect(batch(flow("[2600:1f18::5]:50000", "[2001:db8::1]:443", tcp_flags=2)), policy)
    assert finding.subject == "2600:1f18::5"


def test_the_answer_belongs_to_the_connection() -> None:
    """Both directions, one connection, one finding."""
    flows = batch(flow(*CALL, tcp_flags=2), flow(*reversed(CALL), tcp_flags=18))
    (finding,) = inspect(flows, Policy(listener_only=("eni-1",)))
    assert (finding.tally.records, finding.tally.connections) == (2, 1)


def test_many_destinations_are_one_finding() -> None:
    """The subject is the listener."""
    flows = batch(*(flow(CALL[0], f"198.51.100.{i}:443", tcp_flags=2) for i in range(5)))
    (finding,) = inspect(flows, Policy(listener_only=(DATABASE,)))
    assert "and 4 other hosts" in describe(finding).summary


def test_expected_traffic_of_a_listener_is_not_a_finding() -> None:
    """Replies, calls to internal hosts and AWS services, rejected calls, and calls of other hosts."""
    flows = batch(
        flow(f"{DATABASE}:443", f"{OUTSIDE}:49800", tcp_flags=18),
        flow(f"{DATABASE}:49800", "10.0.1.5:443", tcp_flags=2),
        flow(f"{DATABASE}:49800", "52.216.0.1:443", tcp_flags=2, pkt_dst_aws_service="S3"),
        rejected(*CALL, tcp_flags=2),
        flow(f"{DATABASE}:49800", f"{OUTSIDE}:50900"),  # no flags, no service port: a guess
    )
    assert inspect(flows, Policy(listener_only=(DATABASE, "eni-1"))) == []
    assert inspect(batch(flow(*CALL, tcp_flags=2)), Policy(listener_only=("10.0.3.0/24",))) == []


def test_the_interface_that_logs_a_passing_client_is_not_the_client() -> None:
    """An interface id identifies its own host only."""
    passing = flow("10.0.1.9:40000", "198.51.100.7:443", tcp_flags=2)
    flows = batch(passing, flow("10.0.1.8:40000", "10.0.2.30:5432", tcp_flags=2))
    assert inspect(flows, Policy(listener_only=("eni-1",))) == []


OUT = contact(OUTSIDE, 443, ContactOutcome.ANSWERED, "internet")


def test_a_role_that_only_listens_needs_no_declaration() -> None:
    """Its behavior was learned."""
    one = suspect(OUT, only_listens=True)
    (finding,) = unexpected_egress.inspect(one)
    assert (finding.detector, finding.subject) == ("unexpected-egress", CLIENT)
    assert finding.facts == Facts(Listener.LEARNED, "tag:Role=web")
    assert "never connected to the internet" in describe(finding).because


def test_other_roles_internal_targets_and_failures_are_not_a_finding() -> None:
    """Being seen for the first time alone never pages."""
    refused, inside = (
        contact(OUTSIDE, 443, peer="internet"),
        contact("10.0.9.1", 443, ContactOutcome.ANSWERED),
    )
    for one in (
        suspect(OUT),
        suspect(OUT, only_listens=True, learning=True),
        suspect(refused, only_listens=True),
        suspect(inside, only_listens=True),
    ):
        assert unexpected_egress.inspect(one) == []
