"""What notifications need names for: the far ends in the same VPC, subnets, and named interfaces."""

from __future__ import annotations

from msgspec.structs import replace

from flowwarden.monitor.findings import Severity, TrafficFinding
from flowwarden.monitor.names import Wanted
from flowwarden.monitor.naming import MOST_FINDINGS, wanted
from flowwarden.monitor.traffic.hosts import Hosts
from flowwarden.records.model import FlowDirection
from tests.flows import rejected
from tests.monitor.batches import triaged
from tests.monitor.fakes_interfaces import having
from tests.monitor.render.examples import EXAMPLES
from tests.monitor.render.golden import DATABASE, WEB, only_blocked

HOSTS = Hosts({"eni-1": WEB})


def test_the_far_end_in_the_vpc_is_looked_up_and_the_known_end_is_not() -> None:
    """The subnet of the known one is."""
    assert wanted([only_blocked()], HOSTS) == Wanted(
        addresses=(("vpc-1", "10.0.2.30"),), subnets=("subnet-1",)
    )


def test_a_far_end_that_the_container_knows_is_not_looked_up() -> None:
    """Its subnet is."""
    hosts = Hosts({"eni-1": WEB}, having((DATABASE, 0)))
    assert wanted([only_blocked()], hosts) == Wanted(subnets=("subnet-1", "subnet-2"))


def test_addresses_outside_the_vpc_are_not_looked_up() -> None:
    """In another VPC, the internet or a data center, EC2 would name the wrong host or none."""
    for address in ("10.1.2.30", "203.0.113.9", "192.168.1.1"):
        asked = [
            rejected("10.0.1.20:50000", f"{address}:5432", tcp_flags=2, flow_direction=FlowDirection.EGRESS,
                     vpc_id="vpc-1")
        ] * 3  # fmt: skip
        for finding in triaged(asked):
            needed = wanted([replace(finding, severity=Severity.HIGH)], HOSTS)
            assert needed is not None
            assert needed.addresses == ()


def test_nothing_is_looked_up_in_a_vpc_whose_networks_are_unknown() -> None:
    """EC2 did not describe the interface that logged the records."""
    needed = wanted([only_blocked()], Hosts({}))
    assert needed is not None
    assert needed.addresses == ()


def test_findings_that_do_not_notify_need_no_names() -> None:
    """Nor does a batch without findings."""
    assert wanted([], HOSTS) is None
    assert wanted([replace(only_blocked(), severity=Severity.INFO)], HOSTS) is None


def test_interfaces_that_findings_name_are_looked_up() -> None:
    """Silent interfaces have no flows."""
    assert wanted([EXAMPLES["interface-silent"]()], HOSTS) == Wanted(
        interfaces=tuple(f"eni-{each}" for each in range(5))
    )


def test_what_is_looked_up_is_bounded() -> None:
    """However many findings a batch has."""
    finding = only_blocked()
    assert isinstance(finding, TrafficFinding)
    many = [
        replace(finding, tally=replace(finding.tally, servers=((f"10.0.{each}.1", 1),)))
        for each in range(200)
    ]
    needed = wanted(many, HOSTS)
    assert needed is not None
    assert len(needed.addresses) == MOST_FINDINGS
