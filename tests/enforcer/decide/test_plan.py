"""Every combination of a VPC's state, a policy and a fault, with the plan and how it ends.

The table reads: what the VPC has | plan by default | plan if foreign flow logs are enough | plan in grace |
plan if exempt. In a plan, `-` is nothing to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from flowwarden.enforcer.decide.coverage import VpcState
from flowwarden.enforcer.decide.destination import destinations_of
from flowwarden.enforcer.decide.duplicates import duplicates_of
from flowwarden.enforcer.decide.plan import (
    HOLD_SECONDS,
    Create,
    Delete,
    Plan,
    PlanContext,
    RollBack,
    Wait,
    hold,
    make,
)
from flowwarden.enforcer.execute.flow_logs import FlowLogExecutor
from flowwarden.enforcer.planner import Planned, Planner
from flowwarden.enforcer.reporting.report import Result, VpcOutcome
from flowwarden.enforcer.state.desired import HELD_TAG, MANAGED_TAG
from flowwarden.enforcer.state.inventory import FlowLog, Vpc
from flowwarden.enforcer.triggers.trigger import RunKind, Trigger
from flowwarden.errors import CallFailed, CallRefused, CallThrottled, EnforcementError, FlowLogExists, VpcGone
from flowwarden.policy.flow_logs import FlowLogsPolicy
from tests.enforcer.cases import (
    ACTIVE,
    BESIDE,
    DESIRED,
    NOW,
    OTHER,
    VPC,
    WANTED,
    but,
    foreign,
    seen,
    subnet,
    vpc_state,
)
from tests.enforcer.fakes import GROUP, STACK, FakePace
from tests.enforcer.fakes_ec2 import FakeEc2

YOUNG = NOW - 300
REPLACEMENT = but(flow_log_id="fl-2", log_group_name=BESIDE, creation_time=NOW - 3600)
OLD_FORMAT = but(log_format="${version}")
FAILED: dict[str, Any] = {"deliver_logs_status": "FAILED", "deliver_logs_error_message": "Access error"}
OTHER_TAGS = {MANAGED_TAG: STACK.stack_name, "team": "theirs"}
BUSY: dict[str, Any] = {"interfaces": (ACTIVE,)}
IN_A_BUCKET = foreign(log_destination_type="s3", log_group_name=None, log_destination="arn:aws:s3:::b")

STATES: dict[str, VpcState] = {
    "nothing": vpc_state(),
    "the wanted one, no interface": vpc_state(WANTED),
    "the wanted one, records seen": vpc_state(WANTED, **BUSY, seen=seen(ACTIVE.interface_id)),
    "the wanted one, too young": vpc_state(but(creation_time=YOUNG)),
    "the wanted one, nobody's records": vpc_state(WANTED, **BUSY),
    "the wanted one, others' records": vpc_state(WANTED, **BUSY, seen=seen(OTHER)),
    "the wanted one, FAILED": vpc_state(but(**FAILED)),
    "ours, other tags": vpc_state(but(tags=OTHER_TAGS)),
    "ours, other tags, too young": vpc_state(but(tags=OTHER_TAGS, creation_time=YOUNG)),
    "ours, other tags, FAILED": vpc_state(but(tags=OTHER_TAGS, **FAILED)),
    "ours, another format and other tags": vpc_state(replace(OLD_FORMAT, tags=OTHER_TAGS)),
    "foreign, other tags": vpc_state(foreign(tags={"team": "theirs"})),
    "its format not told": vpc_state(but(log_format=None)),
    "ours, REJECT": vpc_state(but(traffic_type="REJECT")),
    "ours, another format": vpc_state(OLD_FORMAT),
    "ours, ten minutes": vpc_state(but(max_aggregation_interval=600)),
    "ours, another role": vpc_state(but(delivery_role_arn="arn:aws:iam::111122223333:role/old")),
    "ours old, new proven": vpc_state(OLD_FORMAT, REPLACEMENT),
    "ours old, new young": vpc_state(OLD_FORMAT, replace(REPLACEMENT, creation_time=YOUNG)),
    "ours old, new unseen": vpc_state(OLD_FORMAT, REPLACEMENT, **BUSY),
    "ours old, new FAILED": vpc_state(OLD_FORMAT, replace(REPLACEMENT, **FAILED)),
    "both of ours FAILED": vpc_state(but(log_format="${version}", **FAILED), replace(REPLACEMENT, **FAILED)),
    "ours twice": vpc_state(WANTED, REPLACEMENT),
    "foreign, the wanted one": vpc_state(foreign()),
    "foreign, another group": vpc_state(foreign(log_group_name="theirs")),
    "foreign, REJECT": vpc_state(foreign(traffic_type="REJECT")),
    "foreign, S3": vpc_state(IN_A_BUCKET),
    "foreign, another group, FAILED": vpc_state(foreign(log_group_name="theirs", **FAILED)),
    "foreign, the wanted one, FAILED": vpc_state(foreign(**FAILED)),
    "ours and foreign alike": vpc_state(WANTED, foreign(log_group_name="theirs")),
    "ours unseen, foreign S3": vpc_state(WANTED, IN_A_BUCKET, **BUSY),
    "ours FAILED, foreign S3": vpc_state(but(**FAILED), IN_A_BUCKET, **BUSY),
    "ours old, new unseen, foreign S3": vpc_state(OLD_FORMAT, REPLACEMENT, IN_A_BUCKET, **BUSY),
    "each subnet has one": vpc_state(foreign(resource_id="subnet-1"), subnets=(subnet(1),)),
    "one subnet of two": vpc_state(foreign(resource_id="subnet-1"), subnets=(subnet(1), subnet(2))),
    "each interface has one": vpc_state(
        foreign(resource_id=ACTIVE.interface_id),
        subnets=(subnet(1),),
        **BUSY,
        seen=seen(ACTIVE.interface_id),
    ),
    "shared": vpc_state(vpc=Vpc(vpc_id="vpc-1", owner_id="444455556666")),
}

TABLE = """
nothing                          | Create Verify   | Create Verify   | Wait            | -
the wanted one, no interface     | -               | -               | -               | -
the wanted one, records seen     | -               | -               | -               | -
the wanted one, too young        | Verify          | Verify          | Verify          | -
the wanted one, nobody's records | -               | -               | -               | -
the wanted one, others' records  | Notify          | Notify          | Notify          | -
the wanted one, FAILED           | Notify          | Notify          | Notify          | -
ours, other tags                 | Tag             | Tag             | Tag             | -
ours, other tags, too young      | Verify Tag      | Verify Tag      | Verify Tag      | -
ours, other tags, FAILED         | Notify          | Notify          | Notify          | -
ours, another format and other tags | Create Verify | Create Verify  | Create Verify   | -
foreign, other tags              | -               | -               | -               | -
its format not told              | -               | -               | -               | -
ours, REJECT                     | Create Verify   | Create Verify   | Create Verify   | -
ours, another format             | Create Verify   | Create Verify   | Create Verify   | -
ours, ten minutes                | Create Verify   | Create Verify   | Create Verify   | -
ours, another role               | Create Verify   | Create Verify   | Create Verify   | -
ours old, new proven             | Delete          | Delete          | Delete          | -
ours old, new young              | Verify          | Verify          | Verify          | -
ours old, new unseen             | Verify          | Verify          | Verify          | -
ours old, new FAILED             | RollBack Notify | RollBack Notify | RollBack Notify | -
both of ours FAILED              | Notify          | Notify          | Notify          | -
ours twice                       | Delete          | Delete          | Delete          | -
foreign, the wanted one          | -               | -               | -               | -
foreign, another group           | Create Verify   | -               | Wait            | -
foreign, REJECT                  | Create Verify   | Create Verify   | Wait            | -
foreign, S3                      | Create Verify   | -               | Wait            | -
foreign, another group, FAILED   | Create Verify   | Create Verify   | Wait            | -
foreign, the wanted one, FAILED  | Create Verify   | Create Verify   | Wait            | -
ours and foreign alike           | -               | -               | -               | -
ours unseen, foreign S3          | -               | -               | -               | -
ours FAILED, foreign S3          | Notify          | Delete          | Notify          | -
ours old, new unseen, foreign S3 | Verify          | Verify          | Verify          | -
each subnet has one              | -               | -               | -               | -
one subnet of two                | Create Verify   | Create Verify   | Wait            | -
each interface has one           | -               | -               | -               | -
shared                           | -               | -               | -               | -
"""

POLICIES = ("default", "enough", "grace", "exempt")

FAULTS: dict[str, tuple[EnforcementError | None, Result]] = {
    "none": (None, Result.CREATED),
    "exists, not shown": (FlowLogExists("FlowLogAlreadyExists"), Result.PENDING),
    "unavailable": (CallFailed("InternalError"), Result.PENDING),
    "not permitted": (CallRefused("UnauthorizedOperation"), Result.FAILED),
    "quota": (CallRefused("FlowLogsLimitExceeded"), Result.FAILED),
    "VPC gone": (VpcGone("InvalidVpcID.NotFound"), Result.GONE),
}
"""What CreateFlowLogs answers, and how a plan with `Create` ends then."""

ENDS = {
    "-": {Result.COVERED, Result.PENDING, Result.SKIPPED, Result.EXEMPT},
    "Wait": {Result.PENDING},
    "Verify": {Result.PENDING},
    "Tag": {Result.COVERED},
    "Verify Tag": {Result.PENDING},
    "Notify": {Result.BROKEN},
    "Delete": {Result.REPLACED},
    "RollBack Notify": {Result.ROLLED_BACK},
}
"""How a plan without `Create` ends, whatever CreateFlowLogs would answer."""


def rows() -> Iterator[tuple[str, str, str]]:
    """State, policy, plan."""
    for line in TABLE.strip().splitlines():
        state, *plans = (part.strip() for part in line.split("|"))
        for policy, expected in zip(POLICIES, plans, strict=True):
            yield state, policy, expected


def planned(state: str, policy: str) -> Plan:
    """The plan for a state by a policy."""
    case = replace(STATES[state], foreign_is_enough=policy == "enough")
    context = PlanContext(
        places=destinations_of(case.parts.flow_logs, STACK),
        grace_until=NOW + 60 if policy == "grace" else None,
        exempt="a lab" if policy == "exempt" else None,
    )
    return make(case, context)


def names(plan: Plan) -> str:
    """A plan as the table writes it."""
    return " ".join(type(step).__name__ for step in plan.steps) or "-"


@pytest.mark.parametrize(("state", "policy", "expected"), list(rows()))
def test_state_and_policy_make_the_plan(state: str, policy: str, expected: str) -> None:
    """Each cell of the table."""
    assert names(planned(state, policy)) == expected


def test_the_table_has_every_state() -> None:
    """None is left out."""
    assert [state for state, policy, _ in rows() if policy == "default"] == list(STATES)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("state", "policy", "expected"), list(rows()))
def test_a_plan_and_a_fault_make_the_end(state: str, policy: str, expected: str, fault: str) -> None:
    """Each cell with each fault: and nothing but what the plan says is deleted."""
    case, (error, created) = STATES[state], FAULTS[fault]
    plan = planned(state, policy)
    ec2 = FakeEc2([case.vpc], list(case.parts.flow_logs), create_faults={"vpc-1": error} if error else {})
    outcome = end(ec2, replace(case, foreign_is_enough=policy == "enough"), plan)
    if "Create" not in expected:
        assert outcome.result in ENDS[expected]
        assert ec2.asked == []
    elif fault == "exists, not shown" and in_the_way(plan, case.parts.flow_logs):
        assert outcome.result is Result.CONFLICT
    else:
        assert outcome.result is created
    doomed = [step.flow_log_id for step in plan.steps if isinstance(step, Delete | RollBack)]
    assert ec2.deleted == doomed
    assert "fl-foreign" not in ec2.deleted


def in_the_way(plan: Plan, flow_logs: tuple[FlowLog, ...]) -> bool:
    """Whether a flow log of the VPC writes where the new one shall."""
    (create,) = [step for step in plan.steps if isinstance(step, Create)]
    return any(
        each.resource_id == "vpc-1" and each.log_group_name == create.flow_log.destination
        for each in flow_logs
    )


def end(ec2: FakeEc2, case: VpcState, plan: Plan) -> VpcOutcome:
    """Execute the plan."""
    executor = FlowLogExecutor(ec2, Planner(FlowLogsPolicy(), STACK), FakePace())
    trigger = Trigger(kind=RunKind.SWEEP, reason="a sweep", happened_at=NOW, idempotency_key="x")
    return executor.execute(Planned(vpc_state=case, plan=plan), None, trigger).outcome


def test_throttled_calls_are_made_again_while_there_is_time() -> None:
    """And they succeed then."""

    class Throttled(FakeEc2):
        """Throttles twice."""

        def create(self, vpc_id: str, desired: Any, client_token: str) -> str:
            if len(self.asked) < 2:
                self.asked.append(vpc_id)
                raise CallThrottled("RequestLimitExceeded")
            return super().create(vpc_id, desired, client_token)

    assert end(Throttled([VPC]), STATES["nothing"], planned("nothing", "default")).result is Result.CREATED


@pytest.mark.parametrize(
    ("case", "group"),
    [
        (vpc_state(), GROUP),
        (vpc_state(OLD_FORMAT), BESIDE),
        (vpc_state(but(traffic_type="REJECT")), BESIDE),
        (vpc_state(foreign(log_format="${version}")), BESIDE),
        (vpc_state(foreign(log_group_name="theirs", log_format="${version}")), GROUP),
    ],
)
def test_a_replacement_goes_where_no_other_format_is(case: VpcState, group: str) -> None:
    """One group has one format; what goes elsewhere is in nobody's way."""
    context = PlanContext(places=destinations_of(case.parts.flow_logs, STACK))
    create = make(case, context).steps[0]
    assert isinstance(create, Create)
    assert create.flow_log.destination == group


