"""Which flow log counts as the wanted one, and what a VPC without it is told."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from flowwarden.compliance import plan
from flowwarden.compliance.coverage import Coverage, is_own, judge, same_destination
from flowwarden.compliance.desired import DesiredFlowLog, managed_tags
from flowwarden.compliance.inventory import FlowLog, Vpc

ACCOUNT = "111122223333"
GROUP = "/flow-warden/flow-logs"
ARN = f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:{GROUP}"
DESIRED = DesiredFlowLog(
    log_group_name=GROUP,
    delivery_role_arn="arn:aws:iam::111122223333:role/delivery",
    log_format="${version} ${srcaddr} ${dstaddr}",
)
VPC = Vpc(vpc_id="vpc-1", owner_id=ACCOUNT)
WANTED = FlowLog(
    flow_log_id="fl-1",
    resource_id="vpc-1",
    traffic_type="ALL",
    log_destination_type="cloud-watch-logs",
    log_group_name=GROUP,
    log_format="${version} ${srcaddr} ${dstaddr}",
    max_aggregation_interval=60,
    deliver_logs_status="SUCCESS",
)


def but(**changes: Any) -> FlowLog:
    """The wanted flow log, changed."""
    return msgspec.structs.replace(WANTED, **changes)


@pytest.mark.parametrize(
    "flow_log",
    [
        WANTED,
        but(log_group_name=None, log_destination=ARN),
        but(log_group_name=None, log_destination=f"{ARN}:*"),
        but(log_group_name=None, log_destination=GROUP),
        but(log_destination=ARN),
        but(log_format="${version}  ${srcaddr} ${dstaddr} "),
        but(log_format=None),
        but(max_aggregation_interval=None),
        but(traffic_type=None),
        but(log_destination_type=None),
        but(deliver_logs_status=None),
    ],
)
def test_wanted_flow_log_covers(flow_log: FlowLog) -> None:
    """The destination may be told in any way; what the description leaves out is unknown, not drift."""
    verdict = judge(VPC, [flow_log], DESIRED, ACCOUNT)
    assert verdict.coverage is Coverage.COVERED
    assert verdict.flow_log_id == "fl-1"
    assert plan.make(verdict) == ()


@pytest.mark.parametrize(
    ("flow_log", "why"),
    [
        (but(traffic_type="REJECT"), "traffic type REJECT, not ALL"),
        (but(traffic_type="ACCEPT"), "traffic type ACCEPT, not ALL"),
        (but(log_format="${version} ${dstaddr} ${srcaddr}"), "another log format"),
        (but(max_aggregation_interval=600), "aggregates 600 s, not 60 s"),
        (but(log_group_name="/flow-warden/flow-logs-2"), "writes to /flow-warden/flow-logs-2"),
        (but(log_group_name="flow-logs"), "writes to flow-logs"),
        (but(log_group_name=None), "writes to an unknown place"),
        (
            but(log_destination_type="s3", log_group_name=None, log_destination="arn:aws:s3:::b"),
            "arn:aws:s3:::b",
        ),
        (but(log_destination=ARN.replace(ACCOUNT, "444455556666")), "444455556666"),
        (but(log_destination=f"{ARN}-2:*"), "flow-logs-2:*"),
    ],
)
def test_any_other_flow_log_does_not_cover(flow_log: FlowLog, why: str) -> None:
    """A flow log that differs leaves the VPC uncovered; the reason says how it differs, for the plan."""
    verdict = judge(VPC, [flow_log], DESIRED, ACCOUNT)
    assert verdict.coverage is Coverage.UNCOVERED
    assert why in verdict.reason
    assert plan.make(verdict) == (plan.Create(vpc_id="vpc-1", reason=verdict.reason),)


def test_flow_log_of_a_subnet_or_of_another_vpc_does_not_cover() -> None:
    """Only the VPC's own flow log sees all of its traffic."""
    others = [but(resource_id="subnet-1"), but(resource_id="vpc-2")]
    verdict = judge(VPC, others, DESIRED, ACCOUNT)
    assert verdict.coverage is Coverage.UNCOVERED
    assert verdict.reason == "has no flow log"


