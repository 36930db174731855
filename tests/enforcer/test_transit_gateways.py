"""Flow logs of transit gateways, where the policy selects some."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.enforcer.decide.drift import is_tagged
from flowwarden.enforcer.decide.log_groups import PutSubscriptionFilter
from flowwarden.enforcer.reporting.notification import render
from flowwarden.enforcer.reporting.plan_output import as_text
from flowwarden.enforcer.reporting.report import EnforcementReport, Result
from flowwarden.enforcer.state.desired import resolved, with_policy
from flowwarden.enforcer.state.inventory import FlowLog, Unread, Vpc
from flowwarden.enforcer.triggers import trigger
from flowwarden.enforcer.triggers.cloudtrail import ApiCaller
from flowwarden.enforcer.triggers.trigger import RunKind, Trigger
from flowwarden.errors import CallRefused, CallThrottled, PolicyError
from flowwarden.policy.flow_logs import (
    INTERFACE,
    S3,
    Exemption,
    FlowLogSpec,
    FlowLogsPolicy,
    Rule,
    Selection,
)
from flowwarden.policy.transit_gateways import LOG_FORMAT, SUFFIX, GatewaySelection, TransitGateways
from flowwarden.policy.validation import check
from tests.enforcer.deletions import EVE, deletion
from tests.enforcer.fakes import ACCOUNT, GROUP, STACK, Fakes
from tests.enforcer.fakes_ec2 import FakeEc2, wanted
from tests.enforcer.runs import BORN, RETRY, SWEEP, run
from tests.examples import examples

HOUR = 3600
OLD = BORN - 30 * 24 * HOUR
NAME = f"{GROUP}-{SUFFIX}"


def policy(*where: GatewaySelection, **changes: Any) -> FlowLogsPolicy:
    """A policy that selects transit gateways: all of the account unless `where` says which."""
    selections = where or (GatewaySelection(),)
    return FlowLogsPolicy(transit_gateways=TransitGateways(where=selections, **changes), grace_minutes=0)


NONE = FlowLogsPolicy(grace_minutes=0)
DESIRED = resolved(policy().gateway_spec, STACK)


def account(*flow_logs: FlowLog, owner: str = ACCOUNT) -> Fakes:
    """Two transit gateways, no VPC, and these flow logs; the tagged ones are recorded."""
    gateways = [
        Vpc(vpc_id="tgw-1", owner_id=owner, tags={"env": "prod"}),
        Vpc(vpc_id="tgw-2", owner_id=ACCOUNT),
    ]
    fakes = Fakes(ec2=FakeEc2(existing=list(flow_logs), gateways_listed=gateways, clock=BORN))
    fakes.registry.record(*(each for each in flow_logs if is_tagged(each, STACK)))
    return fakes


def ec2_of(fakes: Fakes) -> FakeEc2:
    """The fake EC2."""
    assert isinstance(fakes.ec2, FakeEc2)
    return fakes.ec2


def at(hour: int, kind: Trigger = SWEEP) -> Trigger:
    """A run of this hour."""
    return replace(kind, happened_at=BORN + hour * HOUR, idempotency_key=f"{kind.kind} {hour}")


def sweep(fakes: Fakes, wanted_policy: FlowLogsPolicy, hour: int = 0) -> EnforcementReport:
    """The sweep of this hour."""
    return fakes.service(wanted_policy).reconcile(at(hour), BORN + hour * HOUR)


def resources(fakes: Fakes) -> list[str]:
    """The resources that have a flow log, one for each flow log."""
    return sorted(each.resource_id for each in ec2_of(fakes).existing)


def results(report: EnforcementReport) -> dict[str | None, Result]:
    """The result of each resource."""
    return {each.vpc_id: each.result for each in report.outcomes}


def ours(gateway: str, **changes: Any) -> FlowLog:
    """The managed flow log of a transit gateway."""
    return replace(wanted(f"fl-{gateway}", gateway, DESIRED, OLD), **changes)


def theirs(gateway: str, **changes: Any) -> FlowLog:
    """An unmanaged flow log of a transit gateway, into a log group of others."""
    flow_log = replace(wanted(f"fl-of-{gateway}", gateway, DESIRED, OLD), tags={}, recorded=False)
    return replace(flow_log, log_group_name="theirs", **changes)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (GatewaySelection(), ["tgw-1", "tgw-2"]),
        (GatewaySelection(ids=("tgw-2",)), ["tgw-2"]),
        (GatewaySelection(tags={"env": "prod"}), ["tgw-1"]),
        (GatewaySelection(tags={"env": "*"}), ["tgw-1"]),
        (GatewaySelection(tags={"env": "test"}), []),
        (GatewaySelection(accounts=("444455556666",)), []),
        (GatewaySelection(regions=("us-east-1",)), []),
    ],
)
def test_each_selected_gateway_gets_one_flow_log(where: GatewaySelection, expected: list[str]) -> None:
    """The next sweep creates nothing, and finds that it delivers."""
    fakes = account()
    report = sweep(fakes, policy(where))
    assert [each.vpc_id for each in report.made] == resources(fakes) == expected
    again = sweep(fakes, policy(where), 1)
    assert {each.vpc_id for each in again.of(Result.COVERED)} == set(expected)
    assert resources(fakes) == expected


def test_the_flow_log_has_the_format_of_gateways_and_its_own_log_group() -> None:
    """The group is created, keeps records as long as the policy says, and is not subscribed."""
    fakes = account()
    sweep(fakes, policy(retention_days=7, tags={"owner": "network"}))
    made = ec2_of(fakes).existing[0]
    assert (made.log_group_name, made.log_format, made.traffic_type) == (NAME, LOG_FORMAT, None)
    assert made.tags["owner"] == "network"
    group = fakes.groups.there[NAME]
    assert (group.retention_days, group.subscriptions) == (7, ())
    report = fakes.service(policy(), dry_run=True).reconcile(at(1), BORN + HOUR)
    subscribed = [each.group for each in report.log_group_steps if isinstance(each, PutSubscriptionFilter)]
    assert NAME not in subscribed


def test_without_a_selection_gateways_are_not_even_listed() -> None:
    """The account of most users: no call, no permission needed."""
    fakes = account(theirs("tgw-1"))
    report = sweep(fakes, NONE)
    assert report.outcomes == ()
    assert ec2_of(fakes).calls["DescribeTransitGateways"] == 0
    assert ec2_of(fakes).calls["DescribeSubnets"] == 0
    assert resources(fakes) == ["tgw-1"]


def test_a_shared_gateway_of_another_account_gets_none() -> None:
    """Only its owner can create one."""
    fakes = account(owner="444455556666")
    report = sweep(fakes, policy())
    assert results(report) == {"tgw-1": Result.SKIPPED, "tgw-2": Result.CREATED}
    assert resources(fakes) == ["tgw-2"]


def test_a_gateway_that_is_no_longer_selected_loses_its_managed_flow_log_only() -> None:
    """An unmanaged one, and one with the tag but without the record, stay."""
    fakes = account(ours("tgw-1"), theirs("tgw-1"))
    ec2_of(fakes).existing.append(ours("tgw-2", flow_log_id="fl-tagged"))
    report = run(fakes.service(NONE), at(0), BORN)
    assert ec2_of(fakes).deleted == ["fl-tgw-1"]
    assert results(report) == {"tgw-1": Result.REMOVED, "tgw-2": Result.EXEMPT}
    text = str(render(report).text)
    assert render(report).attributes["severity"] == "warning"
    assert "FLOW LOG REMOVED: the policy no longer asks for it (1)" in text
    assert "tgw-1" in render(report).subject
    for hour in (1, 2, 3):
        assert sweep(fakes, NONE, hour).deletions == ()
    assert ec2_of(fakes).deleted == ["fl-tgw-1"]


def test_a_gateway_whose_tags_cannot_be_read_keeps_its_flow_log() -> None:
    """The policy selects it by a tag, which is missing from what could be read; later it can be read."""
    where = GatewaySelection(tags={"env": "prod"})
    fakes = account(ours("tgw-1"), ours("tgw-2"))
    ec2, known = ec2_of(fakes), ec2_of(fakes).gateways_listed
    ec2.gateways_listed = [replace(each, tags={}) for each in known]
    ec2.unread_listed = [Unread(call="DescribeTransitGateways", what="tgw-1 (Tags[0].Value is not text)")]
    report = sweep(fakes, policy(where))
    assert (ec2.deleted, report.of(Result.REMOVED)) == ([], ())
    assert "DescribeTransitGateways" in [each.resource for each in report.problems]
    ec2.gateways_listed, ec2.unread_listed = known, []
    sweep(fakes, policy(where), 1)
    assert ec2.deleted == ["fl-tgw-2"]


def test_an_outdated_flow_log_is_replaced_after_the_new_one_is_verified() -> None:
    """EC2's status is the only evidence; the old one records until then."""
    fakes = account(ours("tgw-1", settings={"log_format": "${version} ${tgw-id}"}))
    selected = policy(GatewaySelection(ids=("tgw-1",)))
    sweep(fakes, selected)
    assert resources(fakes) == ["tgw-1", "tgw-1"]
    report = sweep(fakes, selected, 1)
    assert ec2_of(fakes).deleted == ["fl-tgw-1"]
    assert results(report)["tgw-1"] is Result.REPLACED