def test_other_vpcs_decide_too_where_a_flow_log_goes() -> None:
    """Another VPC's format in the group, and ours of the same configuration beside it and none in it."""
    for others, group in (
        ([but(log_format="${version}")], BESIDE),
        ([REPLACEMENT], BESIDE),
        ([but(max_aggregation_interval=600), REPLACEMENT], BESIDE),
        ([but(delivery_role_arn="arn:old"), REPLACEMENT], BESIDE),
        ([replace(REPLACEMENT, tags={})], GROUP),
        ([WANTED, replace(REPLACEMENT, resource_id="vpc-2")], GROUP),
    ):
        assert goes_to(others) == group


def test_what_went_beside_a_foreign_flow_log_draws_no_other_vpc_there() -> None:
    """The place beside is for that VPC alone; but what goes there for a change of ours draws all."""
    assert goes_to([foreign(**FAILED), REPLACEMENT]) == GROUP
    assert goes_to([foreign(log_group_name="theirs"), REPLACEMENT]) == BESIDE
    assert goes_to([foreign(resource_id="vpc-2", **FAILED), REPLACEMENT]) == BESIDE
    suffixed = f"{GROUP}-pci"
    assert suffixed in destinations_of([foreign(**FAILED), but(log_group_name=suffixed)], STACK).ours


