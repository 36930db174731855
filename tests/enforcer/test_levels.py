"""Flow logs of subnets and interfaces, where the policy asks for these instead of flow logs of VPCs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.enforcer.creation import ManagedFlowLog
from flowwarden.enforcer.decide.drift import is_tagged
from flowwarden.enforcer.decide.plan import Create
from flowwarden.enforcer.execute.parts import CHANGED_AT_MOST, NAMED_AT_MOST
from flowwarden.enforcer.observe import PART_CALLS
from flowwarden.enforcer.registry import DeletedFlowLog, Registry
from flowwarden.enforcer.reporting.notification import render
from flowwarden.enforcer.reporting.plan_output import added_dollars, as_text
from flowwarden.enforcer.reporting.report import Result
from flowwarden.enforcer.state.desired import resolved
from flowwarden.enforcer.state.inventory import FlowLog, Subnet, Unread, Vpc
from flowwarden.enforcer.triggers import trigger
from flowwarden.enforcer.triggers.trigger import Trigger
from flowwarden.errors import CallRefused, CallThrottled, FlowLogExists, PolicyError, VpcGone
from flowwarden.network.interface import NetworkInterface
from flowwarden.policy.flow_logs import (
    INTERFACE,
    LEVELS,
    SUBNET,
    VPC,
    Exemption,
    FlowLogSpec,
    FlowLogsPolicy,
    Rule,
    Selection,
)
from flowwarden.policy.validation import check
from flowwarden.state import heartbeats
from tests.enforcer.deletions import EVE, deletion
from tests.enforcer.fakes import ACCOUNT, GROUP, STACK, Fakes
from tests.enforcer.fakes_ec2 import FakeEc2, wanted
from tests.enforcer.runs import BORN, RETRY, SWEEP, only, run
from tests.examples import examples

OLD = BORN - 30 * 24 * 3600
HOUR = 3600
DESIRED = resolved(FlowLogSpec(), STACK)


def policy(level: str) -> FlowLogsPolicy:
    """A policy with flow logs of this level for every VPC."""
    rule = Rule(where=Selection(), flow_log=FlowLogSpec(), level=level)
    return FlowLogsPolicy(rules=(rule,), grace_minutes=0)


def eni(number: int, subnet: str, *, active: bool = True) -> NetworkInterface:
    """A network interface in a subnet."""
    return NetworkInterface(
        interface_id=f"eni-0{number:x}", vpc_id="vpc-1", subnet_id=subnet, active=active, description="eni"
    )


def account(*flow_logs: FlowLog, subnets: int = 2, interfaces: int = 2) -> Fakes:
    """A VPC with subnets, and as many idle interfaces in each."""
    names = [f"subnet-{number}" for number in range(subnets)]
    ec2 = FakeEc2(
        [Vpc(vpc_id="vpc-1", owner_id=ACCOUNT)],
        list(flow_logs),
        [
            eni(16 * place + number, name, active=False)
            for place, name in enumerate(names)
            for number in range(interfaces)
        ],
        subnets_listed=[Subnet(subnet_id=each, vpc_id="vpc-1") for each in names],
        clock=BORN,
    )
    fakes = Fakes(ec2=ec2)
    fakes.registry.record(*(each for each in flow_logs if is_tagged(each, STACK)))
    return fakes


def at(hour: int) -> Trigger:
    """The sweep of this hour."""
    return replace(SWEEP, happened_at=BORN + hour * HOUR, idempotency_key=f"{hour}")


def ec2_of(fakes: Fakes) -> FakeEc2:
    """The fake EC2."""
    assert isinstance(fakes.ec2, FakeEc2)
    return fakes.ec2


def resources(fakes: Fakes) -> list[str]:
    """The resources that have a flow log, one for each flow log."""
    return sorted(each.resource_id for each in ec2_of(fakes).existing)


def of_vpc(**changes: object) -> FlowLog:
    """The managed flow log of the VPC."""
    return replace(wanted("fl-vpc", "vpc-1", DESIRED, OLD), **changes)


def theirs(resource_id: str, **changes: object) -> FlowLog:
    """An unmanaged flow log like the required one."""
    flow_log = replace(wanted(f"fl-{resource_id}", resource_id, DESIRED, OLD), tags={}, recorded=False)
    return replace(flow_log, **changes)


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (VPC, ["vpc-1"]),
        (SUBNET, ["subnet-0", "subnet-1"]),
        (INTERFACE, ["eni-00", "eni-01", "eni-010", "eni-011"]),
    ],
)
def test_each_resource_of_the_level_gets_one_flow_log(level: str, expected: list[str]) -> None:
    """The records name the resource and its VPC; a second sweep creates nothing."""
    fakes = account()
    outcome = only(fakes.service(policy(level)).reconcile(SWEEP, BORN))
    assert (outcome.result, outcome.vpc_id, resources(fakes)) == (Result.CREATED, "vpc-1", expected)
    assert outcome.flow_logs == len(expected)
    records = fakes.registry.of(ManagedFlowLog)
    assert sorted(each.target for each in records) == expected
    assert {each.vpc_id for each in records} == {"vpc-1"}
    assert only(fakes.service(policy(level)).reconcile(at(1), BORN + HOUR)).result is Result.COVERED
    assert resources(fakes) == expected


def test_a_plan_shows_a_step_and_the_cost_of_each_part() -> None:
    """A dry run changes nothing."""
    fakes = account()
    report = fakes.service(policy(SUBNET), dry_run=True).reconcile(SWEEP, BORN)
    steps = [each for each in report.plans[0].steps if isinstance(each, Create)]
    assert [each.target for each in steps] == ["subnet-0", "subnet-1"]
    assert added_dollars(report) == pytest.approx(sum(each.monthly_dollars for each in steps))
    assert "create a flow log of subnet-0 for ALL traffic" in as_text(report)
    assert resources(fakes) == []


@pytest.mark.parametrize("level", [SUBNET, INTERFACE])
def test_the_flow_log_of_the_vpc_is_deleted_after_all_parts_are_verified(level: str) -> None:
    """Until then it records."""
    fakes = account(of_vpc())
    run = fakes.service(policy(level)).reconcile
    run(SWEEP, BORN)
    assert "vpc-1" in resources(fakes)
    run(replace(at(0), idempotency_key="2"), BORN + 60)
    assert "vpc-1" in resources(fakes)
    outcome = only(run(at(1), BORN + HOUR))
    assert outcome.result is Result.REPLACED
    assert ec2_of(fakes).deleted == ["fl-vpc"]


@pytest.mark.parametrize("level", [SUBNET, INTERFACE])
def test_one_part_without_a_verified_flow_log_keeps_that_of_the_vpc(level: str) -> None:
    """EC2 refuses one part, or reports that one fails."""
    for fails_later in (False, True):
        fakes = account(of_vpc())
        ec2, part = ec2_of(fakes), "subnet-1" if level == SUBNET else "eni-011"
        if not fails_later:
            ec2.create_faults[part] = CallRefused("UnauthorizedOperation")
        run = fakes.service(policy(level)).reconcile
        run(SWEEP, BORN)
        if fails_later:
            ec2.fail(next(each.flow_log_id for each in ec2.existing if each.resource_id == part))
        for hour in range(1, 30):
            outcome = only(run(at(hour), BORN + hour * HOUR))
            assert outcome.result is (Result.BROKEN if fails_later else Result.FAILED)
            assert part in outcome.reason
        assert ec2.deleted == []


@pytest.mark.parametrize("level", [SUBNET, INTERFACE])
@pytest.mark.parametrize("call", PART_CALLS)
def test_a_part_that_cannot_be_read_keeps_the_flow_log_of_the_vpc(level: str, call: str) -> None:
    """It may have none of its own. Once it can be read, the change is completed."""
    fakes = account(of_vpc())
    ec2 = ec2_of(fakes)
    ec2.unread_listed = [Unread(call=call, what="a description without an id")]
    for hour in range(3):
        fakes.service(policy(level)).reconcile(at(hour), BORN + hour * HOUR)
    assert (ec2.deleted, "vpc-1" in resources(fakes)) == ([], True)
    ec2.unread_listed = []
    fakes.service(policy(level)).reconcile(at(3), BORN + 3 * HOUR)
    assert ec2.deleted == ["fl-vpc"]


def test_the_reason_says_that_the_flow_log_of_the_vpc_records_until_then() -> None:
    """It is managed, so nothing is said about unmanaged flow logs; one that fails is said to fail."""
    fakes = account(of_vpc())
    ec2_of(fakes).create_faults["subnet-1"] = CallRefused("UnauthorizedOperation")
    plan = fakes.service(policy(SUBNET), dry_run=True).reconcile(SWEEP, BORN).plans[0]
    records = "fl-vpc (of vpc-1, which records until the required flow log delivers)"
    assert plan.verdict.reason.count(records) == 2
    assert "unmanaged" not in plan.verdict.reason
    reason = only(fakes.service(policy(SUBNET)).reconcile(SWEEP, BORN)).reason
    assert "subnet-1: UnauthorizedOperation; fl-vpc still records" in reason
    failing = account(of_vpc(deliver_logs_status="FAILED"))
    ec2_of(failing).create_faults["subnet-1"] = CallRefused("UnauthorizedOperation")
    assert "still records" not in only(failing.service(policy(SUBNET)).reconcile(SWEEP, BORN)).reason
    plan = failing.service(policy(SUBNET), dry_run=True).reconcile(SWEEP, BORN).plans[0]
    assert "records until" not in plan.verdict.reason
    assert "does not deliver" in plan.verdict.reason


@pytest.mark.parametrize("before", [SUBNET, INTERFACE])
@pytest.mark.parametrize("after", LEVELS)
def test_a_change_of_the_level_ends_with_one_flow_log_for_each_resource_of_the_new_level(
    before: str, after: str
) -> None:
    """Those of the old level are deleted."""
    fakes = account()
    sweep = replace(SWEEP, idempotency_key="before")
    fakes.service(policy(before)).reconcile(sweep, BORN)
    ec2_of(fakes).clock = BORN + HOUR
    for hour in (1, 2, 3):
        sweep = at(hour)
        fakes.service(policy(after)).reconcile(sweep, BORN + hour * HOUR)
    expected = {VPC: ["vpc-1"], SUBNET: ["subnet-0", "subnet-1"]}
    assert resources(fakes) == expected.get(after, ["eni-00", "eni-01", "eni-010", "eni-011"])


def test_a_new_subnet_is_covered_by_the_next_sweep() -> None:
    """A deleted one is left alone, and the flow logs that EC2 deletes with it are no news."""
    fakes = account()
    fakes.service(policy(SUBNET)).reconcile(SWEEP, BORN)
    ec2 = ec2_of(fakes)
    ec2.subnets_listed = [ec2.subnets_listed[0], Subnet(subnet_id="subnet-9", vpc_id="vpc-1")]
    ec2.interfaces_listed = [each for each in ec2.interfaces_listed if each.subnet_id != "subnet-1"]
    ec2.existing = [each for each in ec2.existing if each.resource_id != "subnet-1"]
    for hour in (1, 2, 3, 4):
        sweep = at(hour)
        report = fakes.service(policy(SUBNET)).reconcile(sweep, BORN + hour * HOUR)
        assert report.deletions == ()
    assert resources(fakes) == ["subnet-0", "subnet-9"]


def test_the_deletion_of_a_flow_log_of_a_subnet_that_exists_is_reported_and_repaired() -> None:
    """Also if no event names who deleted it."""
    fakes = account()
    fakes.service(policy(SUBNET)).reconcile(SWEEP, BORN)
    ec2 = ec2_of(fakes)
    ec2.existing = [each for each in ec2.existing if each.resource_id != "subnet-1"]
    found: list[DeletedFlowLog] = []
    for hour in (1, 2, 3):
        sweep = at(hour)
        found += fakes.service(policy(SUBNET)).reconcile(sweep, BORN + hour * HOUR).deletions
    assert {each.resource_ids for each in found} == {("subnet-1",)}
    assert {each.vpc_id for each in found} == {"vpc-1"}
    assert resources(fakes) == ["subnet-0", "subnet-1"]


@pytest.mark.parametrize("level", [SUBNET, INTERFACE])
def test_the_event_of_a_deletion_names_the_principal_and_the_flow_log_is_created_again_at_once(
    level: str,
) -> None:
    """The report names the subnet or interface; later sweeps do not repeat it."""
    fakes = account()
    service = fakes.service(policy(level))
    service.reconcile(SWEEP, BORN)
    service.reconcile(at(1), BORN + HOUR)
    ec2, before = ec2_of(fakes), resources(fakes)
    victim = ec2.existing.pop(0)
    event = trigger.read(deletion(victim.flow_log_id, at=BORN + HOUR + 60), STACK)
    report = run(service, event, BORN + HOUR + 90)
    (entry,) = report.deletions
    assert (entry.resource_ids, entry.vpc_id, entry.managed) == ((victim.resource_id,), "vpc-1", True)
    text = str(render(report).text)
    assert f"{victim.flow_log_id} of {victim.resource_id} in vpc-1" in text
    assert f"(managed by this stack): deleted by {EVE}" in text
    assert resources(fakes) == before
    assert [run(service, at(hour), BORN + hour * HOUR).deletions for hour in (2, 3, 4)] == [()] * 3
    assert resources(fakes) == before


def test_a_record_makes_only_the_flow_log_of_its_resource_managed() -> None:
    """The tag alone does not, nor does the record of another resource."""
    record = ManagedFlowLog(flow_log_id="fl-1", vpc_id="vpc-1", resource_id="subnet-0", at=BORN)
    registry = Registry(Fakes(ec2=FakeEc2()).registry, [record])
    found = [wanted("fl-1", each, DESIRED) for each in ("subnet-0", "subnet-1", "vpc-1")]
    assert [each.recorded for each in registry.marked(found)] == [True, False, False]


def test_a_required_unmanaged_flow_log_counts_where_it_records() -> None:
    """One of the VPC covers all parts, one of a subnet covers this subnet; neither is ever deleted."""
    whole = account(theirs("vpc-1"))
    outcome = only(whole.service(policy(SUBNET)).reconcile(SWEEP, BORN))
    assert (outcome.result, resources(whole)) == (Result.COVERED, ["vpc-1"])
    part = account(theirs("subnet-0"))
    part.service(policy(SUBNET)).reconcile(SWEEP, BORN)
    assert resources(part) == ["subnet-0", "subnet-1"]
    other = account(theirs("vpc-1", log_group_name="another"))
    other.service(policy(SUBNET)).reconcile(SWEEP, BORN)
    assert resources(other) == ["subnet-0", "subnet-1", "vpc-1"]


def test_an_unmanaged_flow_log_of_a_part_does_not_let_the_managed_one_of_the_vpc_be_deleted() -> None:
    """Others may delete it at any time."""
    fakes = account(of_vpc(), theirs("subnet-0"), theirs("subnet-1"))
    for hour in range(4):
        sweep = at(hour)
        fakes.service(policy(SUBNET)).reconcile(sweep, BORN + hour * HOUR)
    assert ec2_of(fakes).deleted == []


def test_a_run_changes_a_limited_number_of_parts_and_the_retries_do_the_rest() -> None:
    """The VPC stays in the queue until then."""
    fakes = account(subnets=10, interfaces=16)
    run = fakes.service(policy(INTERFACE)).reconcile
    outcome = only(run(SWEEP, BORN))
    assert len(ec2_of(fakes).created) == CHANGED_AT_MOST
    assert f"{160 - CHANGED_AT_MOST} left for the next retry" in outcome.reason
    for number in range(1, 4):
        run(replace(RETRY, idempotency_key=f"{number}"), BORN + 300 * number)
    assert len(ec2_of(fakes).created) == len(set(resources(fakes))) == 160


def _with_flow_logs_of_interfaces(interfaces: int, *covered: FlowLog) -> Fakes:
    """A VPC that had flow logs of its interfaces in one subnet, and whose new ones are verified."""
    names = [f"eni-0{number:x}" for number in range(interfaces)]
    before = [wanted(f"fl-{name}", name, DESIRED, OLD) for name in names]
    return account(*covered, *before, subnets=1, interfaces=interfaces)


@pytest.mark.parametrize("level", [VPC, SUBNET])
def test_a_run_deletes_a_limited_number_of_flow_logs_and_the_retries_do_the_rest(level: str) -> None:
    """Of interfaces, after a change of the level; those that are kept are never deleted."""
    kept = replace(
        wanted("fl-kept", "vpc-1" if level == VPC else "subnet-0", DESIRED, OLD),
        deliver_logs_status="SUCCESS",
    )
    fakes = _with_flow_logs_of_interfaces(120, kept)
    run = fakes.service(policy(level)).reconcile
    outcome = only(run(SWEEP, BORN))
    assert len(ec2_of(fakes).deleted) == outcome.flow_logs == CHANGED_AT_MOST
    assert outcome.result is Result.REPLACED
    assert outcome.reason.count("deleted fl-") == NAMED_AT_MOST
    assert f"{CHANGED_AT_MOST - NAMED_AT_MOST} more" in outcome.reason
    assert fakes.queue.items["vpc-1"].reason == "70 flow logs left to delete"
    for number in range(1, 4):
        run(replace(RETRY, idempotency_key=f"{number}"), BORN + 300 * number)
    assert [each.flow_log_id for each in ec2_of(fakes).existing] == ["fl-kept"]
    assert len(ec2_of(fakes).deleted) == 120


def test_deletions_that_are_refused_keep_none_of_the_others_from_being_made() -> None:
    """They count neither as deleted nor against the limit, and the report names them."""
    fakes = _with_flow_logs_of_interfaces(
        60, replace(wanted("fl-kept", "vpc-1", DESIRED, OLD), deliver_logs_status="SUCCESS")
    )
    ec2 = ec2_of(fakes)
    ec2.delete_faults = {f"fl-eni-0{number:x}": CallRefused("denied") for number in range(55)}
    outcome = only(fakes.service(policy(VPC)).reconcile(SWEEP, BORN))
    assert len(ec2.deleted) == 5
    assert outcome.result is Result.FAILED
    assert "denied" in outcome.reason


def test_throttling_stops_the_run_and_a_part_that_is_gone_stops_nothing() -> None:
    """The retry continues."""
    fakes = account(subnets=4)
    ec2 = ec2_of(fakes)
    ec2.create_faults = {"subnet-1": CallThrottled("x"), "subnet-0": VpcGone("InvalidSubnetID.NotFound")}
    fakes.service(policy(SUBNET)).reconcile(SWEEP, BORN)
    assert resources(fakes) == []
    assert "vpc-1" in fakes.queue.items
    ec2.create_faults = {"subnet-0": VpcGone("InvalidSubnetID.NotFound")}
    outcome = only(fakes.service(policy(SUBNET)).reconcile(RETRY, BORN + 300))
    assert (outcome.result, resources(fakes)) == (Result.CREATED, ["subnet-1", "subnet-2", "subnet-3"])


def test_a_conflict_of_one_part_is_reported_and_the_others_are_covered() -> None:
    """EC2 says that the flow log of a part exists, and lists another one."""
    settings = wanted("fl", "subnet-0", DESIRED).settings | {"traffic_type": "REJECT"}
    fakes = account(theirs("subnet-0", settings=settings, log_group_name=f"{GROUP}-{DESIRED.configuration}"))
    ec2_of(fakes).create_faults["subnet-0"] = FlowLogExists("FlowLogAlreadyExists")
    outcome = only(fakes.service(policy(SUBNET)).reconcile(SWEEP, BORN))
    assert outcome.result in {Result.CONFLICT, Result.CREATED}
    assert resources(fakes) == ["subnet-0", "subnet-1"]


def test_a_vpc_without_subnets_needs_nothing_and_keeps_its_flow_log() -> None:
    """Nothing would replace it."""
    fakes = account(of_vpc(), subnets=0)
    outcome = only(fakes.service(policy(SUBNET)).reconcile(SWEEP, BORN))
    assert (outcome.result, resources(fakes)) == (Result.COVERED, ["vpc-1"])


def test_exempt_and_shared_vpcs_get_no_flow_logs_of_parts() -> None:
    """As for flow logs of VPCs."""
    exempt = replace(policy(SUBNET), exemptions=(Exemption(where=Selection(vpcs=("vpc-1",)), reason="lab"),))
    fakes = account()
    assert only(fakes.service(exempt).reconcile(SWEEP, BORN)).result is Result.EXEMPT
    shared = account()
    ec2_of(shared).vpcs_listed = [Vpc(vpc_id="vpc-1", owner_id="444455556666")]
    assert only(shared.service(policy(SUBNET)).reconcile(SWEEP, BORN)).result is Result.SKIPPED
    assert resources(fakes) == resources(shared) == []


def test_a_level_that_does_not_exist_is_refused() -> None:
    """The message says where it is and what is allowed."""
    with pytest.raises(PolicyError, match=r"rules\[0\].level: 'host'; write one of vpc, subnet, interface"):
        check(policy("host"))


@dataclass
class World:
    """An account whose interfaces write what its flow logs record, with faults of EC2."""

    random: Random
    fakes: Fakes = field(default_factory=lambda: account(subnets=3, interfaces=1))
    now: int = BORN
    runs: int = 0

    @property
    def ec2(self) -> FakeEc2:
        """The fake EC2."""
        return ec2_of(self.fakes)

    def recorded(self) -> set[str]:
        """The interfaces that a flow log records which EC2 does not report as failed."""
        live = {each.resource_id for each in self.ec2.existing if each.deliver_logs_status == "SUCCESS"}
        return {
            each.interface_id
            for each in self.ec2.interfaces_listed
            if live & {each.vpc_id, each.subnet_id, each.interface_id}
        }

    def write(self, seconds: int) -> None:
        """Let the time pass: active interfaces write into the log groups of their flow logs."""
        slots = range(heartbeats.slot_of(self.now), heartbeats.slot_of(self.now + seconds) + 1)
        for flow_log in self.ec2.existing:
            numbers = {
                heartbeats.number_of(each.interface_id)
                for each in self.ec2.interfaces_listed
                if each.active and flow_log.resource_id in {each.vpc_id, each.subnet_id, each.interface_id}
            }
            known = [each for each in numbers if each is not None]
            if known and flow_log.deliver_logs_status == "SUCCESS":
                group = flow_log.log_group_name or GROUP
                for addition in heartbeats.additions(group, dict.fromkeys(slots, frozenset(known))):
                    self.fakes.evidence.add(addition)
        self.now += seconds

    def change(self) -> None:
        """Something happens to the account."""
        ec2, random = self.ec2, self.random
        match random.randrange(6):
            case 0:
                names = [each.interface_id for each in ec2.interfaces_listed]
                names += [each.subnet_id for each in ec2.subnets_listed]
                faults = (CallRefused("UnauthorizedOperation"), CallThrottled("RequestLimitExceeded"))
                ec2.create_faults = {random.choice(names): random.choice(faults)}
            case 1:
                ec2.create_faults = {}
            case 2:
                subnet = random.choice(ec2.subnets_listed).subnet_id
                number = 64 + self.runs
                ec2.interfaces_listed.append(eni(number, subnet, active=random.random() < 0.5))
            case 3:
                name = f"subnet-a{self.runs}"
                ec2.subnets_listed.append(Subnet(subnet_id=name, vpc_id="vpc-1"))
            case 4:
                for each in ec2.existing:
                    if random.random() < 0.2:
                        ec2.fail(each.flow_log_id)
            case _:
                ec2.existing = [
                    replace(each, deliver_logs_status="SUCCESS", deliver_logs_error_message=None)
                    for each in ec2.existing
                ]

    def enforce(self, level: str) -> None:
        """A run, which leaves no interface without a flow log that had one."""
        before = self.recorded()
        self.fakes.clock.left = 300
        self.ec2.clock = self.now
        self.runs += 1
        kind = RETRY if self.random.random() < 0.5 else SWEEP
        trigger = replace(kind, happened_at=self.now, idempotency_key=f"run {self.runs}")
        self.fakes.service(policy(level)).reconcile(trigger, self.now)
        assert before <= self.recorded()
        own = [each.resource_id for each in self.ec2.existing if is_tagged(each, STACK)]
        assert len(own) == len(set(own))


@examples(3)
@given(seed=st.integers(0, 2**32))
def test_no_change_of_level_leaves_a_gap_or_a_second_flow_log_or_deletes_what_is_not_managed(
    seed: int,
) -> None:
    """Whatever EC2 refuses or reports, in any order; afterward, only the resources of the level have one."""
    random = Random(seed)  # noqa: S311  repeatable
    world = World(random)
    names = ["vpc-1", *(each.subnet_id for each in world.ec2.subnets_listed)]
    others = [
        theirs(each, log_group_name=random.choice((GROUP, "another")))
        for each in names
        if random.random() < 0.2
    ]
    world.ec2.existing += others
    level = random.choice(LEVELS)
    for _ in range(25):
        if random.random() < 0.2:
            level = random.choice(LEVELS)
        if random.random() < 0.4:
            world.change()
        world.enforce(level)
        world.write(random.choice((300, 1500, HOUR)))
    kept = {each.flow_log_id for each in world.ec2.existing}
    assert {each.flow_log_id for each in others} <= kept
    _settles(world, level, others)


def _settles(world: World, level: str, others: Sequence[FlowLog]) -> None:
    """Without faults and without flow logs of others, the level is reached within a day."""
    world.ec2.create_faults = {}
    ids = {each.flow_log_id for each in others}
    world.ec2.existing = [
        replace(each, deliver_logs_status="SUCCESS", deliver_logs_error_message=None)
        for each in world.ec2.existing
        if each.flow_log_id not in ids
    ]
    for _ in range(60):
        world.enforce(level)
        world.write(HOUR)
    expected = {
        VPC: ["vpc-1"],
        SUBNET: sorted(each.subnet_id for each in world.ec2.subnets_listed),
        INTERFACE: sorted(each.interface_id for each in world.ec2.interfaces_listed),
    }
    assert resources(world.fakes) == expected[level]
