"""Existing log groups: subscribed, kept, given up; and the VPCs whose flow logs deliver into them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.enforcer.decide.subscriptions import statement_id
from flowwarden.enforcer.group_listing import AT_ONCE as LISTED_AT_ONCE
from flowwarden.enforcer.reporting.report import EnforcementReport, Result
from flowwarden.enforcer.state.inventory import FlowLog, FoundSubscription, LogGroup, Subscription, Unread
from flowwarden.enforcer.triggers import trigger
from flowwarden.errors import CallFailed, CallRefused, CallThrottled, EnforcementError
from flowwarden.network.interface import NetworkInterface
from flowwarden.policy.flow_logs import Exemption, FlowLogSpec, FlowLogsPolicy, Rule, Selection
from flowwarden.policy.log_groups import TELEMETRY_RULES, LogGroupSelection, is_of_function, matches
from flowwarden.state import heartbeats
from flowwarden.state.heartbeats import slot_of
from tests.enforcer.cases import GOOD_FORMAT, OLD, changed, readable
from tests.enforcer.fakes import ACCOUNT, GROUP, MONITOR, STACK, FakeRunClock, Fakes
from tests.enforcer.fakes_ec2 import FakeEc2
from tests.enforcer.fakes_existing import FakeExisting
from tests.enforcer.runs import AT_ONCE, BIRTH, BORN, RETRY, SWEEP, existing, only, own, run
from tests.examples import examples

ELSEWHERE = "arn:aws:lambda:eu-west-1:111122223333:function:siem"
OURS = Subscription(name=STACK.stack_name, destination_arn=MONITOR)
FOUND = FoundSubscription(name=STACK.stack_name, destination_arn=MONITOR, creation_time=BORN)
THEIRS = Subscription(name="siem", destination_arn=ELSEWHERE)


def group_of(vpc_id: str) -> str:
    """The log group of a VPC, as telemetry rules name it."""
    return f"/aws/vpc/{vpc_id}"


def flow_log_of(vpc_id: str, **changes: Any) -> FlowLog:
    """The unmanaged flow log of a VPC that can be read, with changes."""
    made = readable(flow_log_id=f"fl-{vpc_id}", resource_id=vpc_id, log_group_name=group_of(vpc_id))
    return changed(replace(made, creation_time=OLD), **changes)


def account(*vpc_ids: str, **changes: Any) -> Fakes:
    """An account whose VPCs have readable flow logs in log groups of their own."""
    vpcs = vpc_ids or ("vpc-1",)
    interfaces = [
        NetworkInterface(interface_id=f"eni-{each:02x}", vpc_id=vpc) for each, vpc in enumerate(vpcs)
    ]
    fakes = Fakes(ec2=FakeEc2(own(*vpcs), [flow_log_of(each, **changes) for each in vpcs], interfaces))
    fakes.existing.add(*(LogGroup(name=group_of(each), retention_days=7) for each in vpcs))
    return fakes


def sweep(fakes: Fakes, now: int = BORN, policy: FlowLogsPolicy = AT_ONCE) -> EnforcementReport:
    """One sweep, with its report sent."""
    fakes.existing.now = now
    return run(fakes.service(policy), SWEEP, now)


def results(report: EnforcementReport) -> dict[str | None, Result]:
    """The result of each VPC."""
    return {each.vpc_id: each.result for each in report.outcomes}


def created(fakes: Fakes) -> list[str]:
    """The VPCs that got a flow log."""
    assert isinstance(fakes.ec2, FakeEc2)
    return [vpc_id for vpc_id, _ in fakes.ec2.created]


def see(fakes: Fakes, group: str, *interfaces: str, at: int) -> None:
    """Let the monitor see records of these interfaces in each slot of the last hours."""
    numbers = {number for each in interfaces if (number := heartbeats.number_of(each)) is not None}
    for slot in range(slot_of(at) - 5, slot_of(at) + 1):
        for addition in heartbeats.additions(group, {slot: numbers}):
            fakes.evidence.add(addition)


def test_flow_logs_in_existing_groups_are_read_within_one_sweep_without_a_second_one() -> None:
    """One filter for each group, one permission for the pattern; the group itself does not change."""
    fakes = account("vpc-1", "vpc-2")
    report = sweep(fakes)
    assert created(fakes) == []
    assert fakes.permissions.statements == {statement_id(TELEMETRY_RULES): "/aws/vpc/*"}
    for vpc in ("vpc-1", "vpc-2"):
        found = fakes.existing.there[group_of(vpc)]
        assert found == LogGroup(name=group_of(vpc), retention_days=7, subscriptions=(FOUND,))
    assert set(results(report).values()) == {Result.PENDING}
    (sent,) = fakes.sink.sent
    assert "2 unmanaged flow logs read where they are" in sent.subject
    assert "fl-vpc-1 of vpc-1 in /aws/vpc/vpc-1" in sent.text
    assert (
        "2 flow logs without tcp-flags; less is found by: egress-volume, internet-to-admin-port" in sent.text
    )
    assert (
        "2 flow logs without subnet-id; less is found by: internet-to-private, nacl-blocks-replies"
        in sent.text
    )


def test_heartbeats_verify_the_coverage_and_nothing_is_reported_twice() -> None:
    """Until the monitor sees records of the VPC, it counts as not verified."""
    fakes = account("vpc-1")
    sweep(fakes)
    see(fakes, group_of("vpc-1"), "eni-00", at=BORN + 3600)
    report = sweep(fakes, BORN + 3600)
    assert results(report) == {"vpc-1": Result.COVERED}
    assert "which the monitor reads" in only(report).reason
    assert len(fakes.sink.sent) == 1
    assert len(fakes.existing.changes) == 1
    assert len(fakes.permissions.changes) == 1


def test_five_hundred_groups_take_one_permission_and_one_listing() -> None:
    """The pattern covers them all."""
    fakes = account(*(f"vpc-{number:04x}" for number in range(500)))
    sweep(fakes)
    assert len(fakes.permissions.changes) == 1
    assert len(fakes.existing.changes) == 500
    assert fakes.existing.described == ["/aws/vpc/"]
    assert created(fakes) == []


def test_a_group_whose_vpc_writes_nothing_while_others_do_does_not_cover_it() -> None:
    """The monitor works, because it reads other groups: after two hours the VPC gets a managed flow log."""
    fakes = account("vpc-1", "vpc-2")
    sweep(fakes)
    for now in (BORN + 3600, BORN + 3 * 3600):
        see(fakes, group_of("vpc-2"), "eni-01", at=now)
        report = sweep(fakes, now)
        assert results(report)["vpc-2"] is Result.COVERED
        assert created(fakes) == (["vpc-1"] if now > BORN + 2 * 3600 else [])


def test_if_no_group_is_read_the_monitor_may_be_at_fault_and_nothing_is_created() -> None:
    """It would double every bill. The silence is reported instead."""
    fakes = account("vpc-1")
    sweep(fakes)
    report = sweep(fakes, BORN + 3 * 3600)
    assert created(fakes) == []
    assert ["the monitor sees no records" in each.summary for each in report.remediations] == [True]


IMPOSSIBLE: Mapping[str, tuple[LogGroup, str]] = {
    "vpc-ia": (LogGroup(name=group_of("vpc-ia"), log_class="INFREQUENT_ACCESS"), "class INFREQUENT_ACCESS"),
    "vpc-masked": (LogGroup(name=group_of("vpc-masked"), is_masked=True), "data protection policy"),
    "vpc-full": (
        LogGroup(name=group_of("vpc-full"), subscriptions=(THEIRS, replace(THEIRS, name="archive"))),
        f"maximum of 2 subscription filters (siem to {ELSEWHERE} and archive to {ELSEWHERE})",
    ),
    "vpc-taken": (
        LogGroup(name=group_of("vpc-taken"), subscriptions=(replace(THEIRS, name=STACK.stack_name),)),
        f"the stack's name, {STACK.stack_name}, which sends to {ELSEWHERE}",
    ),
    "vpc-denied": (LogGroup(name=group_of("vpc-denied")), "AccessDeniedException: denied by an SCP"),
    "vpc-unread": (LogGroup(name=group_of("vpc-unread")), "could not be read: AccessDeniedException"),
    "vpc-gone": (LogGroup(name="another"), "the log group does not exist"),
}
"""Groups that cannot be subscribed, and what the report says."""


def with_impossible(*vpc_ids: str) -> Fakes:
    """An account with a group that can be subscribed, and these, which cannot."""
    fakes = account("vpc-1", *vpc_ids)
    for vpc_id in vpc_ids:
        group, _ = IMPOSSIBLE[vpc_id]
        del fakes.existing.there[group_of(vpc_id)]
        fakes.existing.add(group)
    denied = CallRefused("PutSubscriptionFilter: AccessDeniedException: denied by an SCP")
    fakes.existing.change_faults = {group_of("vpc-denied"): denied}
    fakes.existing.faults = {group_of("vpc-unread"): CallRefused("AccessDeniedException")}
    return fakes


@pytest.mark.parametrize("vpc_ids", [*([each] for each in IMPOSSIBLE), list(IMPOSSIBLE)])
def test_a_group_that_cannot_be_subscribed_is_reported_once_and_hurts_no_other(vpc_ids: list[str]) -> None:
    """Each by itself, and all at once: its VPC gets a managed flow log, so nothing is invisible."""
    fakes = with_impossible(*vpc_ids)
    report = sweep(fakes)
    assert created(fakes) == sorted(vpc_ids)
    assert [each.group for each in fakes.existing.changes] == [group_of("vpc-1")]
    assert report.failures == ()
    (sent,) = fakes.sink.sent
    for vpc_id in vpc_ids:
        (line,) = [each for each in sent.text.splitlines() if each.startswith(f"- fl-{vpc_id} ")]
        assert IMPOSSIBLE[vpc_id][1] in line
    sweep(fakes, BORN + 6 * 3600)
    assert all("NOT READ" not in each.text for each in fakes.sink.sent[1:])


FUNCTIONS_ARN = MONITOR.rpartition(":")[0]


@pytest.mark.parametrize(
    "found",
    [
        replace(OURS, pattern="REJECT"),
        replace(OURS, destination_arn=f"{MONITOR}:live"),
        replace(OURS, destination_arn=f"{FUNCTIONS_ARN}:{STACK.stack_name}-MonitorFunction-1A2B3C"),
    ],
    ids=["a pattern", "a version of the monitor", "the monitor before it was replaced"],
)
def test_a_filter_of_the_stack_that_was_changed_is_restored(found: Subscription) -> None:
    """Its destination proves whose it is."""
    fakes = account("vpc-1")
    fakes.existing.add(LogGroup(name=group_of("vpc-1"), subscriptions=(found, THEIRS)))
    sweep(fakes)
    assert fakes.existing.there[group_of("vpc-1")].subscriptions == (THEIRS, FOUND)
    assert created(fakes) == []


@pytest.mark.parametrize(
    "destination",
    [
        ELSEWHERE,
        f"{FUNCTIONS_ARN}:{STACK.stack_name}-2-MonitorFunction-1A2B3C",
        f"{MONITOR}-2",
        f"{FUNCTIONS_ARN.replace(ACCOUNT, '444455556666')}:{STACK.stack_name}-MonitorFunction-1A2B3C",
    ],
)
def test_a_filter_of_another_tool_with_the_stacks_name_is_reported_and_stays(destination: str) -> None:
    """Even if nothing else is in the group: the VPC gets a managed flow log."""
    theirs = Subscription(name=STACK.stack_name, destination_arn=destination)
    fakes = account("vpc-1")
    fakes.existing.add(LogGroup(name=group_of("vpc-1"), subscriptions=(theirs,)))
    sweep(fakes)
    assert fakes.existing.there[group_of("vpc-1")].subscriptions == (theirs,)
    assert created(fakes) == ["vpc-1"]
    assert "may belong to another tool, so it is not overwritten" in fakes.sink.sent[0].text


class SlowExisting(FakeExisting):
    """Log groups whose descriptions take long."""

    clock: FakeRunClock

    def subscribed(self, groups: Sequence[LogGroup]) -> list[LogGroup | EnforcementError]:
        """See the port. Takes 250 seconds."""
        self.clock.left -= 250
        return super().subscribed(groups)


def test_if_time_runs_out_the_rest_of_many_groups_stays_and_other_sweeps_read_it() -> None:
    """It is reported once for all of them. No VPC gets a second flow log because of it."""
    number = 8 * LISTED_AT_ONCE
    fakes = account(*(f"vpc-{each:04x}" for each in range(number)))
    slow = SlowExisting(fakes.permissions, fakes.existing.there)
    fakes.existing, slow.clock = slow, fakes.clock
    read = set[str]()
    for turn in range(16):
        fakes.existing.read, fakes.clock.left = [], 1000
        report = sweep(fakes, BORN + turn * 60)
        assert 0 < len(fakes.existing.read) < number
        assert ["had no time left" in each.summary for each in report.problems] == [True]
        read |= {*fakes.existing.read}
        assert created(fakes) == []
    assert len(read) == number


def test_an_accepted_group_that_cannot_be_subscribed_is_not_reported() -> None:
    """The policy names it in `accepted_duplicates`."""
    fakes = with_impossible("vpc-ia")
    sweep(fakes, policy=replace(AT_ONCE, accepted_duplicates=(group_of("vpc-ia"),)))
    assert all("NOT READ" not in each.text for each in fakes.sink.sent)


@pytest.mark.parametrize("error", [CallThrottled("ThrottlingException"), CallFailed("InternalError")])
@pytest.mark.parametrize("what", ["group", "change", "listing"])
def test_a_failure_that_may_pass_causes_no_second_flow_log(error: CallFailed, what: str) -> None:
    """It is reported, and the next sweep subscribes the group."""
    fakes = account("vpc-1", "vpc-2")
    if what == "change":
        fakes.existing.change_faults = {group_of("vpc-1"): error}
    else:
        fakes.existing.faults = {group_of("vpc-1") if what == "group" else "/aws/vpc/*": error}
    report = sweep(fakes)
    assert created(fakes) == []
    assert any(group_of("vpc-1") in each.resource for each in report.problems)
    fakes.existing.faults, fakes.existing.change_faults = {}, {}
    assert sweep(fakes, BORN + 600).problems == ()
    assert all(fakes.existing.there[group_of(each)].subscriptions for each in ("vpc-1", "vpc-2"))


RED = LogGroupSelection(name="/aws/vpc/*", tags={"team": "red"})


@pytest.mark.parametrize("error", [CallThrottled("ThrottlingException"), CallFailed("InternalError")])
def test_tags_that_cannot_be_read_for_a_short_time_cause_no_second_flow_log(error: CallFailed) -> None:
    """Neither for a group that is subscribed, nor for a new one, which the next sweep subscribes."""
    fakes = account("vpc-1", "vpc-2")
    fakes.existing.tags = {group_of("vpc-1"): {"team": "red"}, group_of("vpc-2"): {"team": "red"}}
    fakes.existing.add(LogGroup(name=group_of("vpc-1"), subscriptions=(FOUND,)))
    fakes.existing.faults = {"tags": error}
    red = replace(AT_ONCE, log_groups=(RED,))
    report = sweep(fakes, policy=red)
    assert created(fakes) == []
    assert fakes.existing.changes == []
    assert ["tags of log groups could not be read" in each.summary for each in report.problems] == [True]
    fakes.existing.faults = {}
    assert sweep(fakes, BORN + 600, red).problems == ()
    assert created(fakes) == []
    assert [each.group for each in fakes.existing.changes] == [group_of("vpc-2")]


def test_tags_that_may_not_be_read_lead_to_managed_flow_logs() -> None:
    """A permission that is missing does not come by waiting."""
    fakes = account("vpc-1")
    fakes.existing.faults = {"tags": CallRefused("AccessDeniedException")}
    sweep(fakes, policy=replace(AT_ONCE, log_groups=(RED,)))
    assert created(fakes) == ["vpc-1"]


def test_no_filter_is_given_up_while_it_is_not_known_whether_it_is_needed() -> None:
    """The policy demands a tag now, and the tags cannot be read. The permission of the filter stays, too."""
    fakes = account("vpc-1")
    fakes.existing.tags = {group_of("vpc-1"): {"team": "red"}}
    sweep(fakes)
    fakes.existing.faults = {"tags": CallFailed("InternalError")}
    sweep(fakes, BORN + 600, replace(AT_ONCE, log_groups=(RED,)))
    assert fakes.existing.there[group_of("vpc-1")].subscriptions == (FOUND,)
    assert [*fakes.permissions.statements] == [statement_id(TELEMETRY_RULES)]
    fakes.existing.faults = {}
    sweep(fakes, BORN + 1200, replace(AT_ONCE, log_groups=(RED,)))
    assert fakes.existing.there[group_of("vpc-1")].subscriptions == (FOUND,)
    assert [*fakes.permissions.statements] == [statement_id(RED)]


@pytest.mark.parametrize("error", [CallFailed("InternalError"), CallRefused("PolicyLengthExceeded")])
def test_no_permission_is_revoked_before_the_one_that_replaces_it_is_granted(error: EnforcementError) -> None:
    """Without both, CloudWatch Logs drops the records of groups whose filters stay."""
    fakes = account("vpc-1")
    sweep(fakes)
    narrower = LogGroupSelection(name="/aws/vpc/vpc-*")
    fakes.permissions.allow_fault = error
    report = sweep(fakes, BORN + 600, replace(AT_ONCE, log_groups=(narrower,)))
    assert [each.resource for each in report.problems] == ["/aws/vpc/vpc-*"]
    assert [*fakes.permissions.statements.values()] == ["/aws/vpc/*"]
    fakes.permissions.allow_fault = None
    sweep(fakes, BORN + 1200, replace(AT_ONCE, log_groups=(narrower,)))
    assert [*fakes.permissions.statements.values()] == ["/aws/vpc/vpc-*"]


def test_no_filter_is_given_up_while_a_flow_log_cannot_be_read() -> None:
    """It may deliver into a group that no flow log seems to need under the new pattern."""
    fakes = account("vpc-1", "vpc-2")
    sweep(fakes)
    assert isinstance(fakes.ec2, FakeEc2)
    all_of_them = fakes.ec2.existing
    fakes.ec2.existing = [each for each in all_of_them if each.flow_log_id != "fl-vpc-2"]
    fakes.ec2.unread_listed = [Unread(call="DescribeFlowLogs", item_id="fl-vpc-2", what="cut off")]
    narrower = replace(AT_ONCE, log_groups=(LogGroupSelection(name="/aws/vpc/vpc-*"),))
    sweep(fakes, BORN + 600, narrower)
    assert all(fakes.existing.there[group_of(each)].subscriptions for each in ("vpc-1", "vpc-2"))
    fakes.ec2.existing, fakes.ec2.unread_listed = all_of_them, []
    sweep(fakes, BORN + 1200, narrower)
    assert all(fakes.existing.there[group_of(each)].subscriptions for each in ("vpc-1", "vpc-2"))
    assert [*fakes.permissions.statements.values()] == ["/aws/vpc/vpc-*"]


def test_a_new_permission_may_take_seconds_until_it_works() -> None:
    """CloudWatch Logs refuses the first subscription, and accepts it after a short wait."""
    fakes = account("vpc-1")
    refused = CallRefused("InvalidParameterException: could not execute the lambda function")
    fakes.existing.change_faults = {group_of("vpc-1"): refused}
    wait = fakes.clock.wait

    def waited(seconds: float) -> None:
        wait(seconds)
        fakes.existing.change_faults = {}

    fakes.clock.wait = waited  # type: ignore[method-assign]  # the fake's time passes
    sweep(fakes)
    assert fakes.existing.there[group_of("vpc-1")].subscriptions
    assert created(fakes) == []


def test_a_group_that_the_policy_drops_loses_only_our_filter() -> None:
    """Then the permission is withdrawn, and the VPC gets a managed flow log."""
    fakes = account("vpc-1")
    fakes.existing.there[group_of("vpc-1")] = LogGroup(
        name=group_of("vpc-1"), retention_days=7, subscriptions=(THEIRS,)
    )
    sweep(fakes)
    for dropped in (replace(AT_ONCE, unmanaged="beside"), replace(AT_ONCE, log_groups=())):
        sweep(fakes, policy=AT_ONCE)
        assert len(fakes.existing.there[group_of("vpc-1")].subscriptions) == 2
        report = sweep(fakes, BORN + 7200, dropped)
        assert fakes.existing.there[group_of("vpc-1")] == LogGroup(
            name=group_of("vpc-1"), retention_days=7, subscriptions=(THEIRS,)
        )
        assert fakes.permissions.statements == {}
        assert [each.resource for each in report.remediations if each.applied] == [group_of("vpc-1")]
        assert isinstance(fakes.ec2, FakeEc2)
        fakes.ec2.existing = [each for each in fakes.ec2.existing if each.flow_log_id == "fl-vpc-1"]


@pytest.mark.parametrize("own", [GROUP, f"{GROUP}-01234567"])
def test_a_dropped_pattern_never_takes_the_filter_of_the_stacks_own_group(own: str) -> None:
    """It may match that group, too, whose subscription does not depend on the policy."""
    assert STACK.keeps(own)
    fakes, pattern = account("vpc-1"), f"{GROUP.rpartition('/')[0]}/*"
    fakes.existing.add(*(LogGroup(name=each, subscriptions=(OURS,)) for each in (own, "/flow-warden/hub")))
    fakes.permissions.statements[statement_id(LogGroupSelection(name=pattern))] = pattern
    sweep(fakes)
    assert fakes.existing.there[own].subscriptions == (OURS,)
    assert fakes.existing.there["/flow-warden/hub"].subscriptions == ()
    assert pattern not in fakes.permissions.statements.values()


def test_a_permission_stays_while_a_filter_under_it_could_not_be_removed() -> None:
    """It is the record of what was subscribed: the next sweep tries again."""
    fakes = account("vpc-1", "vpc-2")
    sweep(fakes)
    fakes.existing.change_faults = {group_of("vpc-2"): CallRefused("AccessDeniedException")}
    beside = replace(AT_ONCE, unmanaged="beside")
    report = sweep(fakes, BORN + 3600, beside)
    assert [each.resource for each in report.problems] == [group_of("vpc-2")]
    assert len(fakes.permissions.statements) == 1
    fakes.existing.change_faults = {}
    sweep(fakes, BORN + 7200, beside)
    assert fakes.permissions.statements == {}
    assert all(not each.subscriptions for each in fakes.existing.there.values())


def test_a_group_that_another_pattern_still_names_keeps_its_filter() -> None:
    """The policy replaces one pattern by another."""
    fakes = account("vpc-1")
    sweep(fakes)
    narrower = LogGroupSelection(name="/aws/vpc/vpc-*")
    sweep(fakes, BORN + 3600, replace(AT_ONCE, log_groups=(narrower,)))
    assert fakes.permissions.statements == {statement_id(narrower): "/aws/vpc/vpc-*"}
    assert len(fakes.existing.there[group_of("vpc-1")].subscriptions) == 1


def test_tags_choose_among_the_groups_of_a_pattern() -> None:
    """With other tags in the policy, the groups without them are given up."""
    fakes = account("vpc-1", "vpc-2")
    fakes.existing.tags = {group_of("vpc-1"): {"team": "red"}, group_of("vpc-2"): {"team": "blue"}}
    for team, vpc in (("red", "vpc-1"), ("blue", "vpc-2"), ("*", "")):
        assert isinstance(fakes.ec2, FakeEc2)
        fakes.ec2.existing = [each for each in fakes.ec2.existing if not each.tags]
        tagged = LogGroupSelection(name="/aws/vpc/*", tags={"team": team})
        sweep(fakes, BORN, replace(AT_ONCE, log_groups=(tagged,)))
        subscribed = {name for name, each in fakes.existing.there.items() if each.subscriptions}
        assert subscribed == ({group_of(vpc)} if vpc else set(fakes.existing.there))
        assert fakes.permissions.statements == {statement_id(tagged): "/aws/vpc/*"}


def test_a_group_named_in_full_is_subscribed_whoever_writes_to_it() -> None:
    """No flow log of this account delivers to it. If it does not exist, that is reported."""
    named = replace(
        AT_ONCE, log_groups=(LogGroupSelection(name="/hub/flow-logs"), LogGroupSelection(name="/missing"))
    )
    fakes = Fakes(ec2=FakeEc2(own("vpc-1")))
    fakes.existing.add(LogGroup(name="/hub/flow-logs"), LogGroup(name="/hub/flow-logs-2"))
    report = sweep(fakes, policy=named)
    assert [each.group for each in fakes.existing.changes] == ["/hub/flow-logs"]
    assert created(fakes) == ["vpc-1"]
    assert [each.resource for each in report.problems] == ["/missing"]


@pytest.mark.parametrize(
    "policy",
    [
        replace(AT_ONCE, exemptions=(Exemption(where=Selection(vpcs=("vpc-1",)), reason="a lab"),)),
        replace(AT_ONCE, rules=(Rule(where=Selection(vpcs=("vpc-1",)), flow_log=FlowLogSpec()),)),
        replace(AT_ONCE, unmanaged="beside"),
    ],
)
def test_a_vpc_that_must_not_be_adopted_causes_no_subscription(policy: FlowLogsPolicy) -> None:
    """It is exempt, or a rule asks for a certain flow log, or the policy wants managed ones beside."""
    fakes = account("vpc-1")
    sweep(fakes, policy=policy)
    assert fakes.existing.changes == []
    assert created(fakes) == ([] if policy.exemptions else ["vpc-1"])


@pytest.mark.parametrize(
    "changes",
    [
        {"traffic_type": "REJECT"},
        {"log_format": GOOD_FORMAT.replace(" ${log-status}", "")},
        {"log_format": GOOD_FORMAT.replace(" ${interface-id}", "")},
        {"deliver_logs_status": "FAILED"},
        {"log_group_name": "/network/flow-logs"},
        {"log_group_name": None, "log_destination_type": "s3", "log_destination": "arn:aws:s3:::b"},
        {
            "log_group_name": None,
            "log_destination": "arn:aws:logs:eu-west-1:444455556666:log-group:/aws/vpc/x",
        },
    ],
)
def test_a_flow_log_that_is_not_good_enough_is_not_read(changes: dict[str, Any]) -> None:
    """Its VPC gets a managed one, so its records would be read twice."""
    fakes = account("vpc-1", **changes)
    report = sweep(fakes)
    assert ("its format lacks" in only(report).reason) is ("log_format" in changes)
    assert fakes.existing.changes == []
    assert created(fakes) == ["vpc-1"]


def test_a_vpc_with_a_managed_flow_log_is_not_read_twice() -> None:
    """The existing one is reported as a duplicate instead."""
    fakes = account("vpc-1")
    assert isinstance(fakes.ec2, FakeEc2)
    fakes.ec2.existing.append(existing("vpc-1", creation_time=OLD))
    fakes.registry.record(existing("vpc-1"))
    report = sweep(fakes)
    assert fakes.existing.changes == []
    assert [each.flow_log_ids for each in report.duplicates] == [("fl-vpc-1",)]


def test_a_vpc_that_gets_a_managed_flow_log_later_is_not_read_twice() -> None:
    """Its group was silent; once the managed flow log has had time to deliver, the filter goes."""
    fakes = account("vpc-1", "vpc-2")
    sweep(fakes)
    assert isinstance(fakes.ec2, FakeEc2)
    for hours in (1, 3, 4):
        fakes.ec2.clock = BORN + hours * 3600
        see(fakes, group_of("vpc-2"), "eni-01", at=BORN + hours * 3600)
        sweep(fakes, BORN + hours * 3600)
        assert fakes.existing.there[group_of("vpc-1")].subscriptions == (FOUND,)
    assert created(fakes) == ["vpc-1"]
    for hours in (5, 6):
        now = BORN + hours * 3600
        see(fakes, group_of("vpc-2"), "eni-01", at=now)
        see(fakes, STACK.log_group_name, "eni-00", at=now)
        sweep(fakes, now)
        assert fakes.existing.there[group_of("vpc-1")].subscriptions == ()
        assert fakes.existing.there[group_of("vpc-2")].subscriptions
    assert created(fakes) == ["vpc-1"]
    assert [*fakes.permissions.statements.values()] == ["/aws/vpc/*"]


@pytest.mark.parametrize(
    "keeps",
    [
        "",
        "named in full",
        "needed by another VPC",
        "young",
        "failing",
        "elsewhere",
        "rejects only",
        "dry run",
    ],
)
def test_a_group_beside_a_managed_flow_log_keeps_its_filter_while_it_is_needed(keeps: str) -> None:
    """Or while the managed flow log does not deliver for certain."""
    in_full = LogGroupSelection(name=group_of("vpc-1"))
    policy = replace(AT_ONCE, log_groups=(in_full,) if keeps == "named in full" else (TELEMETRY_RULES,))
    vpcs = ["vpc-1", "vpc-2"] if keeps == "needed by another VPC" else ["vpc-1"]
    fakes = account(*vpcs, log_group_name=group_of("vpc-1"))
    sweep(fakes, policy=policy)
    assert isinstance(fakes.ec2, FakeEc2)
    made = existing("vpc-1", creation_time=BORN if keeps == "young" else OLD)
    changes: dict[str, dict[str, Any]] = {
        "failing": {"deliver_logs_status": "FAILED"},
        "elsewhere": {"log_group_name": "/other"},
        "rejects only": {"traffic_type": "REJECT"},
    }
    fakes.ec2.existing.append(changed(made, **changes.get(keeps, {})))
    fakes.registry.record(made)
    fakes.existing.now = BORN + 3600
    run(fakes.service(policy, dry_run=keeps == "dry run"), SWEEP, BORN + 3600)
    assert fakes.existing.there[group_of("vpc-1")].subscriptions == ((FOUND,) if keeps else ())


def test_a_filter_of_another_name_with_the_same_effect_is_enough() -> None:
    """A person subscribed the monitor by hand."""
    fakes = account("vpc-1")
    by_hand = replace(OURS, name="by-hand")
    fakes.existing.add(LogGroup(name=group_of("vpc-1"), subscriptions=(by_hand,)))
    sweep(fakes)
    assert fakes.existing.changes == []
    assert created(fakes) == []


def call(name: str, group: str, filter_name: str, **members: Any) -> dict[str, Any]:
    """The event of a call about a subscription filter."""
    return {
        "detail-type": "AWS API Call via CloudTrail",
        "detail": {
            "eventSource": "logs.amazonaws.com",
            "eventName": name,
            "eventID": "e-1",
            "awsRegion": STACK.region,
            "recipientAccountId": ACCOUNT,
            "userIdentity": {"arn": "arn:aws:iam::111122223333:user/mallory"},
            "sourceIPAddress": "203.0.113.7",
            "requestParameters": {"logGroupName": group, "filterName": filter_name, **members},
        },
    }


@pytest.mark.parametrize(
    "event",
    [
        call("DeleteSubscriptionFilter", group_of("vpc-1"), STACK.stack_name),
        call("PutSubscriptionFilter", group_of("vpc-1"), STACK.stack_name, destinationArn=ELSEWHERE),
    ],
)
def test_a_deleted_subscription_comes_back_with_who_did_it(event: dict[str, Any]) -> None:
    """The same if the filter was turned to another destination."""
    fakes = account("vpc-1")
    sweep(fakes)
    see(fakes, group_of("vpc-1"), "eni-00", at=BORN)  # proves that a filter with the stack's name was its own
    replaced = () if event["detail"]["eventName"].startswith("Delete") else (replace(THEIRS, name=OURS.name),)
    fakes.existing.there[group_of("vpc-1")] = LogGroup(name=group_of("vpc-1"), subscriptions=replaced)
    service = fakes.service(AT_ONCE)
    run(service, trigger.read(event, service.stack), BORN + 60)
    assert [each.destination_arn for each in fakes.existing.there[group_of("vpc-1")].subscriptions] == [
        MONITOR
    ]
    sent = fakes.sink.sent[-1]
    assert "user/mallory from 203.0.113.7" in sent.text
    assert f"RESTORED (1)\n- {group_of('vpc-1')}: subscription filter" in sent.text
    assert sent.attributes["severity"] == "warning"


@pytest.mark.parametrize(
    "event",
    [
        call("DeleteSubscriptionFilter", group_of("vpc-1"), "siem"),
        call("DeleteSubscriptionFilter", "/network/flow-logs", STACK.stack_name),
        call("PutRetentionPolicy", group_of("vpc-1"), STACK.stack_name),
    ],
)
def test_other_changes_of_an_existing_group_are_not_our_business(event: dict[str, Any]) -> None:
    """Another filter, a group that the policy does not name, another setting."""
    service = account("vpc-1").service(AT_ONCE)
    assert trigger.read(event, service.stack).kind is trigger.RunKind.IGNORED


def test_a_new_vpc_that_a_telemetry_rule_covers_gets_no_second_flow_log() -> None:
    """After the grace period; its log group need not exist yet."""
    fakes = account("vpc-1", "vpc-2", creation_time=BORN + 30)
    fakes.existing.there.clear()
    policy = FlowLogsPolicy()
    run(fakes.service(policy), replace(BIRTH, happened_at=BORN), BORN + 10)
    run(fakes.service(policy), RETRY, BORN + 400)
    assert created(fakes) == []
    fakes.existing.add(LogGroup(name=group_of("vpc-1")), LogGroup(name=group_of("vpc-2")))
    run(fakes.service(policy), RETRY, BORN + 4000)
    assert [each.group for each in fakes.existing.changes] == [group_of("vpc-1")], "the VPC of the run only"


def test_a_dry_run_shows_the_steps_and_changes_nothing() -> None:
    """Also those against groups that the policy has dropped."""
    fakes = account("vpc-1")
    plan = fakes.service(AT_ONCE, dry_run=True).reconcile(SWEEP, BORN)
    assert [type(each).__name__ for each in plan.log_group_steps] == ["AllowInvocation", "Subscribe"]
    assert [each.verdict.coverage.name for each in plan.plans] == ["UNPROVEN"]
    sweep(fakes)
    before = list(fakes.existing.changes)
    beside = replace(AT_ONCE, unmanaged="beside")
    plan = fakes.service(beside, dry_run=True).reconcile(SWEEP, BORN)
    assert [type(each).__name__ for each in plan.log_group_steps] == ["Unsubscribe"]
    assert fakes.existing.changes == before


def test_groups_of_the_stack_are_maintained_in_the_other_way() -> None:
    """A pattern that names them changes nothing."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), [existing("vpc-1", creation_time=OLD, log_format=GOOD_FORMAT)]))
    every = replace(AT_ONCE, log_groups=(LogGroupSelection(name="/flow-warden/*"),))
    fakes.existing.add(LogGroup(name=GROUP))
    sweep(fakes, policy=every)
    assert fakes.existing.changes == []


