"""How a run of the enforcer handles silence: of one VPC, and of all."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flowwarden.enforcer.decide.delivery import slots
from flowwarden.enforcer.observe import observe
from flowwarden.enforcer.registry import Registry
from flowwarden.enforcer.reporting.recurring import UNVERIFIED
from flowwarden.enforcer.reporting.report import Result
from flowwarden.enforcer.triggers.trigger import Trigger
from flowwarden.enforcer.work_queue import WorkItem
from flowwarden.errors import CallFailed, EnforcementError, PublishFailed
from flowwarden.network.interface import NetworkInterface
from flowwarden.state import heartbeats
from tests.enforcer.fakes import ACCOUNT, GROUP, STACK, Fakes, MemoryRegistry
from tests.enforcer.fakes_ec2 import FakeEc2
from tests.enforcer.runs import (
    AT_ONCE,
    BIRTH,
    BORN,
    FORBIDDEN,
    RETRY,
    SWEEP,
    THROTTLED,
    enforce,
    existing,
    only,
    own,
    run,
)
from tests.monitor.fakes_state import MemoryEvidence

HOST = NetworkInterface(interface_id="eni-0a", vpc_id="vpc-1", instance_id="i-1", instance_owner=ACCOUNT)


def others_write(fakes: Fakes) -> Fakes:
    """Other interfaces write into the log group the whole time."""
    for each in heartbeats.additions(GROUP, dict.fromkeys(slots(BORN + 10), frozenset({1}))):
        fakes.evidence.add(each)
    return fakes


@pytest.mark.parametrize(
    ("running", "result"), [({"i-1": None}, Result.BROKEN), ({"i-2": None}, Result.COVERED)]
)
def test_a_vpc_whose_instances_are_stopped_is_not_silent(
    running: dict[str, int | None], result: Result
) -> None:
    """This costs one more call, if interfaces belong to instances."""
    ec2 = FakeEc2(own("vpc-1"), [existing(creation_time=1)], [HOST], instances_running=running)
    report = enforce(others_write(Fakes(ec2=ec2)))
    assert (only(report).result, ec2.calls["DescribeInstances"]) == (result, 1)


@pytest.mark.parametrize("fault", [FORBIDDEN, THROTTLED, CallFailed("InternalError")])
def test_a_failed_listing_of_instances_is_reported_and_blocks_nothing(fault: EnforcementError) -> None:
    """The sweep continues; an interface without an instance counts as before."""
    vpcs, logs = own("vpc-1", "vpc-2"), [existing(each, creation_time=1) for each in ("vpc-1", "vpc-2")]
    endpoint = NetworkInterface(interface_id="eni-0b", vpc_id="vpc-2")
    ec2 = FakeEc2(vpcs, logs, [HOST, endpoint], instances_fault=fault)
    report = enforce(others_write(Fakes(ec2=ec2)))
    assert [each.result for each in report.outcomes] == [Result.PENDING, Result.BROKEN]
    trouble, unproven = report.problems
    assert (trouble.resource, str(fault) in trouble.summary) == ("EC2 instances", True)
    assert unproven.resource == "fl-of-vpc-1"


def test_a_run_for_one_vpc_lists_only_its_own_instances() -> None:
    """Those to which its interfaces belong."""
    ec2 = FakeEc2(own("vpc-1"), [existing()], [HOST], instances_running={"i-1": None, "i-2": None})
    observed = observe(ec2, MemoryEvidence(), Registry(MemoryRegistry()), STACK, ["vpc-1"], BORN)
    assert observed.resources["vpc-1"].interfaces == (HOST,)
    assert ec2.instances_asked == [["i-1"]]


def silent_fakes() -> Fakes:
    """The only VPC has an old flow log and an active interface, and the monitor never saw a record."""
    old = existing(creation_time=BORN - 24 * 3600)
    interface = NetworkInterface(interface_id="eni-0a", vpc_id="vpc-1")
    return Fakes(ec2=FakeEc2(own("vpc-1"), [old], [interface]))


def test_total_silence_is_reported_once_per_suppression_window_and_changes_nothing() -> None:
    """The only VPC of the account is silent; this is reported again as long as it lasts."""
    fakes = silent_fakes()
    service = fakes.service(AT_ONCE)
    for hour in range(9):
        report = run(service, SWEEP, BORN + hour * 3600)
        assert [each.resource for each in report.problems] == [GROUP]
        assert only(report).result is Result.PENDING
    assert len(fakes.sink.sent) == 3
    assert f"action required for {GROUP}" in fakes.sink.sent[0].subject
    assert "the monitor does not see them" in fakes.sink.sent[0].text
    ec2 = fakes.ec2
    assert isinstance(ec2, FakeEc2)
    assert (ec2.asked, ec2.deleted) == ([], [])


def test_a_suppressed_incident_is_left_out_of_other_notifications() -> None:
    """It was already reported in this suppression window."""
    fakes = silent_fakes()
    service = fakes.service(AT_ONCE)
    run(service, SWEEP, BORN)
    ec2 = fakes.ec2
    assert isinstance(ec2, FakeEc2)
    ec2.vpcs_listed += own("vpc-2")
    run(service, SWEEP, BORN + 3600)
    assert len(fakes.sink.sent) == 2
    assert GROUP not in fakes.sink.sent[1].text
    assert fakes.sink.sent[1].subject.startswith("[INFO] flow log created for vpc-2")


@pytest.mark.parametrize("trigger", [RETRY, BIRTH, replace(SWEEP, deployed=True)])
def test_only_sweeps_report_silence_and_not_right_after_a_deployment(trigger: Trigger) -> None:
    """Retries and events do not report it."""
    fakes = silent_fakes()
    fakes.queue.items["vpc-1"] = WorkItem(vpc_id="vpc-1", due=BORN, reason="x")
    assert enforce(fakes, trigger).problems == ()
    assert fakes.reported == set()


def test_without_the_state_table_nothing_counts_as_silent() -> None:
    """The activity of interfaces is then unknown."""
    fakes = silent_fakes()
    fakes.evidence.is_away = True
    assert enforce(fakes).problems == ()


def test_silence_that_could_not_be_reported_is_reported_by_the_retry() -> None:
    """Its claim was released; without the state table, it is reported every time."""
    fakes = silent_fakes()
    service = fakes.service(AT_ONCE)
    fakes.sink.away = True
    with pytest.raises(PublishFailed):
        run(service, SWEEP, BORN)
    fakes.sink.away = False
    run(service, SWEEP, BORN + 60)
    fakes.queue.broken = True
    run(fakes.service(AT_ONCE), SWEEP, BORN + 120)
    assert len(fakes.sink.sent) == 2


PARTICIPANT = replace(HOST, instance_owner="444455556666")
"""The interface of another account's instance, in a VPC that this account shares with it."""


