"""Every combination of VPC state, policy and fault, with the expected plan and result.

Columns: state of the VPC | default plan | plan if unmanaged flow logs are accepted | plan in the grace
period | plan if exempt. `-` is an empty plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from flowwarden.enforcer.decide.destination import destinations_of
from flowwarden.enforcer.decide.drift import is_managed
from flowwarden.enforcer.decide.duplicates import duplicates_of
from flowwarden.enforcer.decide.plan import (
    Create,
    Delete,
    Plan,
    PlanContext,
    RollBack,
    Wait,
    make,
)
from flowwarden.enforcer.decide.vpc_state import VpcState
from flowwarden.enforcer.execute.flow_logs import FlowLogExecutor
from flowwarden.enforcer.planner import Planned, Planner
from flowwarden.enforcer.registry import Registry
from flowwarden.enforcer.reporting.report import Result, VpcOutcome
from flowwarden.enforcer.state.desired import BACKOFF_SECONDS, BACKOFF_TAG, MANAGED_TAG, backoff_tag
from flowwarden.enforcer.state.inventory import FlowLog, Vpc
from flowwarden.enforcer.triggers.trigger import RunKind, Trigger
from flowwarden.errors import CallFailed, CallRefused, CallThrottled, EnforcementError, FlowLogExists, VpcGone
from flowwarden.policy.flow_logs import FlowLogsPolicy
from tests.enforcer.cases import (
    ACTIVE,
    ALTERNATE_GROUP,
    DESIRED,
    NOW,
    OTHER,
    THEIRS,
    VPC,
    WANTED,
    but,
    readable,
    seen,
    subnet,
    unmanaged,
    vpc_state,
)
from tests.enforcer.fakes import GROUP, STACK, FakeRunClock, MemoryRegistry
from tests.enforcer.fakes_ec2 import FakeEc2

YOUNG = NOW - 300
REPLACEMENT = but(flow_log_id="fl-2", log_group_name=ALTERNATE_GROUP, creation_time=NOW - 3600)
OLD_FORMAT = but(log_format="${version}")
FAILED: dict[str, Any] = {"deliver_logs_status": "FAILED", "deliver_logs_error_message": "Access error"}
OTHER_TAGS = {MANAGED_TAG: STACK.stack_name, "team": "theirs"}
BUSY: dict[str, Any] = {"interfaces": (ACTIVE,)}
IN_A_BUCKET = unmanaged(log_destination_type="s3", log_group_name=None, log_destination="arn:aws:s3:::b")

STATES: dict[str, VpcState] = {
    "nothing": vpc_state(),
    "the required one, no interface": vpc_state(WANTED),
    "the required one, records seen": vpc_state(WANTED, **BUSY, seen=seen(ACTIVE.interface_id)),
    "the required one, too young": vpc_state(but(creation_time=YOUNG)),
    "the required one, no records seen": vpc_state(WANTED, **BUSY),
    "the required one, others' records": vpc_state(WANTED, **BUSY, seen=seen(OTHER)),
    "the required one, FAILED": vpc_state(but(**FAILED)),
    "managed, other tags": vpc_state(but(tags=OTHER_TAGS)),
    "managed, other tags, too young": vpc_state(but(tags=OTHER_TAGS, creation_time=YOUNG)),
    "managed, other tags, FAILED": vpc_state(but(tags=OTHER_TAGS, **FAILED)),
    "managed, another format and other tags": vpc_state(replace(OLD_FORMAT, tags=OTHER_TAGS)),
    "unmanaged, other tags": vpc_state(unmanaged(tags={"team": "theirs"})),
    "its format unknown": vpc_state(but(log_format=None)),
    "managed, REJECT": vpc_state(but(traffic_type="REJECT")),
    "managed, another format": vpc_state(OLD_FORMAT),
    "managed, ten minutes": vpc_state(but(max_aggregation_interval=600)),
    "managed, another role": vpc_state(but(delivery_role_arn="arn:aws:iam::111122223333:role/old")),
    "managed old, new proven": vpc_state(OLD_FORMAT, REPLACEMENT),
    "managed old, new young": vpc_state(OLD_FORMAT, replace(REPLACEMENT, creation_time=YOUNG)),
    "managed old, new unseen": vpc_state(OLD_FORMAT, REPLACEMENT, **BUSY),
    "managed old, new FAILED": vpc_state(OLD_FORMAT, replace(REPLACEMENT, **FAILED)),
    "both managed FAILED": vpc_state(but(log_format="${version}", **FAILED), replace(REPLACEMENT, **FAILED)),
    "managed twice": vpc_state(WANTED, REPLACEMENT),
    "unmanaged, the required one": vpc_state(unmanaged()),
    "unmanaged, another group": vpc_state(readable()),
    "unmanaged, REJECT": vpc_state(unmanaged(traffic_type="REJECT")),
    "unmanaged, S3": vpc_state(IN_A_BUCKET),
    "unmanaged, another group, FAILED": vpc_state(readable(**FAILED)),
    "unmanaged, the required one, FAILED": vpc_state(unmanaged(**FAILED)),
    "managed and unmanaged alike": vpc_state(WANTED, readable()),
    "managed unseen, unmanaged S3": vpc_state(WANTED, IN_A_BUCKET, **BUSY),
    "managed FAILED, unmanaged S3": vpc_state(but(**FAILED), IN_A_BUCKET, **BUSY),
    "managed FAILED, unmanaged read": vpc_state(
        but(**FAILED), readable(), **BUSY, seen=seen(ACTIVE.interface_id, group=THEIRS)
    ),
    "unmanaged, another group, too little": vpc_state(unmanaged(log_group_name=THEIRS)),
    "managed old, new unseen, unmanaged S3": vpc_state(OLD_FORMAT, REPLACEMENT, IN_A_BUCKET, **BUSY),
    "each subnet has one": vpc_state(unmanaged(resource_id="subnet-1"), subnets=(subnet(1),)),
    "one subnet of two": vpc_state(unmanaged(resource_id="subnet-1"), subnets=(subnet(1), subnet(2))),
    "each interface has one": vpc_state(
        unmanaged(resource_id=ACTIVE.interface_id),
        subnets=(subnet(1),),
        **BUSY,
        seen=seen(ACTIVE.interface_id),
    ),
    "shared": vpc_state(vpc=Vpc(vpc_id="vpc-1", owner_id="444455556666")),
}

TABLE = """
nothing                                | Create Verify   | Create Verify   | Wait            | -
the required one, no interface           | -               | -               | -               | -
the required one, records seen           | -               | -               | -               | -
the required one, too young              | Verify          | Verify          | Verify          | -
the required one, no records seen        | -               | -               | -               | -
the required one, others' records        | Notify          | Notify          | Notify          | -
the required one, FAILED                 | Notify          | Notify          | Notify          | -
managed, other tags                    | Tag             | Tag             | Tag             | -
managed, other tags, too young         | Verify Tag      | Verify Tag      | Verify Tag      | -
managed, other tags, FAILED            | Notify          | Notify          | Notify          | -
managed, another format and other tags | Create Verify   | Create Verify   | Create Verify   | -
unmanaged, other tags                  | -               | -               | -               | -
its format unknown                     | -               | -               | -               | -
managed, REJECT                        | Create Verify   | Create Verify   | Create Verify   | -
managed, another format                | Create Verify   | Create Verify   | Create Verify   | -
managed, ten minutes                   | Create Verify   | Create Verify   | Create Verify   | -
managed, another role                  | Create Verify   | Create Verify   | Create Verify   | -
managed old, new proven                | Delete          | Delete          | Delete          | -
managed old, new young                 | Verify          | Verify          | Verify          | -
managed old, new unseen                | Verify          | Verify          | Verify          | -
managed old, new FAILED                | RollBack Notify | RollBack Notify | RollBack Notify | -
both managed FAILED                    | Notify          | Notify          | Notify          | -
managed twice                          | Delete          | Delete          | Delete          | -
unmanaged, the required one              | -               | -               | -               | -
unmanaged, another group               | Create Verify   | -               | Wait            | -
unmanaged, REJECT                      | Create Verify   | Create Verify   | Wait            | -
unmanaged, S3                          | Create Verify   | Create Verify   | Wait            | -
unmanaged, another group, FAILED       | Create Verify   | Create Verify   | Wait            | -
unmanaged, the required one, FAILED      | Create Verify   | Create Verify   | Wait            | -
managed and unmanaged alike            | -               | -               | -               | -
managed unseen, unmanaged S3           | -               | -               | -               | -
managed FAILED, unmanaged S3           | Notify          | Notify          | Notify          | -
managed FAILED, unmanaged read         | Notify          | Delete          | Notify          | -
unmanaged, another group, too little   | Create Verify   | Create Verify   | Wait            | -
managed old, new unseen, unmanaged S3  | Verify          | Verify          | Verify          | -
each subnet has one                    | -               | -               | -               | -
one subnet of two                      | Create Verify   | Create Verify   | Wait            | -
each interface has one                 | -               | -               | -               | -
shared                                 | -               | -               | -               | -
"""

POLICIES = ("beside", "adopt", "grace", "exempt")

FAULTS: dict[str, tuple[EnforcementError | None, Result]] = {
    "none": (None, Result.CREATED),
    "exists, not shown": (FlowLogExists("FlowLogAlreadyExists"), Result.PENDING),
    "unavailable": (CallFailed("InternalError"), Result.PENDING),
    "not permitted": (CallRefused("UnauthorizedOperation"), Result.FAILED),
    "quota": (CallRefused("FlowLogsLimitExceeded"), Result.FAILED),
    "VPC gone": (VpcGone("InvalidVpcID.NotFound"), Result.GONE),
}
"""The response of CreateFlowLogs, and the result of a plan with `Create`."""

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
"""The results of a plan without `Create`, independent of CreateFlowLogs."""


def rows() -> Iterator[tuple[str, str, str]]:
    """State, policy, plan."""
    for line in TABLE.strip().splitlines():
        state, *plans = (part.strip() for part in line.split("|"))
        for policy, expected in zip(POLICIES, plans, strict=True):
            yield state, policy, expected


def planned(state: str, policy: str) -> Plan:
    """The plan for a state under a policy."""
    case = replace(STATES[state], adopted={THEIRS: 0} if policy == "adopt" else {})
    context = PlanContext(
        places=destinations_of(case.parts.flow_logs, STACK),
        grace_until=NOW + 60 if policy == "grace" else None,
        exempt="a lab" if policy == "exempt" else None,
    )
    return make(case, context)


def names(plan: Plan) -> str:
    """A plan in the notation of the table."""
    return " ".join(type(step).__name__ for step in plan.steps) or "-"


@pytest.mark.parametrize(("state", "policy", "expected"), list(rows()))
def test_state_and_policy_determine_the_plan(state: str, policy: str, expected: str) -> None:
    """One cell of the table."""
    assert names(planned(state, policy)) == expected


def test_the_table_has_every_state() -> None:
    """No state is missing."""
    assert [state for state, policy, _ in rows() if policy == "beside"] == list(STATES)


@pytest.mark.parametrize("fault", FAULTS)
def test_plan_and_fault_determine_the_result(fault: str) -> None:
    """In every cell; only the flow logs that the plan names are deleted."""
    for state, policy, expected in rows():
        ends_as_expected(state, policy, expected, fault)


def ends_as_expected(state: str, policy: str, expected: str, fault: str) -> None:
    """Assert the result of one cell with one fault."""
    case, (error, created) = STATES[state], FAULTS[fault]
    plan = planned(state, policy)
    ec2 = FakeEc2([case.vpc], list(case.parts.flow_logs), create_faults={"vpc-1": error} if error else {})
    outcome = end(ec2, replace(case, adopted={THEIRS: 0} if policy == "adopt" else {}), plan)
    if "Create" not in expected:
        assert outcome.result in ENDS[expected]
        assert ec2.asked == []
    elif fault == "exists, not shown" and in_the_way(plan, case.parts.flow_logs):
        assert outcome.result is Result.CONFLICT
    else:
        assert outcome.result is created
    doomed = [step.flow_log_id for step in plan.steps if isinstance(step, Delete | RollBack)]
    assert ec2.deleted == doomed
    assert "fl-unmanaged" not in ec2.deleted


def in_the_way(plan: Plan, flow_logs: tuple[FlowLog, ...]) -> bool:
    """Whether a flow log of the VPC already writes to the destination of the new one."""
    (create,) = [step for step in plan.steps if isinstance(step, Create)]
    return any(
        each.resource_id == "vpc-1" and each.log_group_name == create.flow_log.destination
        for each in flow_logs
    )


def end(ec2: FakeEc2, case: VpcState, plan: Plan) -> VpcOutcome:
    """Execute the plan."""
    store = MemoryRegistry()
    store.record(*(each for each in ec2.existing if is_managed(each, STACK)))
    executor = FlowLogExecutor(ec2, Planner(FlowLogsPolicy(), STACK), FakeRunClock(), Registry.load(store))
    trigger = Trigger(kind=RunKind.SWEEP, reason="a sweep", happened_at=NOW, idempotency_key="x")
    return executor.execute(Planned(vpc_state=case, plan=plan), None, trigger).outcome


def test_throttled_calls_are_retried_while_there_is_time() -> None:
    """The retry succeeds."""

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
        (vpc_state(OLD_FORMAT), ALTERNATE_GROUP),
        (vpc_state(but(traffic_type="REJECT")), ALTERNATE_GROUP),
        (vpc_state(unmanaged(log_format="${version}")), ALTERNATE_GROUP),
        (vpc_state(unmanaged(log_group_name="theirs", log_format="${version}")), GROUP),
    ],
)
def test_a_replacement_never_shares_a_log_group_with_another_format(case: VpcState, group: str) -> None:
    """One group has one format; a flow log with another destination is no obstacle."""
    context = PlanContext(places=destinations_of(case.parts.flow_logs, STACK))
    create = make(case, context).steps[0]
    assert isinstance(create, Create)
    assert create.flow_log.destination == group


def test_flow_logs_of_other_vpcs_affect_the_destination() -> None:
    """Another format in the group, or managed flow logs of the same configuration only in the alternate."""
    for others, group in (
        ([but(log_format="${version}")], ALTERNATE_GROUP),
        ([REPLACEMENT], ALTERNATE_GROUP),
        ([but(max_aggregation_interval=600), REPLACEMENT], ALTERNATE_GROUP),
        ([but(delivery_role_arn="arn:old"), REPLACEMENT], ALTERNATE_GROUP),
        ([replace(REPLACEMENT, tags={})], GROUP),
        ([WANTED, replace(REPLACEMENT, resource_id="vpc-2")], GROUP),
    ):
        assert goes_to(others) == group


def test_evading_an_unmanaged_flow_log_does_not_move_other_vpcs() -> None:
    """Only that VPC uses the alternate; after a change of configuration, all VPCs use it."""
    assert goes_to([unmanaged(**FAILED), REPLACEMENT]) == GROUP
    assert goes_to([unmanaged(log_group_name="theirs"), REPLACEMENT]) == ALTERNATE_GROUP
    assert goes_to([unmanaged(resource_id="vpc-2", **FAILED), REPLACEMENT]) == ALTERNATE_GROUP
    suffixed = f"{GROUP}-pci"
    assert suffixed in destinations_of([unmanaged(**FAILED), but(log_group_name=suffixed)], STACK).managed


def goes_to(others: list[FlowLog]) -> str:
    """The log group for a new VPC, given these flow logs of other VPCs."""
    create = make(vpc_state(), PlanContext(places=destinations_of(others, STACK))).steps[0]
    assert isinstance(create, Create)
    return create.flow_log.destination


def test_a_failed_replacement_is_on_hold_but_another_configuration_is_not() -> None:
    """The backoff applies to the configuration."""
    backoff = PlanContext(backoff_configuration=DESIRED.configuration, backoff_until=NOW + BACKOFF_SECONDS)
    assert names(make(vpc_state(OLD_FORMAT), backoff)) == "Wait"
    assert (
        names(make(vpc_state(OLD_FORMAT), replace(backoff, backoff_configuration="another")))
        == "Create Verify"
    )
    assert names(make(vpc_state(OLD_FORMAT), replace(backoff, backoff_until=NOW))) == "Create Verify"
    assert names(make(vpc_state(), backoff)) == "Create Verify", "on hold, although nothing covers the VPC"


def test_a_failed_replacement_stays_on_hold_if_the_work_queue_is_lost() -> None:
    """A tag of the old flow log has the configuration and the end; an invalid tag is ignored."""
    managed = backoff_tag(DESIRED.configuration, NOW - 60)

    def plan(value: str, **changes: Any) -> Plan:
        old = replace(OLD_FORMAT, tags=OLD_FORMAT.tags | {BACKOFF_TAG: value}, **changes)
        return make(vpc_state(old), PlanContext())

    (wait,) = plan(managed).steps
    assert isinstance(wait, Wait)
    assert wait.after == BACKOFF_SECONDS - 60
    for value in (
        backoff_tag("another", NOW),
        backoff_tag(DESIRED.configuration, NOW - BACKOFF_SECONDS),
        f"{DESIRED.configuration} until the day after tomorrow",
        f"{DESIRED.configuration} until {NOW + BACKOFF_SECONDS + 1}",
        f"{DESIRED.configuration} until {'9' * 240}",
        DESIRED.configuration,
        "",
    ):
        assert names(plan(value)) == "Create Verify"
    assert names(plan(managed, **FAILED)) == "Create Verify", "on hold, although nothing covers the VPC"
    theirs = unmanaged(log_group_name="theirs", tags={BACKOFF_TAG: managed})
    assert names(make(vpc_state(OLD_FORMAT, theirs), PlanContext())) == "Create Verify"


def test_a_creation_includes_its_estimated_cost() -> None:
    """The cost depends on the active interfaces; without any it is zero."""
    idle, busy = (make(each, PlanContext()).steps[0] for each in (vpc_state(), vpc_state(**BUSY)))
    assert isinstance(idle, Create)
    assert isinstance(busy, Create)
    assert (idle.monthly_dollars, busy.monthly_dollars) == (0.0, 0.03)


def test_duplicates_are_reported_and_not_changed() -> None:
    """They appear in the verdict and lead to no steps."""
    plan = planned("managed and unmanaged alike", "default")
    assert plan.verdict.duplicates == ("fl-unmanaged",)
    assert plan.steps == ()


def test_a_flow_log_that_fails_is_not_a_duplicate() -> None:
    """It records nothing and costs nothing."""
    case = vpc_state(WANTED, unmanaged(log_group_name="theirs", **FAILED))
    assert make(case, PlanContext()).verdict.duplicates == ()


def test_the_cost_of_a_duplicate_depends_on_its_interfaces() -> None:
    """A VPC counts all its interfaces, a subnet its own. Inactive ones cost nothing; unknown ones count."""
    idle = replace(ACTIVE, interface_id="eni-0c", active=False)
    alternate_destination = replace(ACTIVE, interface_id="eni-0d", subnet_id="subnet-2", active=None)
    for resource, expected in (("vpc-1", 0.06), ("subnet-2", 0.03), ("eni-0c", 0.0)):
        twice = unmanaged(log_group_name="theirs", resource_id=resource)
        case = vpc_state(WANTED, twice, interfaces=(ACTIVE, idle, alternate_destination))
        (found,) = duplicates_of([(case, make(case, PlanContext()).verdict)])
        assert (found.flow_log_ids, found.monthly_dollars) == (("fl-unmanaged",), expected)