GIGABYTE = 1e9


def test_what_is_recorded_twice_is_named_with_its_measured_cost() -> None:
    """The bytes of a group are divided among the flow logs that write into it."""
    for others, dollars in ((0, 15.2), (1, 7.6)):
        fakes = account("vpc-1")
        assert isinstance(fakes.ec2, FakeEc2)
        fakes.ec2.existing += [existing("vpc-1", creation_time=OLD)]
        shared = {"resource_id": "vpc-9", "traffic_type": "REJECT"}
        fakes.ec2.existing += [flow_log_of("vpc-1", flow_log_id="fl-x", **shared)] * others
        fakes.registry.record(existing("vpc-1"))
        fakes.volumes.bytes = {group_of("vpc-1"): GIGABYTE}
        (found,) = sweep(fakes).duplicates
        assert (found.monthly_dollars, found.is_measured) == (dollars, True)
        text = fakes.sink.sent[-1].text
        assert (
            f"- vpc-1: fl-vpc-1, about {dollars:.2f} USD a month\n(measured: bytes that the log groups"
            in text
        )


@pytest.mark.parametrize("volumes", [{}, CallRefused("AccessDenied")])
def test_without_metrics_the_cost_is_an_estimate(volumes: dict[str, float] | CallRefused) -> None:
    """The report is sent in any case."""
    fakes = account("vpc-1")
    assert isinstance(fakes.ec2, FakeEc2)
    fakes.ec2.existing.append(existing("vpc-1", creation_time=OLD))
    fakes.registry.record(existing("vpc-1"))
    fakes.volumes.bytes = volumes
    (found,) = sweep(fakes).duplicates
    assert not found.is_measured
    assert "DUPLICATES" in fakes.sink.sent[-1].text


