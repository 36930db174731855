"""The guarantees of the reconciler, tested on random accounts with random faults.

An account has VPCs in any state, interfaces that write what their flow logs really deliver, and an EC2 with
pages, lag and faults (`ec2_client`), and concurrent runs between a plan and its steps. The
enforcer runs on its schedule: a sweep every hour, a retry every five minutes.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil
from random import Random
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.aws.ec2.flow_logs import Ec2FlowLogs
from flowwarden.enforcer.creation import ManagedFlowLog
from flowwarden.enforcer.reporting.report import EnforcementReport, Result, VpcOutcome
from flowwarden.enforcer.state.desired import MANAGED_TAG, DesiredFlowLog, resolved
from flowwarden.enforcer.triggers.trigger import RunKind, Trigger
from flowwarden.errors import EnforcementIncomplete
from flowwarden.policy.flow_logs import BESIDE, Exemption, FlowLogSpec, FlowLogsPolicy, Selection
from flowwarden.state import heartbeats
from tests.enforcer.ec2_client import PAGE, Ec2Client
from tests.enforcer.fakes import ACCOUNT, GROUP, STACK, Fakes, FakeWorkQueue, sound
from tests.enforcer.runs import deliver
from tests.examples import examples

START = 1_793_611_800
OLD = START - 30 * 24 * 3600
HOUR, RETRY = 3600, 300
WANTED = resolved(FlowLogSpec(), STACK)
POLICY = FlowLogsPolicy(exemptions=(Exemption(where=Selection(tags={"lab": "*"}), reason="a lab"),))


def described(vpc_id: str, desired: DesiredFlowLog, **changes: Any) -> dict[str, Any]:
    """A flow log as EC2 describes it."""
    tags = [{"Key": key, "Value": value} for key, value in desired.tags.items()]
    return {
        "ResourceId": vpc_id,
        "TrafficType": desired.traffic_type,
        "LogDestinationType": desired.destination_type,
        "LogGroupName": desired.destination,
        "LogFormat": desired.log_format,
        "MaxAggregationInterval": desired.max_aggregation_interval,
        "DeliverLogsPermissionArn": desired.delivery_role_arn,
        "CreationTime": datetime.fromtimestamp(OLD, UTC),
        "Tags": tags,
        **changes,
    }


OTHER_TAGS = [{"Key": MANAGED_TAG, "Value": STACK.stack_name}, {"Key": "team", "Value": "theirs"}]
BY_OTHERS: dict[str, Any] = {"tagged by others": True}
"""An unmanaged flow log that was given the stack's tag by others."""
UNMANAGED: dict[str, Any] = {"Tags": [], "LogGroupName": "another/group"}
STATES: dict[str, Callable[[Ec2Client, str], object]] = {
    "bare": lambda _ec2, _vpc: None,
    "covered": lambda ec2, vpc: ec2.add(described(vpc, WANTED)),
    "own, other tags": lambda ec2, vpc: ec2.add(described(vpc, WANTED, Tags=OTHER_TAGS)),
    "own, another format and other tags": lambda ec2, vpc: ec2.add(
        described(vpc, WANTED, LogFormat="${version}", Tags=OTHER_TAGS)
    ),
    "own, another format": lambda ec2, vpc: ec2.add(described(vpc, WANTED, LogFormat="${version}")),
    "own, another format, in a group of before": lambda ec2, vpc: ec2.add(
        described(vpc, WANTED, LogFormat="${version}", LogGroupName=f"{GROUP}-0a0b0c0d")
    ),
    "own, REJECT alone": lambda ec2, vpc: ec2.add(described(vpc, WANTED, TrafficType="REJECT")),
    "own, every ten minutes": lambda ec2, vpc: ec2.add(described(vpc, WANTED, MaxAggregationInterval=600)),
    "own, failing": lambda ec2, vpc: ec2.add(described(vpc, WANTED), delivers=False),
    "own, failing, another format": lambda ec2, vpc: ec2.add(
        described(vpc, WANTED, LogFormat="${version}"), delivers=False
    ),
    "unmanaged, the required one": lambda ec2, vpc: ec2.add(described(vpc, WANTED, Tags=[])),
    "unmanaged, another format in our group": lambda ec2, vpc: ec2.add(
        described(vpc, WANTED, Tags=[], LogFormat="${version}")
    ),
    "unmanaged, elsewhere": lambda ec2, vpc: ec2.add(described(vpc, WANTED, **UNMANAGED)),
    "unmanaged, the required one, failing": lambda ec2, vpc: ec2.add(
        described(vpc, WANTED, Tags=[]), delivers=False
    ),
    "unmanaged, another format in our group, failing": lambda ec2, vpc: ec2.add(
        described(vpc, WANTED, Tags=[], LogFormat="${version}"), delivers=False
    ),
    "unmanaged, elsewhere, failing": lambda ec2, vpc: ec2.add(
        described(vpc, WANTED, **UNMANAGED), delivers=False
    ),
    "unmanaged, REJECT elsewhere, failing": lambda ec2, vpc: ec2.add(
        described(vpc, WANTED, **UNMANAGED, TrafficType="REJECT"), delivers=False
    ),
    "unmanaged and failing, own too": lambda ec2, vpc: (
        ec2.add(described(vpc, WANTED, Tags=[]), delivers=False),
        ec2.add(described(vpc, cast("DesiredFlowLog", WANTED.alternate_destination))),
    ),
    "unmanaged and own, both old": lambda ec2, vpc: (
        ec2.add(described(vpc, WANTED, **UNMANAGED)),
        ec2.add(described(vpc, WANTED, LogFormat="${version}")),
    ),
    "own, and unmanaged elsewhere": lambda ec2, vpc: (
        ec2.add(described(vpc, WANTED, **UNMANAGED)),
        ec2.add(described(vpc, WANTED)),
    ),
    "tagged by others, the required one": lambda ec2, vpc: ec2.add(described(vpc, WANTED, **BY_OTHERS)),
    "tagged by others, failing": lambda ec2, vpc: ec2.add(
        described(vpc, WANTED, **BY_OTHERS), delivers=False
    ),
    "tagged by others, elsewhere": lambda ec2, vpc: ec2.add(
        described(vpc, WANTED, **BY_OTHERS, LogGroupName="another/group")
    ),
    "tagged by others, another format in our group": lambda ec2, vpc: ec2.add(
        described(vpc, WANTED, **BY_OTHERS, LogFormat="${version}")
    ),
    "tagged by others, and own": lambda ec2, vpc: (
        ec2.add(described(vpc, WANTED, **BY_OTHERS, LogGroupName="another/group")),
        ec2.add(described(vpc, WANTED)),
    ),
    "two own": lambda ec2, vpc: (
        ec2.add(described(vpc, WANTED)),
        ec2.add(described(vpc, cast("DesiredFlowLog", WANTED.alternate_destination))),
    ),
}