def test_shared_vpc_is_skipped_whatever_it_has() -> None:
    """Only the owner of a shared VPC can switch on its flow log."""
    verdict = judge(Vpc(vpc_id="vpc-1", owner_id="444455556666"), [], DESIRED, ACCOUNT)
    assert verdict.coverage is Coverage.SKIPPED
    assert "444455556666" in verdict.reason
    assert plan.make(verdict) == ()


def test_vpc_whose_owner_nobody_told_counts_as_ours() -> None:
    """Skipping it would leave it unwatched; EC2 refuses if it is somebody else's."""
    assert judge(Vpc(vpc_id="vpc-1", owner_id=""), [], DESIRED, ACCOUNT).coverage is Coverage.UNCOVERED


@pytest.mark.parametrize(
    ("tags", "own"),
    [
        (managed_tags("flow-warden"), True),
        (managed_tags("another-stack"), False),
        ({"Name": "flow-warden"}, False),
        ({}, False),
    ],
)
def test_own_flow_logs_are_known_by_the_stack_s_tag(tags: dict[str, str], own: bool) -> None:  # noqa: FBT001  a table's column
    """Neither a name nor another stack's tag makes a flow log ours; a stack without a tag owns none."""
    desired = msgspec.structs.replace(DESIRED, tags=managed_tags("flow-warden"))
    assert is_own(but(tags=tags), desired) is own
    assert not is_own(but(tags=tags), DESIRED)


@pytest.mark.parametrize(
    ("message", "mending"),
    [
        ("Access error", "delivery role trusts vpc-flow-logs.amazonaws.com"),
        ("Rate limited", "higher CloudWatch Logs quota"),
        ("Unknown error", "delete this flow log"),
        (None, "delete this flow log"),
    ],
)
def test_flow_log_that_does_not_deliver_is_broken(message: str | None, mending: str) -> None:
    """ACTIVE does not mean delivering; the reason repeats EC2's message and says how to mend it."""
    failing = but(deliver_logs_status="FAILED", deliver_logs_error_message=message)
    verdict = judge(VPC, [failing], DESIRED, ACCOUNT)
    assert verdict.coverage is Coverage.BROKEN
    assert verdict.flow_log_id == "fl-1"
    assert (message or "no error message") in verdict.reason
    assert mending in verdict.reason
    assert plan.make(verdict) == (plan.Report(vpc_id="vpc-1", reason=verdict.reason),)


def test_one_wanted_flow_log_that_delivers_is_enough() -> None:
    """A broken twin does not uncover a VPC."""
    twin = but(flow_log_id="fl-2", deliver_logs_status="FAILED")
    assert judge(VPC, [twin, WANTED], DESIRED, ACCOUNT).flow_log_id == "fl-1"


def test_foreign_flow_log_that_fails_is_none_of_our_business() -> None:
    """Only the wanted flow log's delivery is judged."""
    foreign = but(flow_log_id="fl-2", log_group_name="/other", deliver_logs_status="FAILED")
    assert judge(VPC, [foreign, WANTED], DESIRED, ACCOUNT).coverage is Coverage.COVERED


def test_same_destination_ignores_traffic_type_and_format() -> None:
    """It tells what stands in the wanted flow log's way, not what is wanted."""
    assert same_destination(but(traffic_type="REJECT", log_format="${version}"), DESIRED, ACCOUNT)
    assert not same_destination(but(log_group_name="/other"), DESIRED, ACCOUNT)


def test_steps_are_data_that_can_be_printed() -> None:
    """A plan is printed before anything is done (dry run)."""
    (step,) = plan.make(judge(VPC, [], DESIRED, ACCOUNT))
    assert msgspec.to_builtins(step) == {"type": "Create", "vpc_id": "vpc-1", "reason": "has no flow log"}
