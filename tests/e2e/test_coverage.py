"""Every VPC gets exactly one flow log."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from flowwarden.policy.flow_logs import INTERFACE, SUBNET
from local.cloudtrail_events import creation, failed_creation
from local.scenario import TIMEOUT_SECONDS, Stage
from local.scenes import LEVEL_TAG

pytestmark = pytest.mark.e2e

CIDR = "10.32.0.0/16"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_new_vpc_is_covered_by_the_event_of_its_creation(stage: Stage) -> None:
    """The deployed rule's target creates the desired flow log and notifies operations."""
    vpc = make_vpc(stage)
    stage.cloudtrail.send(creation(vpc, CIDR, NOW))
    (report,) = stage.operations.wait(1, TIMEOUT_SECONDS)
    stage.enforcer.wait(1, TIMEOUT_SECONDS)
    assert [group for _, group in stage.flow_logs(vpc)] == [stage.stack.flow_log_group]
    assert vpc in report.subject
    assert report.attributes["kind"] == "enforcement"


def test_the_same_event_twice_creates_one_flow_log(stage: Stage) -> None:
    """Events are delivered at least once."""
    vpc = make_vpc(stage)
    for _ in range(2):
        stage.cloudtrail.send(creation(vpc, CIDR, NOW))
        assert stage.enforcer.wait(1, TIMEOUT_SECONDS)
    assert len(stage.flow_logs(vpc)) == 1
    assert len(stage.operations.take()) == 1


def test_the_rule_matches_only_successful_creations(stage: Stage) -> None:
    """The pattern excludes failed calls: they never invoke the enforcer."""
    created = creation("vpc-1", CIDR, NOW)
    assert stage.cloudtrail.rule_matches(created)
    assert stage.cloudtrail.rule_matches(created | {"eventName": "CreateDefaultVpc"})
    assert not stage.cloudtrail.rule_matches(failed_creation(CIDR, NOW))
    assert not stage.cloudtrail.rule_matches(created | {"eventName": "DeleteVpc"})


def test_a_sweep_covers_uncovered_vpcs_and_the_next_does_nothing(stage: Stage) -> None:
    """One run is sufficient; covered VPCs do not change."""
    vpcs = [make_vpc(stage), make_vpc(stage)]
    first = stage.sweep()
    covered = {vpc: stage.flow_logs(vpc) for vpc in vpcs}
    assert [len(logs) for logs in covered.values()] == [1, 1]
    assert first.metrics["FlowLogsCreated"] >= len(vpcs)
    assert len(first.deliveries) == 1
    second = stage.sweep()
    assert second.metrics["FlowLogsCreated"] == 0
    assert second.deliveries == ()
    assert {vpc: stage.flow_logs(vpc) for vpc in vpcs} == covered


@pytest.mark.parametrize("level", [SUBNET, INTERFACE])
def test_each_subnet_or_interface_gets_one_flow_log_where_the_policy_asks_for_it(
    stage: Stage, level: str
) -> None:
    """The role permits that, the VPC gets none, and a second sweep creates nothing."""
    ec2, vpc = stage.clients.ec2, make_vpc(stage)
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": LEVEL_TAG, "Value": level}])
    parts = []
    for number in range(2):
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.32.{number}.0/24")["Subnet"]["SubnetId"]
        eni = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
        parts.append(subnet if level == SUBNET else eni)
    for created in (2, 0):
        sweep = stage.sweep()
        assert [len(stage.flow_logs(each)) for each in (vpc, *parts)] == [0, 1, 1]
        assert (sweep.metrics["FlowLogsCreated"] > 0) == (created > 0)


def make_vpc(stage: Stage) -> str:
    """Create a VPC without flow logs."""
    return stage.clients.ec2.create_vpc(CidrBlock=CIDR)["Vpc"]["VpcId"]