def test_one_that_fails_is_reported_with_what_to_check() -> None:
    """As for VPCs; nothing is deleted."""
    fakes = account(ours("tgw-1", deliver_logs_status="FAILED", deliver_logs_error_message="Access error"))
    report = sweep(fakes, policy(GatewaySelection(ids=("tgw-1",))))
    assert results(report)["tgw-1"] is Result.BROKEN
    assert "delivery role" in render(report).text
    assert ec2_of(fakes).deleted == []


@pytest.mark.parametrize(
    "error", [CallRefused("UnauthorizedOperation"), CallThrottled("RequestLimitExceeded")]
)
def test_a_failed_listing_hides_no_vpc_and_is_reported(error: Exception) -> None:
    """The VPCs are covered; no record of a gateway's flow log is forgotten or reported as deleted."""
    fakes = account(ours("tgw-1"))
    ec2 = ec2_of(fakes)
    ec2.vpcs_listed, ec2.gateways_fault = [Vpc(vpc_id="vpc-1", owner_id=ACCOUNT)], error  # type: ignore[assignment]
    for hour in range(4):
        report = sweep(fakes, policy(), hour)
        assert [each.resource for each in report.problems] == ["transit gateways"]
        assert report.deletions == ()
    assert resources(fakes) == ["tgw-1", "vpc-1"]
    ec2.gateways_fault = None
    assert results(sweep(fakes, policy(), 5))["tgw-1"] is Result.COVERED