def test_the_report_says_what_a_better_format_would_cost() -> None:
    """In proportion to the size of its records; nothing if the format lacks nothing."""
    fakes = account("vpc-1")
    fakes.volumes.bytes = {group_of("vpc-1"): GIGABYTE}
    better = replace(STACK, log_format=f"{GOOD_FORMAT} ${{tcp-flags}} ${{subnet-id}}")
    fakes.existing.now = BORN
    run(fakes.service(AT_ONCE, better), SWEEP, BORN)
    # Records of 16 fields instead of 14: 186 bytes instead of 166, of 15.20 USD a month.
    assert "the stack's format would cost about 1.83 USD a month more" in fakes.sink.sent[-1].text


GROUPS = st.sampled_from(
    [
        "/aws/lambda/flow-warden-monitor",
        "/aws/lambda/flow-warden-enforcer",
        "/aws/lambda/x",
        "/aws/lambda/",
        "/aws/lambda",
        "/aws/lambda-insights",
        "/aws/application-signals/data",
        "aws/spans",
        "sns/eu-west-1/111122223333/flow-warden-pages",
        "/aws/vpc/vpc-1",
        "/network/flow-logs",
        GROUP,
    ]
)
PARTS = st.sampled_from(
    [
        *("/", "/a", "/aws/", "/aws/lambda", "/aws/lambda/", "/aws/lambda/x", "/aws/vpc/", "vpc-1", "*"),
        *("/aws/lambda-insights", "/aws/application-signals/", "data", "aws/spans", "a", "sns/", "s"),
    ]
)