def test_flow_logs_unverified_for_a_day_are_reported_once_per_suppression_window() -> None:
    """It is unknown whether another account's instances run. One report covers all VPCs; none is broken."""
    shared = [replace(PARTICIPANT, interface_id=f"eni-0{each}", vpc_id=f"vpc-{each}") for each in (1, 2)]
    logs = [existing(each, creation_time=BORN - 24 * 3600) for each in ("vpc-1", "vpc-2")]
    fakes = others_write(Fakes(ec2=FakeEc2(own("vpc-1", "vpc-2"), logs, shared)))
    service = fakes.service(AT_ONCE)
    for minutes in (0, 60, 120):
        report = run(service, SWEEP, BORN + 10 + minutes)
        assert [each.resource for each in report.problems] == ["2 flow logs"]
        assert {each.result for each in report.outcomes} == {Result.PENDING}
    (sent,) = fakes.sink.sent
    assert "delivery is still not verified: fl-of-vpc-1 of vpc-1, fl-of-vpc-2 of vpc-2." in sent.text
    assert fakes.reported == {UNVERIFIED}
    assert fakes.service(AT_ONCE).reconcile(RETRY, BORN + 10).problems == ()
    deployed = fakes.service(AT_ONCE).reconcile(replace(SWEEP, deployed=True), BORN + 10)
    assert deployed.problems == ()


def test_the_flow_logs_of_a_silent_group_are_not_reported_twice() -> None:
    """The group is reported instead."""
    assert [each.resource for each in enforce(silent_fakes()).problems] == [GROUP]
