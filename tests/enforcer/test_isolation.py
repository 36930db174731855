"""One resource about which a call fails never keeps another from being restored, and is the one named.

Each call of the enforcer fails for one resource, with each kind of error, as AWS fails: the whole call fails
if the resource is among those that it is about.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.enforcer.decide.log_groups import CreateLogGroup, LogGroupStep
from flowwarden.enforcer.execute.isolate import CALLS_AT_MOST, FAILED_CALLS, isolate
from flowwarden.enforcer.reporting.report import EnforcementReport, Result
from flowwarden.enforcer.state.desired import DesiredFlowLog
from flowwarden.enforcer.state.inventory import FlowLog, LogGroup, Subnet, Vpc
from flowwarden.enforcer.triggers.trigger import NewVpc, Trigger
from flowwarden.enforcer.work_queue import Cursor
from flowwarden.errors import (
    AlreadyExists,
    CallFailed,
    CallRefused,
    CallThrottled,
    EnforcementError,
    FlowLogExists,
    NotFound,
    VpcGone,
)
from flowwarden.network.interface import NetworkInterface
from flowwarden.policy.flow_logs import FlowLogSpec, FlowLogsPolicy, Rule, Selection
from tests.enforcer.fakes import ACCOUNT, GROUP, FakeGroups, FakeRunClock, Fakes, sound
from tests.enforcer.fakes_ec2 import FakeEc2
from tests.enforcer.runs import BIRTH, BORN, RETRY, SWEEP, deliver, existing, own
from tests.examples import examples

KINDS = (CallRefused, CallFailed, CallThrottled, NotFound, AlreadyExists, VpcGone, FlowLogExists)
SUFFIXES = ("dev", "pci", "prod")
GROUPS = (GROUP, *(f"{GROUP}-{each}" for each in SUFFIXES))
POLICY = FlowLogsPolicy(
    grace_minutes=0,
    rules=tuple(
        Rule(where=Selection(tags={"env": each}), flow_log=FlowLogSpec(log_group_suffix=each))
        for each in SUFFIXES
    ),
)
VPCS = tuple(f"vpc-{number}" for number in range(9))


@dataclass
class Faults:
    """The call that fails, the resources for which it fails, and the error."""

    call: str = ""
    names: Collection[str] = ()
    error: EnforcementError = field(default_factory=lambda: CallRefused("no"))

    def check(self, call: str, *names: str) -> None:
        """Fail if the call is about such a resource."""
        if call == self.call and not set(self.names).isdisjoint(names):
            raise self.error


@dataclass
class FaultyEc2(FakeEc2):
    """Fails like EC2: listings at the item, after the items before it."""

    faults: Faults = field(default_factory=Faults)

    def vpcs(self, vpc_ids: Sequence[str] | None) -> Iterator[Vpc]:
        """List until the failing VPC."""
        for each in super().vpcs(vpc_ids):
            self.faults.check("DescribeVpcs", each.vpc_id)
            yield each

    def flow_logs(self, resource_ids: Sequence[str] | None) -> Iterator[FlowLog]:
        """List until the failing resource, which need not have a flow log."""
        for each in super().flow_logs(resource_ids):
            self.faults.check("DescribeFlowLogs", each.resource_id)
            yield each
        asked = [each.vpc_id for each in self.vpcs_listed] if resource_ids is None else resource_ids
        self.faults.check("DescribeFlowLogs", *asked)

    def interfaces(self, vpc_ids: Sequence[str] | None) -> Iterator[NetworkInterface]:
        """List until the failing VPC."""
        for each in super().interfaces(vpc_ids):
            self.faults.check("DescribeNetworkInterfaces", each.vpc_id)
            yield each

    def subnets(self, vpc_ids: Sequence[str] | None) -> Iterator[Subnet]:
        """List until the failing VPC."""
        for each in super().subnets(vpc_ids):
            self.faults.check("DescribeSubnets", each.vpc_id)
            yield each

    def running(self, instance_ids: Sequence[str] | None) -> Iterator[tuple[str, int | None]]:
        """List until the failing instance."""
        for each in super().running(instance_ids):
            self.faults.check("DescribeInstances", each[0])
            yield each

    def create(self, vpc_id: str, desired: DesiredFlowLog, client_token: str) -> str:
        """Fail or create."""
        self.faults.check("CreateFlowLogs", vpc_id)
        return super().create(vpc_id, desired, client_token)

    def delete(self, flow_log_id: str) -> None:
        """Fail or delete."""
        self.faults.check("DeleteFlowLogs", flow_log_id)
        super().delete(flow_log_id)

    def tag(self, flow_log_ids: Sequence[str], tags: Mapping[str, str]) -> None:
        """Tag all or none."""
        self.faults.check("CreateTags", *flow_log_ids)
        super().tag(flow_log_ids, tags)


@dataclass
class FaultyGroups(FakeGroups):
    """Fails for single log groups."""

    faults: Faults = field(default_factory=Faults)

    def groups(self, names: Collection[str]) -> Iterator[LogGroup]:
        """List until the failing group."""
        for each in super().groups(names):
            self.faults.check("DescribeLogGroups", each.name)
            yield each
        self.faults.check("DescribeLogGroups", *names)

    def carry_out(self, step: LogGroupStep) -> None:
        """Fail or execute; CloudWatch Logs changes no group that does not exist."""
        self.faults.check(type(step).__name__, step.group)
        if not isinstance(step, CreateLogGroup) and step.group not in self.there:
            raise CallRefused(f"ResourceNotFoundException: {step.group}")
        super().carry_out(step)


def account(faults: Faults) -> Fakes:
    """Uncovered VPCs for each rule; one log group is missing, the others lack retention and subscription."""
    environments = ("", *SUFFIXES)
    vpcs = [replace(each, tags={"env": environments[number % 4]}) for number, each in enumerate(own(*VPCS))]
    ec2 = FaultyEc2(
        vpcs,
        interfaces_listed=[NetworkInterface(interface_id=f"eni-{each}", vpc_id=each) for each in VPCS],
        subnets_listed=[Subnet(subnet_id=f"subnet-{each}", vpc_id=each) for each in VPCS],
        faults=faults,
    )
    there = {each: replace(sound(each), subscriptions=(), retention_days=1) for each in GROUPS[:-1]}
    return Fakes(ec2=ec2, groups=FaultyGroups(there, faults=faults))


def covered(fakes: Fakes) -> set[str]:
    """The VPCs that have a flow log."""
    assert isinstance(fakes.ec2, FakeEc2)
    return {each.resource_id for each in fakes.ec2.existing}


def sound_groups(fakes: Fakes) -> set[str]:
    """The log groups that are as the stack requires them."""
    return {name for name, each in fakes.groups.there.items() if each == sound(name)}


def named(report: EnforcementReport) -> set[str | None]:
    """What the report names as not done."""
    done = {Result.CREATED, Result.COVERED, Result.REPLACED, Result.SKIPPED, Result.EXEMPT}
    outcomes = {each.vpc_id for each in report.outcomes if each.result not in done}
    return outcomes | {each.resource for each in report.problems}


def swept(fakes: Fakes, trigger: Trigger = SWEEP) -> EnforcementReport:
    """One run with its report sent."""
    service = fakes.service(POLICY)
    report = service.reconcile(trigger, BORN + 10)
    deliver(service, report)
    return report


CALLS_PER_VPC = ("DescribeFlowLogs", "DescribeNetworkInterfaces", "CreateFlowLogs")
CALLS_PER_GROUP = (
    "DescribeLogGroups",
    "CreateLogGroup",
    "PutRetentionPolicy",
    "PutSubscriptionFilter",
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("call", CALLS_PER_VPC)
def test_one_vpc_does_not_keep_others_uncovered(call: str, kind: type[EnforcementError]) -> None:
    """All other VPCs get their flow logs and all log groups are restored; the VPC is named."""
    fakes = account(Faults(call, {"vpc-4"}, kind("the reason")))
    report = swept(fakes)
    assert covered(fakes) == set(VPCS) - {"vpc-4"}
    assert sound_groups(fakes) == set(GROUPS)
    assert named(report) == {"vpc-4"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("call", CALLS_PER_GROUP)
def test_one_log_group_does_not_keep_others_broken(call: str, kind: type[EnforcementError]) -> None:
    """All VPCs get their flow logs and all other log groups are restored; the group is named once a call."""
    group = GROUPS[-1] if call == "CreateLogGroup" else GROUPS[1]
    fakes = account(Faults(call, {group}, kind("the reason")))
    report = swept(fakes)
    assert covered(fakes) == set(VPCS)
    assert sound_groups(fakes) == set(GROUPS) - {group}
    assert named(report) == {group}
    (trouble,) = report.problems
    assert "the reason" in trouble.summary
    assert group in fakes.sink.sent[0].text


@pytest.mark.parametrize("kind", KINDS)
def test_vpcs_before_a_page_that_fails_are_covered(kind: type[EnforcementError]) -> None:
    """The others are unknown; if the failure may be transient, the next retry lists everything again."""
    fakes = account(Faults("DescribeVpcs", {"vpc-4"}, kind("the reason")))
    report = swept(fakes)
    assert covered(fakes) == set(VPCS[:4])
    assert sound_groups(fakes) == set(GROUPS)
    assert named(report) == {None}
    assert "unknown VPCs: the reason" in fakes.sink.sent[0].text
    assert fakes.queue.cursor == (None if kind is CallRefused else Cursor(after=""))
    assert isinstance(fakes.ec2, FaultyEc2)
    fakes.ec2.faults = Faults()
    swept(fakes, SWEEP if kind is CallRefused else RETRY)
    assert covered(fakes) == set(VPCS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "call", ["DescribeVpcs", "DescribeFlowLogs", "DescribeNetworkInterfaces", "CreateFlowLogs"]
)
def test_one_named_vpc_does_not_keep_others_uncovered(call: str, kind: type[EnforcementError]) -> None:
    """The VPCs of one event; after a failure that may be transient, the next retry covers the VPC."""
    fakes = account(Faults(call, {"vpc-4"}, kind("the reason")))
    event = replace(BIRTH, vpcs=tuple(NewVpc(vpc_id=each, owner_id=ACCOUNT) for each in VPCS))
    report = swept(fakes, event)
    assert covered(fakes) == set(VPCS) - {"vpc-4"}
    assert named(report) == {"vpc-4"}
    queued = "vpc-4" in fakes.queue.items
    assert queued == (kind is not CallRefused)
    assert isinstance(fakes.ec2, FaultyEc2)
    fakes.ec2.faults = Faults()
    later = fakes.service(POLICY).reconcile(replace(RETRY, happened_at=BORN + 900), BORN + 900)
    assert ("vpc-4" in covered(fakes)) == queued
    assert not named(later)


@pytest.mark.parametrize("kind", KINDS)
def test_an_unreadable_vpc_with_flow_logs_of_parts_is_left_alone(kind: type[EnforcementError]) -> None:
    """Its subnets are needed to judge it, so it gets no flow log that it may not need."""
    fakes = account(Faults("DescribeSubnets", {"vpc-4"}, kind("the reason")))
    assert isinstance(fakes.ec2, FakeEc2)
    fakes.ec2.existing.append(existing(flow_log_id="fl-part", resource_id="subnet-vpc-4", tags={}))
    assert named(swept(fakes)) == {"vpc-4"}
    assert covered(fakes) == {*VPCS, "subnet-vpc-4"} - {"vpc-4"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_subnet_s_flow_logs_that_cannot_be_listed_concern_their_vpc(kind: type[EnforcementError]) -> None:
    """The VPC is named, because its outcome is unknown."""
    fakes = account(Faults("DescribeFlowLogs", {"subnet-vpc-4"}, kind("the reason")))
    assert isinstance(fakes.ec2, FakeEc2)
    fakes.ec2.existing.append(existing(flow_log_id="fl-part", resource_id="subnet-vpc-4", tags={}))
    assert named(swept(fakes)) == {"vpc-4"}
    assert covered(fakes) == {*VPCS, "subnet-vpc-4"} - {"vpc-4"}


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_instances_are_named_and_keep_nothing_uncovered(kind: type[EnforcementError]) -> None:
    """Whether instances run decides only about silence."""
    fakes = account(Faults("DescribeInstances", {"i-1"}, kind("the reason")))
    assert isinstance(fakes.ec2, FakeEc2)
    fakes.ec2.interfaces_listed[0] = replace(fakes.ec2.interfaces_listed[0], instance_id="i-1")
    fakes.ec2.instances_running = {"i-1": 1}
    assert named(swept(fakes)) == {"EC2 instances"}
    assert covered(fakes) == set(VPCS)


@pytest.mark.parametrize("kind", KINDS)
def test_one_flow_log_that_cannot_be_tagged_is_named(kind: type[EnforcementError]) -> None:
    """The others get their tags; a flow log that is gone needs none."""
    faults = Faults("CreateTags", {"fl-of-vpc-4"}, kind("the reason"))
    ec2 = FaultyEc2(own(*VPCS), [existing(each, creation_time=1) for each in VPCS], faults=faults)
    policy = FlowLogsPolicy(default=FlowLogSpec(tags={"team": "network"}))
    report = Fakes(ec2=ec2).service(policy).reconcile(SWEEP, BORN + 10)
    untagged = [each.flow_log_id for each in ec2.existing if "team" not in each.tags]
    assert untagged == ["fl-of-vpc-4"]
    about = [each.summary for each in report.problems if each.resource == "flow log tags"]
    assert [each.partition(":")[0] for each in about] == ["fl-of-vpc-4"] * (kind is not NotFound)


@pytest.mark.parametrize("kind", [CallRefused, CallFailed, CallThrottled])
def test_one_flow_log_that_cannot_be_deleted_does_not_keep_others(kind: type[EnforcementError]) -> None:
    """Of two replaced ones, the other is deleted, and the report names both; then neither is left."""
    old = [
        existing(flow_log_id=f"fl-old{number}", log_format="${version}", creation_time=1, log_group_name=name)
        for number, name in enumerate((GROUPS[1], GROUPS[2]))
    ]
    faults = Faults("DeleteFlowLogs", {"fl-old0"}, kind("the reason"))
    ec2 = FaultyEc2(own("vpc-1"), [existing(creation_time=BORN - 9999), *old], faults=faults)
    fakes = Fakes(ec2=ec2)
    report = fakes.service(POLICY).reconcile(SWEEP, BORN)
    (outcome,) = report.outcomes
    assert ec2.deleted == ["fl-old1"]
    assert "fl-old0 was not deleted: the reason" in outcome.reason
    assert "deleted fl-old1" in outcome.reason
    assert outcome.result is (Result.FAILED if kind is CallRefused else Result.REPLACED)
    assert ("vpc-1" in fakes.queue.items) == (kind is not CallRefused)
    ec2.faults = Faults()
    fakes.service(POLICY).reconcile(SWEEP, BORN + 300)
    assert ec2.deleted == ["fl-old1", "fl-old0"]


@pytest.mark.parametrize("kind", [CallRefused, CallFailed])
def test_a_listing_that_fails_for_all_is_reported_as_one(kind: type[EnforcementError]) -> None:
    """It names no VPC, and costs few calls."""
    fakes = account(Faults("DescribeNetworkInterfaces", set(VPCS), kind("the reason")))
    report = swept(fakes)
    (outcome,) = report.outcomes
    assert (outcome.vpc_id, outcome.reason) == (None, "the reason")
    assert isinstance(fakes.ec2, FakeEc2)
    assert fakes.ec2.calls["DescribeNetworkInterfaces"] <= 2 * FAILED_CALLS + 1


@examples(2)
@given(
    total=st.integers(1, 40),
    bad=st.sets(st.integers(0, 39), max_size=3),
    kind=st.sampled_from(KINDS),
)
def test_isolation_finds_exactly_those_that_fail(
    total: int, bad: set[int], kind: type[EnforcementError]
) -> None:
    """Each other resource is in exactly one call that succeeds."""
    names = [f"r-{number}" for number in range(total)]
    broken = {f"r-{number}" for number in bad} & set(names)

    def call(some: Iterable[str]) -> list[str]:
        if broken & set(some):
            raise kind("no")
        return list(some)

    found = isolate(call, names, FakeRunClock())
    assert set(found.failed) == broken
    assert sorted(each for answer in found.answers for each in answer) == sorted(set(names) - broken)
    assert list(found.done) == [each for each in names if each not in broken]


def test_isolation_ends_with_its_calls_and_with_the_time() -> None:
    """What is left by then counts as failed; without time, the first call is still made."""
    calls: list[Sequence[str]] = []

    def every_other(some: Sequence[str]) -> None:
        calls.append(some)
        if len(some) > 1 or some[0].endswith(("1", "3", "5", "7", "9")):
            raise CallRefused("no")

    names = [f"r-{number}" for number in range(1000)]
    assert len(isolate(every_other, names, FakeRunClock()).failed) == 1000
    assert len(calls) == FAILED_CALLS
    calls.clear()
    assert len(isolate(every_other, names[:40], FakeRunClock(), calls_at_most=CALLS_AT_MOST).failed) >= 20
    assert len(calls) <= CALLS_AT_MOST
    calls.clear()
    assert len(isolate(every_other, names[:8], FakeRunClock(left=0)).failed) == 8
    assert len(calls) == 1