def test_a_deleted_flow_log_is_reported_and_created_again() -> None:
    """A deleted gateway takes its flow log along, which is no news."""
    fakes = account()
    sweep(fakes, policy())
    ec2 = ec2_of(fakes)
    ec2.existing = []
    ec2.gateways_listed = ec2.gateways_listed[:1]
    found = [each for hour in (1, 2, 3, 4) for each in sweep(fakes, policy(), hour).deletions]
    assert {each.vpc_id for each in found} == {"tgw-1"}
    assert resources(fakes) == ["tgw-1"]


def test_the_event_of_a_deletion_names_the_principal_and_the_flow_log_is_created_again_at_once() -> None:
    """The report names the gateway, and later sweeps do not repeat it."""
    fakes = account()
    service = fakes.service(policy())
    run(service, SWEEP, BORN)
    run(service, at(1), BORN + HOUR)
    victim = ec2_of(fakes).existing.pop(0)
    event = trigger.read(deletion(victim.flow_log_id, at=BORN + HOUR + 60), STACK)
    report = run(service, event, BORN + HOUR + 90)
    text = str(render(report).text)
    assert f"{victim.flow_log_id} of tgw-1 (managed by this stack): deleted by {EVE}" in text
    assert resources(fakes) == ["tgw-1", "tgw-2"]
    assert [run(service, at(hour), BORN + hour * HOUR).deletions for hour in (2, 3, 4)] == [()] * 3