@given(
    st.lists(st.lists(PARTS, max_size=3).map("".join), max_size=4), st.lists(GROUPS, min_size=1, max_size=4)
)
@examples(2)
def test_no_policy_pattern_or_event_makes_the_monitor_read_the_group_of_a_function(
    names: list[str], groups: list[str]
) -> None:
    """Not even if the policy names it in full, and flow logs deliver to it. Others that it names are read."""
    policy = replace(AT_ONCE, log_groups=tuple(LogGroupSelection(name=each) for each in dict.fromkeys(names)))
    vpcs = [f"vpc-{number}" for number in range(len(groups))]
    logs = [flow_log_of(vpc, log_group_name=group) for vpc, group in zip(vpcs, groups, strict=True)]
    fakes = Fakes(ec2=FakeEc2(own(*vpcs), logs))
    fakes.existing.add(*(LogGroup(name=each) for each in {*groups, *names}))
    service = fakes.service(policy)
    for group in groups:
        event = trigger.read(call("DeleteSubscriptionFilter", group, STACK.stack_name), service.stack)
        if is_of_function(group):
            assert event.kind is trigger.RunKind.IGNORED
        run(service, event, BORN)
    run(service, SWEEP, BORN)
    subscribed = {each.group for each in fakes.existing.changes}
    assert not any(map(is_of_function, subscribed))
    named = {each for each in groups if any(matches(name, each) for name in names)} - {GROUP}
    assert named <= subscribed