def goes_to(others: list[FlowLog]) -> str:
    """The log group of a new VPC's flow log, where there are these of other VPCs."""
    create = make(vpc_state(), PlanContext(places=destinations_of(others, STACK))).steps[0]
    assert isinstance(create, Create)
    return create.flow_log.destination


def test_a_replacement_that_failed_is_left_for_a_while_and_another_one_is_not() -> None:
    """What is held is the configuration."""
    held = PlanContext(held=DESIRED.configuration, held_until=NOW + HOLD_SECONDS)
    assert names(make(vpc_state(OLD_FORMAT), held)) == "Wait"
    assert names(make(vpc_state(OLD_FORMAT), replace(held, held="another"))) == "Create Verify"
    assert names(make(vpc_state(OLD_FORMAT), replace(held, held_until=NOW))) == "Create Verify"
    assert names(make(vpc_state(), held)) == "Create Verify", "nothing goes on in its place"


def test_a_replacement_that_failed_is_left_for_a_while_although_the_list_is_lost() -> None:
    """A tag of the old flow log says which and until when; one that is not as ours are says nothing."""
    ours = hold(DESIRED.configuration, NOW - 60)

    def plan(value: str, **changes: Any) -> Plan:
        old = replace(OLD_FORMAT, tags=OLD_FORMAT.tags | {HELD_TAG: value}, **changes)
        return make(vpc_state(old), PlanContext())

    (wait,) = plan(ours).steps
    assert isinstance(wait, Wait)
    assert wait.after == HOLD_SECONDS - 60
    for value in (
        hold("another", NOW),
        hold(DESIRED.configuration, NOW - HOLD_SECONDS),
        f"{DESIRED.configuration} until the day after tomorrow",
        f"{DESIRED.configuration} until {NOW + HOLD_SECONDS + 1}",
        f"{DESIRED.configuration} until {'9' * 240}",
        DESIRED.configuration,
        "",
    ):
        assert names(plan(value)) == "Create Verify"
    assert names(plan(ours, **FAILED)) == "Create Verify", "nothing goes on in its place"
    theirs = foreign(log_group_name="theirs", tags={HELD_TAG: ours})
    assert names(make(vpc_state(OLD_FORMAT, theirs), PlanContext())) == "Create Verify"