@dataclass
class Account:
    """An account over time."""

    seed: int
    states: list[str]
    busy: list[bool]
    stopped: list[bool] = field(default_factory=list)
    """Whether the interface of each VPC belongs to a stopped instance, which writes nothing."""
    broken: bool = False
    """Whether delivery to the alternate log group fails."""
    all_broken: bool = False
    """Whether, in addition, delivery of new flow logs to the usual log group fails."""
    forgets: bool = False
    """Whether the evidence in the state table is unavailable from time to time."""
    tampers: bool = False
    """Whether log groups or their subscriptions are deleted from time to time."""
    now: int = START
    ec2: Ec2Client = field(init=False)
    fakes: Fakes = field(init=False)
    policy: FlowLogsPolicy = POLICY
    runs: int = 0

    def __post_init__(self) -> None:
        self.ec2 = Ec2Client(Random(self.seed), lambda: self.now)  # noqa: S311  not for cryptography
        for number, (state, busy) in enumerate(zip(self.states, self.busy, strict=True)):
            vpc_id = f"vpc-{number:08x}"
            owner = "444455556666" if state == "shared" else ACCOUNT
            tags = [{"Key": "lab", "Value": "x"}] if state == "exempt" else []
            self.ec2.vpcs.append(
                {"VpcId": vpc_id, "OwnerId": owner, "CidrBlock": "10.0.0.0/16", "Tags": tags}
            )
            if busy:
                instance = f"i-{number:08x}"
                at_rest = number < len(self.stopped) and self.stopped[number]
                self.ec2.instances[instance] = "stopped" if at_rest else "running"
                self.ec2.interfaces.append(
                    {
                        "NetworkInterfaceId": f"eni-{number:08x}",
                        "VpcId": vpc_id,
                        "SubnetId": "",
                        "Status": "in-use",
                        "Attachment": {"InstanceId": instance, "InstanceOwnerId": owner},
                    }
                )
            STATES.get(state, STATES["bare"])(self.ec2, vpc_id)
        if self.broken:
            alternate = WANTED.alternate_destination
            assert alternate is not None
            self.ec2.broken_groups = {alternate.destination} | ({GROUP} if self.all_broken else set())
        self.fakes = Fakes(ec2=Ec2FlowLogs(cast("Any", self.ec2)))
        for flow_log_id, real in self.ec2.flow_logs.items():
            if real.described["Tags"] and not real.described.get("tagged by others"):
                self.ec2.ours.add(flow_log_id)
                record = ManagedFlowLog(flow_log_id=flow_log_id, vpc_id=real.described["ResourceId"], at=OLD)
                self.fakes.registry.put(record)

    def run(self, kind: RunKind) -> EnforcementReport:
        """One run of the enforcer."""
        self.fakes.clock.left = 300
        self.runs += 1
        trigger = Trigger(
            kind=kind, reason="by schedule", happened_at=self.now, idempotency_key=f"run {self.runs}"
        )
        service = self.fakes.service(self.policy)
        self.tamper()
        self.fakes.evidence.is_away = self.forgets and self.ec2.random.random() < 0.3
        report = service.reconcile(trigger, self.now)
        try:
            deliver(service, report, self.now)
        except EnforcementIncomplete:
            service.reconcile(trigger, self.now + 60)
        self.fakes.evidence.is_away = False
        return report

    def tag_all(self) -> None:
        """Give every unmanaged flow log the stack's tag."""
        for flow_log_id, real in self.ec2.flow_logs.items():
            if flow_log_id not in self.ec2.ours:
                real.described["Tags"] = OTHER_TAGS

    def tamper(self) -> None:
        """Delete a log group or its subscription, at random."""
        groups = self.fakes.groups.there
        if self.tampers and groups and self.ec2.random.random() < 0.2:
            name = self.ec2.random.choice(list(groups))
            group = groups.pop(name)
            if self.ec2.random.random() < 0.5:
                groups[name] = replace(group, subscriptions=())

    def pass_time(self, seconds: int) -> None:
        """Advance the time; flow logs that deliver write records."""
        slots = range(heartbeats.slot_of(self.now), heartbeats.slot_of(self.now + seconds) + 1)
        for real in self.ec2.there():
            numbers = [
                heartbeats.number_of(each["NetworkInterfaceId"])
                for each in self.ec2.interfaces
                if each["VpcId"] == real.described["ResourceId"]
                and self.ec2.instances[each["Attachment"]["InstanceId"]] == "running"
            ]
            if real.delivers and numbers:
                known = [each for each in numbers if each is not None]
                group = real.described["LogGroupName"]
                for addition in heartbeats.additions(group, dict.fromkeys(slots, known)):
                    self.fakes.evidence.add(addition)
        self.now += seconds

    def hours(self, number: int) -> EnforcementReport:
        """Run the schedule for this number of hours; returns the report of the last sweep."""
        for _ in range(number):
            report = self.run(RunKind.SWEEP)
            for _ in range(HOUR // RETRY):
                self.pass_time(RETRY)
                # An event that does not name the VPC leads to a sweep at any time.
                self.run(RunKind.SWEEP if self.ec2.random.random() < 0.2 else RunKind.RETRY)
        return report


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    """Any account with up to six VPCs."""
    states = draw(st.lists(st.sampled_from([*STATES, "shared", "exempt"]), min_size=1, max_size=6))
    busy = draw(st.lists(st.booleans(), min_size=len(states), max_size=len(states)))
    stopped = draw(st.lists(st.booleans(), min_size=len(states), max_size=len(states)))
    broken, all_broken = draw(st.booleans()), draw(st.booleans())
    account = Account(draw(st.integers(0, 2**32)), states, busy, stopped, broken, all_broken)
    account.ec2.fault_rate = draw(st.sampled_from([0.0, 0.05, 0.3]))
    account.ec2.lag = draw(st.integers(0, 4))
    account.policy = draw(st.sampled_from([POLICY, replace(POLICY, unmanaged=BESIDE)]))
    if draw(st.booleans()):
        account.tag_all()
    account.forgets, account.tampers = draw(st.booleans()), draw(st.booleans())
    account.ec2.unreadable = draw(st.booleans())
    if draw(st.booleans()):
        # The first VPC, because all others come after it.
        account.ec2.always_throttled = {"vpc-00000000"}
    if draw(st.booleans()):
        account.ec2.interrupt = lambda: account.run(RunKind.SWEEP)
    return account


@given(accounts())
@examples(0.4)
def test_no_fault_uncovers_a_covered_vpc_or_deletes_an_unmanaged_flow_log(account: Account) -> None:
    """Not even in hours of faults. After they end, the state settles, and later runs change nothing."""
    theirs = foreign_ones(account)
    account.hours(3)
    assert account.ec2.harm == []
    account.ec2.fault_rate, account.ec2.lag, account.ec2.interrupt = 0.0, 0, None
    account.forgets, account.tampers = False, False
    report = account.hours(4)
    assert_subscribed(account)
    for state, outcome in zip(account.states, by_vpc(report), strict=True):
        if outcome.vpc_id not in account.ec2.always_throttled:
            assert_settled(account, state, outcome.vpc_id or "", outcome.result)
    account.ec2.always_throttled = set()
    account.hours(4)
    settled = list(account.ec2.changes)
    report = account.hours(2)
    assert account.ec2.changes == settled
    assert account.ec2.harm == []
    assert foreign_ones(account) == theirs
    for state, outcome in zip(account.states, by_vpc(report), strict=True):
        assert_settled(account, state, outcome.vpc_id or "", outcome.result)


def foreign_ones(account: Account) -> list[dict[str, Any]]:
    """The unmanaged flow logs, with their tags."""
    return [
        each.described
        for each in deepcopy(account.ec2.there())
        if each.described["FlowLogId"] not in account.ec2.ours
    ]


def assert_subscribed(account: Account) -> None:
    """Every group that a managed flow log writes into, wanted or not, exists and has its subscription."""
    there = [each.described for each in account.ec2.there()]
    managed = {each["LogGroupName"] for each in there if each["FlowLogId"] in account.ec2.ours}
    groups = account.fakes.groups.there
    assert {each: groups[each].subscriptions for each in managed} == dict.fromkeys(
        managed, sound().subscriptions
    )


def by_vpc(report: EnforcementReport) -> list[VpcOutcome]:
    """The outcomes in the order of their VPCs."""
    return sorted(report.outcomes, key=lambda each: each.vpc_id or "")


def assert_settled(account: Account, state: str, vpc_id: str, result: Result) -> None:
    """Check the final state of a VPC."""
    if state == "shared":
        assert result is Result.SKIPPED
    elif state == "exempt":
        assert result is Result.EXEMPT
    elif state == "own, and unmanaged elsewhere":
        assert result is Result.COVERED
        assert len(account.ec2.there(vpc_id)) == 2, "deleted, although the managed one never failed visibly"
    elif result is Result.COVERED:
        assert account.ec2.recorded(vpc_id) == {"ACCEPT", "REJECT"}
        there = account.ec2.there(vpc_id)
        own = [each for each in there if each.described["FlowLogId"] in account.ec2.ours]
        assert len(own) <= 1, "a replaced flow log was not deleted"
        for each in own:
            tags = {tag["Key"]: tag["Value"] for tag in each.described["Tags"]}
            assert tags.items() >= WANTED.tags.items()
            assert tags.get("team") == ("theirs" if state == "own, other tags" else None)
    else:
        # Only if no new flow log can deliver.
        assert result in {Result.BROKEN, Result.PENDING}
        assert state == "own, failing" or account.broken


@pytest.mark.parametrize("number", [3, 30, 300])
def test_a_compliant_vpc_costs_only_its_share_of_the_listing_pages(number: int) -> None:
    """This holds with and without interfaces; instances are listed only if interfaces belong to some."""
    account = Account(1, ["covered"] * number, [each % 2 == 0 for each in range(number)])
    account.pass_time(HOUR)
    report = account.run(RunKind.SWEEP)
    assert len(report.of(Result.COVERED)) == number
    assert account.ec2.pages == {
        "describe_vpcs": ceil(number / PAGE),
        "describe_flow_logs": ceil(number / PAGE),
        "describe_network_interfaces": ceil(ceil(number / 2) / PAGE),
        "describe_instances": ceil(ceil(number / 2) / PAGE),
    }
    assert (account.fakes.queue.reads, account.fakes.queue.writes) == (1, 0)


@pytest.mark.parametrize("busy", [True, False])
def test_a_changed_format_is_replaced_in_the_alternate_log_group(busy: bool) -> None:  # noqa: FBT001  a table's column
    """Create, verify, delete; until then both flow logs exist."""
    account = Account(1, ["own, another format"], [busy])
    (created,) = account.run(RunKind.SWEEP).outcomes
    assert created.result is Result.CREATED
    alternate = WANTED.alternate_destination
    assert alternate is not None
    assert [each.described["LogGroupName"] for each in account.ec2.there()] == [GROUP, alternate.destination]
    assert set(account.fakes.groups.there) == {GROUP, alternate.destination}
    assert account.fakes.groups.there[alternate.destination] == replace(
        account.fakes.groups.there[GROUP], name=alternate.destination
    )
    account.hours(2)
    assert [each.described["LogGroupName"] for each in account.ec2.there()] == [alternate.destination]


def test_a_failing_unmanaged_flow_log_moves_only_its_own_vpc() -> None:
    """That VPC gets the alternate destination; VPCs created later get the usual one."""
    account = Account(1, ["unmanaged, the required one, failing"], [True])
    account.hours(2)
    account.ec2.vpcs.append({"VpcId": "vpc-00000001", "OwnerId": ACCOUNT, "CidrBlock": "10.1.0.0/16"})
    account.hours(2)
    alternate = WANTED.alternate_destination
    assert alternate is not None
    written = [(each.described["ResourceId"], each.described["LogGroupName"]) for each in account.ec2.there()]
    assert written == [
        ("vpc-00000000", GROUP),
        ("vpc-00000000", alternate.destination),
        ("vpc-00000001", GROUP),
    ]
    assert account.ec2.recorded("vpc-00000000") == {"ACCEPT", "REJECT"}


def test_a_failed_replacement_is_rolled_back_reported_and_not_retried_for_a_day() -> None:
    """The old flow log stays in place the whole time."""
    account = Account(1, ["own, another format"], [True], broken=True)
    account.hours(3)
    assert [each.described["LogFormat"] for each in account.ec2.there()] == ["${version}"]
    assert len([each for each in account.ec2.changes if each.startswith("create")]) == 1
    sent = [each.text for each in account.fakes.sink.sent if "ROLLED BACK" in each.text]
    assert len(sent) == 1
    assert "check that the delivery role trusts vpc-flow-logs.amazonaws.com" in sent[0]
    account.hours(23)
    assert len([each for each in account.ec2.changes if each.startswith("create")]) == 2


def test_the_log_group_of_the_old_flow_log_is_maintained_after_a_rollback() -> None:
    """Deletions of the group or its subscription are repaired."""
    account = Account(1, ["own, another format, in a group of before"], [True], broken=True, all_broken=True)
    account.tampers = True
    for _ in range(20):
        account.hours(1)
        account.tampers = False
        account.run(RunKind.SWEEP)
        account.tampers = True
        assert_subscribed(account)
    assert [each.described["LogGroupName"] for each in account.ec2.there()] == [f"{GROUP}-0a0b0c0d"]


def test_a_rolled_back_replacement_stays_on_hold_if_the_state_table_is_lost() -> None:
    """The tag of the old flow log holds it for a day."""
    account = Account(1, ["own, another format"], [True], broken=True)
    account.hours(3)
    for _ in range(20):
        account.fakes.queue = FakeWorkQueue()
        account.hours(1)
    assert len([each for each in account.ec2.changes if each.startswith("create")]) == 1
    account.hours(3)
    assert len([each for each in account.ec2.changes if each.startswith("create")]) == 2
