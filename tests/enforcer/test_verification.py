"""What a run of the enforcer makes of silence: of a VPC's, and of everybody's."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flowwarden.enforcer.decide.delivery import slots
from flowwarden.enforcer.observe import observe
from flowwarden.enforcer.reporting.recurring import UNVERIFIED
from flowwarden.enforcer.reporting.report import Result
from flowwarden.enforcer.triggers.trigger import Trigger
from flowwarden.enforcer.work_queue import WorkItem
from flowwarden.errors import CallFailed, EnforcementError, PublishFailed
from flowwarden.network.interface import NetworkInterface
from flowwarden.state import heartbeats
from tests.enforcer.fakes import ACCOUNT, GROUP, STACK, Fakes
from tests.enforcer.fakes_ec2 import FakeEc2
from tests.enforcer.runs import (
    AT_ONCE,
    BIRTH,
    BORN,
    FORBIDDEN,
    LOOK,
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
    """Somebody else writes into the log group all the time."""
    for each in heartbeats.additions(GROUP, dict.fromkeys(slots(BORN + 10), frozenset({1}))):
        fakes.evidence.add(each)
    return fakes


@pytest.mark.parametrize(
    ("running", "result"), [({"i-1": None}, Result.BROKEN), ({"i-2": None}, Result.COVERED)]
)
def test_a_vpc_whose_instances_are_stopped_is_not_silent(
    running: dict[str, int | None], result: Result
) -> None:
    """One call more, where interfaces belong to instances."""
    ec2 = FakeEc2(own("vpc-1"), [existing(creation_time=1)], [HOST], instances_running=running)
    report = enforce(others_write(Fakes(ec2=ec2)))
    assert (only(report).result, ec2.calls["DescribeInstances"]) == (result, 1)


@pytest.mark.parametrize("fault", [FORBIDDEN, THROTTLED, CallFailed("InternalError")])
def test_instances_that_cannot_be_asked_about_are_told_and_break_nothing(fault: EnforcementError) -> None:
    """The rest of the sweep goes on; an interface without an instance counts as ever."""
    vpcs, logs = own("vpc-1", "vpc-2"), [existing(each, creation_time=1) for each in ("vpc-1", "vpc-2")]
    endpoint = NetworkInterface(interface_id="eni-0b", vpc_id="vpc-2")
    ec2 = FakeEc2(vpcs, logs, [HOST, endpoint], instances_fault=fault)
    report = enforce(others_write(Fakes(ec2=ec2)))
    assert [each.result for each in report.outcomes] == [Result.PENDING, Result.BROKEN]
    trouble, unproven = report.troubles
    assert (trouble.resource, str(fault) in trouble.summary) == ("EC2 instances", True)
    assert unproven.resource == "fl-of-vpc-1"


def test_a_look_at_one_vpc_asks_about_its_own_instances_alone() -> None:
    """As many as a filter takes."""
    ec2 = FakeEc2(own("vpc-1"), [existing()], [HOST], instances_running={"i-1": None, "i-2": None})
    assert observe(ec2, MemoryEvidence(), STACK, ["vpc-1"], BORN).resources["vpc-1"].interfaces == (HOST,)
    assert ec2.instances_asked == [["i-1"]]


def silent_fakes() -> Fakes:
    """The only VPC has an old flow log and an active interface, and nothing was ever seen."""
    old = existing(creation_time=BORN - 24 * 3600)
    interface = NetworkInterface(interface_id="eni-0a", vpc_id="vpc-1")
    return Fakes(ec2=FakeEc2(own("vpc-1"), [old], [interface]))


def test_total_silence_is_told_once_in_a_suppression_window_and_changes_nothing() -> None:
    """The only VPC of an account: nobody else writes; and it is told again while it lasts."""
    fakes = silent_fakes()
    service = fakes.service(AT_ONCE)
    for hour in range(9):
        report = run(service, SWEEP, BORN + hour * 3600)
        assert [each.resource for each in report.troubles] == [GROUP]
        assert only(report).result is Result.PENDING
    assert len(fakes.sink.sent) == 3
    assert f"action required for {GROUP}" in fakes.sink.sent[0].subject
    assert "the monitor does not see them" in fakes.sink.sent[0].text
    ec2 = fakes.ec2
    assert isinstance(ec2, FakeEc2)
    assert (ec2.asked, ec2.deleted) == ([], [])


def test_what_is_repeated_is_not_told_with_other_news() -> None:
    """It has been told."""
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


@pytest.mark.parametrize("trigger", [LOOK, BIRTH, replace(SWEEP, deployed=True)])
def test_silence_is_a_sweep_s_business_and_a_new_monitor_has_seen_nothing_yet(trigger: Trigger) -> None:
    """Neither looks nor events tell of it."""
    fakes = silent_fakes()
    fakes.queue.items["vpc-1"] = WorkItem(vpc_id="vpc-1", due=BORN, reason="x")
    assert enforce(fakes, trigger).troubles == ()
    assert fakes.reported == set()


def test_without_the_state_table_nothing_is_known_to_be_silent() -> None:
    """Nor does anybody know who wrote."""
    fakes = silent_fakes()
    fakes.evidence.is_away = True
    assert enforce(fakes).troubles == ()


def test_silence_that_could_not_be_told_is_told_by_the_retry() -> None:
    """Its claim is free; and without the state table it is told every time."""
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
"""The interface of an instance of another account, in a VPC of ours that is shared with it."""


def test_what_stays_unproven_for_a_day_is_told_once_in_a_suppression_window() -> None:
    """Nobody can tell whether another account's instances run; for all VPCs in one, and nothing is broken."""
    shared = [replace(PARTICIPANT, interface_id=f"eni-0{each}", vpc_id=f"vpc-{each}") for each in (1, 2)]
    logs = [existing(each, creation_time=BORN - 24 * 3600) for each in ("vpc-1", "vpc-2")]
    fakes = others_write(Fakes(ec2=FakeEc2(own("vpc-1", "vpc-2"), logs, shared)))
    service = fakes.service(AT_ONCE)
    for minutes in (0, 60, 120):
        report = run(service, SWEEP, BORN + 10 + minutes)
        assert [each.resource for each in report.troubles] == ["2 flow logs"]
        assert {each.result for each in report.outcomes} == {Result.PENDING}
    (sent,) = fakes.sink.sent
    assert "fl-of-vpc-1 of vpc-1, fl-of-vpc-2 of vpc-2. At least a day old" in sent.text
    assert fakes.reported == {UNVERIFIED}
    assert fakes.service(AT_ONCE).reconcile(LOOK, BORN + 10).troubles == ()
    deployed = fakes.service(AT_ONCE).reconcile(replace(SWEEP, deployed=True), BORN + 10)
    assert deployed.troubles == ()


def test_a_silent_group_s_flow_logs_are_not_told_twice() -> None:
    """The group is told of."""
    assert [each.resource for each in enforce(silent_fakes()).troubles] == [GROUP]