def test_a_creation_says_what_it_costs() -> None:
    """By its active interfaces; nothing without any."""
    idle, busy = (make(each, PlanContext()).steps[0] for each in (vpc_state(), vpc_state(**BUSY)))
    assert isinstance(idle, Create)
    assert isinstance(busy, Create)
    assert (idle.monthly_dollars, busy.monthly_dollars) == (0.0, 0.03)


def test_duplicates_are_named_and_left_alone() -> None:
    """They cost as much again."""
    plan = planned("ours and foreign alike", "default")
    assert plan.verdict.duplicates == ("fl-foreign",)
    assert plan.steps == ()


def test_a_flow_log_that_fails_is_no_duplicate() -> None:
    """It records nothing, and costs nothing."""
    case = vpc_state(WANTED, foreign(log_group_name="theirs", **FAILED))
    assert make(case, PlanContext()).verdict.duplicates == ()


def test_a_duplicate_costs_by_the_interfaces_that_it_watches() -> None:
    """Of the VPC all, of a subnet those in it; nothing where none is active. What nobody can tell counts."""
    idle = replace(ACTIVE, interface_id="eni-0c", active=False)
    alternate_destination = replace(ACTIVE, interface_id="eni-0d", subnet_id="subnet-2", active=None)
    for resource, expected in (("vpc-1", 0.06), ("subnet-2", 0.03), ("eni-0c", 0.0)):
        twice = foreign(log_group_name="theirs", resource_id=resource)
        case = vpc_state(WANTED, twice, interfaces=(ACTIVE, idle, alternate_destination))
        (found,) = duplicates_of([(case, make(case, PlanContext()).verdict)])
        assert (found.flow_log_ids, found.monthly_dollars) == (("fl-foreign",), expected)