def test_the_deletion_of_an_unmanaged_flow_log_of_a_gateway_that_is_not_selected_is_reported_once() -> None:
    """An event named its creation. Without a listing, the gateway is not taken for deleted."""
    fakes = account(theirs("tgw-1"))
    caller = ApiCaller(event_name="CreateFlowLogs", event_id="1", actor="maria")
    created = replace(SWEEP, kind=RunKind.EVENT, origin=caller, created=(("fl-of-tgw-1", ("tgw-1",)),))
    run(fakes.service(NONE), created, BORN)
    run(fakes.service(NONE), at(1), BORN + HOUR)
    ec2_of(fakes).existing = []
    found = []
    for hour in range(2, 8):
        report = run(fakes.service(NONE), at(hour), BORN + hour * HOUR)
        found += [(each.resource_ids, each.managed) for each in report.deletions]
        if report.deletions:
            assert "the transit gateway was not checked in this run" in str(render(report).text)
    assert found == [(("tgw-1",), False)]
    assert ec2_of(fakes).calls["DescribeTransitGateways"] == 0


def test_a_retry_looks_at_the_gateway_that_is_due() -> None:
    """After throttling."""
    fakes = account()
    ec2 = ec2_of(fakes)
    ec2.create_faults["tgw-1"] = CallThrottled("x")
    sweep(fakes, policy())
    assert "tgw-1" in fakes.queue.items
    ec2.create_faults = {}
    fakes.service(policy()).reconcile(at(1, RETRY), BORN + HOUR)
    assert resources(fakes) == ["tgw-1", "tgw-2"]


def test_rules_and_exemptions_of_vpcs_do_not_concern_gateways() -> None:
    """Not even those that match every VPC."""
    fakes = account()
    rule = Rule(where=Selection(), flow_log=FlowLogSpec(traffic_type="REJECT"), level=INTERFACE)
    exemption = Exemption(where=Selection(tags={"env": "*"}), reason="a lab")
    report = sweep(fakes, replace(policy(), rules=(rule,), exemptions=(exemption,)))
    assert len(report.made) == 2
    assert {each.log_format for each in ec2_of(fakes).existing} == {LOG_FORMAT}


def test_the_plan_says_what_is_created_without_a_guess_of_the_cost() -> None:
    """Nothing is changed."""
    fakes = account(theirs("tgw-1"))
    report = fakes.service(policy(), dry_run=True).reconcile(SWEEP, BORN)
    text = as_text(report)
    assert f"create a flow log to {NAME} (cloud-watch-logs, aggregation interval 60 s)" in text
    assert "without transit gateways, whose traffic is unknown" in text
    assert f"create log group {NAME}" in text
    assert resources(fakes) == ["tgw-1"]


def test_notifications_do_not_call_gateways_vpcs() -> None:
    """Neither alone nor beside VPCs."""
    fakes = account()
    ec2_of(fakes).vpcs_listed = [Vpc(vpc_id="vpc-1", owner_id=ACCOUNT)]
    report = sweep(fakes, policy())
    assert "1 VPC and 2 transit gateways" in render(report).subject
    assert "the transit gateway has no flow log: created" in render(report).text


def test_flow_logs_of_gateways_can_go_to_s3() -> None:
    """Then the stack needs no log group for them."""
    fakes = account()
    sweep(fakes, policy(destination_type=S3, destination="arn:aws:s3:::flows"))
    assert {each.log_destination for each in ec2_of(fakes).existing} == {"arn:aws:s3:::flows"}
    assert NAME not in fakes.groups.there


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            policy(GatewaySelection(ids=("vpc-1",))),
            r"transit_gateways.where\[0\].ids\[0\]: 'vpc-1'; write an id",
        ),
        (policy(GatewaySelection(ids=("tgw-attach-1",))), r"ids\[0\]: 'tgw-attach-1'"),
        (policy(GatewaySelection(accounts=("1",))), r"transit_gateways.where\[0\].accounts\[0\]: '1'"),
        (policy(retention_days=2), r"transit_gateways.retention_days: 2"),
        (policy(destination_type="disk"), r"transit_gateways.destination_type: 'disk'"),
        (policy(destination_type=S3), r"transit_gateways.destination: ''; write arn"),
        (policy(tags={"aws:x": "y"}), r"transit_gateways.tags: 'aws:x'"),
        (
            FlowLogsPolicy(default=FlowLogSpec(log_group_suffix=SUFFIX)),
            r"default.log_group_suffix: 'transit-gateways'; write another",
        ),
        (
            FlowLogsPolicy(default=FlowLogSpec(log_group_suffix=f"{SUFFIX}-0a1b2c3d")),
            r"default.log_group_suffix: 'transit-gateways-0a1b2c3d'; write another",
        ),
    ],
)
def test_a_policy_that_cannot_be_used_is_refused(wrong: FlowLogsPolicy, message: str) -> None:
    """With the path, the value, and what is allowed."""
    with pytest.raises(PolicyError, match=message):
        check(wrong)


