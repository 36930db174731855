"""VPCs get their flow logs, once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from local.cloudtrail_events import creation, failed_creation
from local.scenario import PATIENCE_SECONDS, Stage

pytestmark = pytest.mark.e2e

CIDR = "10.32.0.0/16"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_new_vpc_is_covered_by_the_event_of_its_creation(stage: Stage) -> None:
    """The deployed rule's targets, given the event, make the wanted flow log and tell operations."""
    vpc = make_vpc(stage)
    stage.births.tell(creation(vpc, CIDR, NOW))
    (report,) = stage.operations.wait(1, PATIENCE_SECONDS)
    stage.enforcer.wait(1, PATIENCE_SECONDS)
    assert [group for _, group in stage.flow_logs(vpc)] == [stage.stack.flow_log_group]
    assert vpc in report.subject
    assert report.attributes["kind"] == "enforcement"


def test_the_same_event_twice_makes_one_flow_log(stage: Stage) -> None:
    """Events come at least once."""
    vpc = make_vpc(stage)
    for _ in range(2):
        stage.births.tell(creation(vpc, CIDR, NOW))
        assert stage.enforcer.wait(1, PATIENCE_SECONDS)
    assert len(stage.flow_logs(vpc)) == 1
    assert len(stage.operations.take()) == 1


def test_the_rule_takes_creations_that_succeeded_and_no_others(stage: Stage) -> None:
    """Failed calls are filtered out in the pattern: they never wake the enforcer."""
    created = creation("vpc-1", CIDR, NOW)
    assert stage.births.rule_takes(created)
    assert stage.births.rule_takes(created | {"eventName": "CreateDefaultVpc"})
    assert not stage.births.rule_takes(failed_creation(CIDR, NOW))
    assert not stage.births.rule_takes(created | {"eventName": "DeleteVpc"})


def test_a_sweep_covers_what_is_uncovered_and_the_next_does_nothing(stage: Stage) -> None:
    """One run a VPC is enough; what is covered stays as it is."""
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


def make_vpc(stage: Stage) -> str:
    """A VPC without flow logs."""
    return stage.clients.ec2.create_vpc(CidrBlock=CIDR)["Vpc"]["VpcId"]