def test_the_policies_of_these_tests_are_valid() -> None:
    """And the stack keeps the group of gateways only if the policy selects some."""
    check(policy())
    check(policy(destination_type=S3, destination="arn:aws:s3:::flows"))
    selecting, without = with_policy(STACK, policy()), with_policy(STACK, NONE)
    assert (selecting.keeps(NAME), selecting.reads(NAME), without.keeps(NAME)) == (True, False, False)
    alternate = DESIRED.alternate_destination
    assert alternate is not None
    assert (selecting.keeps(alternate.destination), selecting.reads(alternate.destination)) == (True, False)
    assert selecting.reads(GROUP)


@examples(60)
@given(
    suffix=st.from_regex(r"[a-z0-9-]{0,12}", fullmatch=True)
    | st.from_regex(rf"{SUFFIX}-?[0-9a-g]{{0,9}}", fullmatch=True)
)
def test_the_monitor_reads_every_log_group_that_a_valid_policy_chooses_for_vpcs(suffix: str) -> None:
    """Also the alternate one: otherwise flow logs would deliver, and no detector would see their records."""
    wanted_policy = FlowLogsPolicy(default=FlowLogSpec(log_group_suffix=suffix))
    try:
        check(wanted_policy)
    except PolicyError:
        return
    stack, chosen = with_policy(STACK, wanted_policy), resolved(wanted_policy.default, STACK)
    alternate = chosen.alternate_destination
    assert alternate is not None
    assert stack.reads(chosen.destination)
    assert stack.reads(alternate.destination)


@examples(6)
@given(seed=st.integers(0, 2**32))
def test_flow_logs_of_others_stay_and_only_selected_gateways_end_with_one_managed(seed: int) -> None:
    """Whatever EC2 refuses or reports, and however the policy changes."""
    random = Random(seed)  # noqa: S311  repeatable
    others = [theirs(each) for each in ("tgw-1", "tgw-2") if random.random() < 0.5]
    fakes = account(*others, *(ours(each) for each in ("tgw-1", "tgw-2") if random.random() < 0.5))
    ec2 = ec2_of(fakes)
    choices = (NONE, policy(), policy(GatewaySelection(ids=("tgw-1",))), policy(tags={"a": "b"}))
    for hour in range(12):
        ec2.clock = BORN + hour * HOUR
        ec2.create_faults = {"tgw-1": CallRefused("x")} if random.random() < 0.3 else {}
        ec2.gateways_fault = CallThrottled("x") if random.random() < 0.2 else None
        before = {each.flow_log_id: each for each in ec2.existing}
        chosen = random.choice(choices)
        sweep(fakes, chosen, hour)
        assert {each.flow_log_id for each in others} <= {each.flow_log_id for each in ec2.existing}
        gone = before.keys() - {each.flow_log_id for each in ec2.existing}
        assert not gone or chosen in (choices[0], choices[2])
        assert all(is_tagged(before[each], STACK) for each in gone)
    ec2.create_faults, ec2.gateways_fault = {}, None
    for hour in (12, 13):
        ec2.clock = BORN + hour * HOUR
        sweep(fakes, choices[2], hour)
    managed = [each.resource_id for each in ec2.existing if is_tagged(each, STACK)]
    assert managed == ["tgw-1"]
