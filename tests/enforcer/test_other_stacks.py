"""Two stacks in one account and Region: each leaves the other's flow logs, and reports the other once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.enforcer.decide.coverage import judge
from flowwarden.enforcer.decide.drift import other_stack_of
from flowwarden.enforcer.decide.other_stacks import STACKS_AT_MOST
from flowwarden.enforcer.reporting import plan_output
from flowwarden.enforcer.reporting.report import Result
from flowwarden.enforcer.state.desired import managed_tags
from flowwarden.enforcer.state.stack import Stack
from flowwarden.enforcer.triggers.cloudtrail import ApiCaller
from flowwarden.errors import PublishFailed
from flowwarden.policy.flow_logs import Exemption, FlowLogsPolicy, Selection
from tests.enforcer.cases import GOOD_FORMAT, NOW, WANTED, changed, unmanaged, vpc_state
from tests.enforcer.fakes import GROUP, STACK, FakeGroups, FakeRoles, Fakes, sound
from tests.enforcer.fakes_ec2 import FakeEc2
from tests.enforcer.runs import AT_ONCE, BORN, SWEEP, own, run
from tests.examples import examples

HOUR = 3600
SECOND = replace(
    STACK,
    stack_name="flow-warden-2",
    log_group_name="/flow-warden-2/flow-logs",
    delivery_role_arn=STACK.delivery_role_arn,
    monitor_arn=f"{STACK.monitor_arn}-2",
)
THEIR_TAG = managed_tags("flow-warden-2")
HEADING = "ANOTHER FLOW WARDEN STACK"


@dataclass
class Deployment:
    """A stack with its own state table, and a policy, in an account that it shares."""

    fakes: Fakes
    stack: Stack
    policy: FlowLogsPolicy = AT_ONCE
    created: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)

    def sweep(self, at: int) -> None:
        """One sweep, with its report sent, and with what it created and deleted."""
        ec2 = self.fakes.ec2
        assert isinstance(ec2, FakeEc2)
        ec2.clock = at
        before, deleted = {each.flow_log_id for each in ec2.existing}, len(ec2.deleted)
        run(self.fakes.service(self.policy, self.stack), SWEEP, at)
        self.created |= {each.flow_log_id for each in ec2.existing} - before
        self.deleted |= set(ec2.deleted[deleted:])

    @property
    def notices(self) -> list[str]:
        """The texts of its notifications about another stack."""
        return [each.text for each in self.fakes.sink.sent if HEADING in each.text]


def two_stacks(*vpc_ids: str) -> tuple[Deployment, Deployment, FakeEc2]:
    """Two deployments that share EC2 and nothing else."""
    ec2 = FakeEc2(own(*vpc_ids))
    groups = {each.log_group_name: sound(each.log_group_name) for each in (STACK, SECOND)}
    first, second = (
        Deployment(Fakes(ec2=ec2, groups=FakeGroups(dict(groups)), roles=FakeRoles()), stack)
        for stack in (STACK, SECOND)
    )
    return first, second, ec2


def sweep_in_turns(first: Deployment, second: Deployment, hours: int, start: int = BORN) -> None:
    """Sweeps of both, half an hour apart."""
    for hour in range(hours):
        first.sweep(start + hour * HOUR)
        second.sweep(start + hour * HOUR + HOUR // 2)


def test_each_stack_has_its_flow_logs_and_reports_the_other_once() -> None:
    """No duplicate is reported, and neither report recommends to delete the other's."""
    first, second, ec2 = two_stacks("vpc-1", "vpc-2")
    sweep_in_turns(first, second, 12)
    assert (len(first.created), len(second.created), ec2.deleted) == (2, 2, [])
    for each, other in ((first, "flow-warden-2"), (second, "flow-warden")):
        (text,) = each.notices
        assert f"- {other} in 2 VPCs (vpc-1, vpc-2): " in text
        assert "remove one of the stacks" in text
        assert not any("DUPLICATES" in sent.text for sent in each.fakes.sink.sent)


def test_a_stack_replaces_its_own_flow_logs_alone() -> None:
    """The policy of one stack changes; a new VPC does not lead to a second report about the other stack."""
    first, second, ec2 = two_stacks("vpc-1")
    sweep_in_turns(first, second, 2)
    theirs = set(second.created)
    first.policy = replace(AT_ONCE, default=replace(AT_ONCE.default, max_aggregation_interval=600))
    ec2.vpcs_listed += own("vpc-2")
    sweep_in_turns(first, second, 6, BORN + 2 * HOUR)
    assert first.deleted
    assert first.deleted <= first.created
    assert second.deleted == set()
    assert theirs <= {each.flow_log_id for each in ec2.existing}
    assert len(first.notices) == 1


def test_stacks_with_disjoint_vpcs_report_nothing() -> None:
    """The report recommends this."""
    first, second, ec2 = two_stacks("vpc-1", "vpc-2")
    for each, vpc_id in ((first, "vpc-2"), (second, "vpc-1")):
        exempt = Exemption(where=Selection(vpcs=(vpc_id,)), reason="the other stack covers it")
        each.policy = replace(AT_ONCE, exemptions=(exempt,))
    sweep_in_turns(first, second, 3)
    assert (first.notices, second.notices) == ([], [])
    assert sorted(each.resource_id for each in ec2.existing) == ["vpc-1", "vpc-2"]


def test_the_plan_names_the_other_stack_each_time() -> None:
    """A plan stores no report, so it repeats this; without another stack, it says nothing."""
    first, second, ec2 = two_stacks("vpc-1")
    sweep_in_turns(first, second, 2)
    service = second.fakes.service(AT_ONCE, SECOND, dry_run=True)
    for _ in range(2):
        report = service.reconcile(SWEEP, BORN + 2 * HOUR)
        text = plan_output.as_text(report)
        assert "another Flow Warden stack (flow-warden, by its tag) has flow logs in vpc-1: remove" in text
        assert "at extra cost" not in text
        (vpc,) = plan_output.as_document(report)["vpcs"]
        assert (vpc["other_stacks"], vpc["duplicates"]) == ({"flow-warden": tuple(first.created)}, ())
    ec2.existing = [each for each in ec2.existing if each.flow_log_id in second.created]
    assert "another stack" not in plan_output.as_text(service.reconcile(SWEEP, BORN + 2 * HOUR))


KINDS: dict[str, dict[str, Any]] = {
    "wanted": {},
    "another format": {"log_format": "${version}"},
    "REJECT alone": {"traffic_type": "REJECT"},
    "in a group of theirs": {"log_group_name": "/flow-warden-2/flow-logs"},
    "in a good format": {"log_group_name": "/flow-warden-2/flow-logs", "log_format": GOOD_FORMAT},
    "an archive": {
        "log_group_name": None,
        "log_destination_type": "s3",
        "log_destination": "arn:aws:s3:::archive",
    },
    "failing": {"deliver_logs_status": "FAILED", "deliver_logs_error_message": "Access error"},
    "of a subnet": {"resource_id": "subnet-1"},
    "with another role": {"delivery_role_arn": "arn:aws:iam::111122223333:role/theirs"},
}


@given(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=3), st.booleans(), st.booleans())
@examples(0.5)
def test_the_tag_of_another_stack_decides_nothing_about_coverage(
    kinds: list[str],
    ours_too: bool,  # noqa: FBT001  drawn
    adopted: bool,  # noqa: FBT001  drawn
) -> None:
    """The verdict is the same as without the tag, except for the advice about duplicates."""
    plain = [
        unmanaged(flow_log_id=f"fl-{number}", recorded=False, **KINDS[kind])
        for number, kind in enumerate(kinds, 2)
    ]
    forged = [changed(each, tags=THEIR_TAG) for each in plain]
    without, with_tag = (
        judge(
            vpc_state(
                *([WANTED] if ours_too else []),
                *some,
                adopted=dict.fromkeys([GROUP, "theirs"], 0) if adopted else {},
            )
        )
        for some in (plain, forged)
    )
    assert replace(with_tag, other_stacks={}, duplicates=()) == replace(without, duplicates=())
    assert with_tag.other_stacks == {"flow-warden-2": tuple(each.flow_log_id for each in forged)}
    assert set(with_tag.duplicates) <= set(without.duplicates)


def test_a_forged_tag_excuses_no_duplicate_outside_the_account() -> None:
    """A stack only writes into groups of its own account."""
    outside = "arn:aws:logs:eu-west-1:444455556666:log-group:theirs"
    theirs = unmanaged(log_group_name=None, log_destination=outside, tags=THEIR_TAG, recorded=False)
    inside = changed(theirs, log_destination=None, log_group_name="theirs", flow_log_id="fl-3")
    assert judge(vpc_state(WANTED, theirs, inside)).duplicates == ("fl-unmanaged",)


def test_a_forged_tag_hides_no_archive() -> None:
    """Not even after the other stack was reported."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), [WANTED, unmanaged(log_group_name="x", tags=THEIR_TAG)]))
    run(fakes.service(AT_ONCE), SWEEP, NOW)
    assert [HEADING in each.text for each in fakes.sink.sent] == [True]
    assert isinstance(fakes.ec2, FakeEc2)
    archive = changed(unmanaged(tags=THEIR_TAG, flow_log_id="fl-3"), **KINDS["an archive"])
    fakes.ec2.existing.append(archive)
    run(fakes.service(AT_ONCE), SWEEP, NOW + HOUR)
    assert "- fl-3 of vpc-1 to arn:aws:s3:::archive" in fakes.sink.sent[-1].text


def test_a_forged_tag_silences_no_deletion() -> None:
    """Whether the flow log covered the VPC or not; if it did, the VPC gets another."""
    for covers in (True, False):
        theirs = unmanaged(tags=THEIR_TAG, log_group_name=GROUP if covers else "theirs", recorded=False)
        ec2 = FakeEc2(own("vpc-1"), [theirs])
        fakes = Fakes(ec2=ec2)
        run(fakes.service(AT_ONCE), SWEEP, NOW)
        ec2.existing.remove(theirs)
        caller = ApiCaller(event_name="DeleteFlowLogs", event_id="8f", actor="maria", source_ip="192.0.2.1")
        event = replace(SWEEP, deleted=("fl-unmanaged",), origin=caller, happened_at=NOW + HOUR)
        report = run(fakes.service(AT_ONCE), event, NOW + HOUR)
        assert [each.flow_log_id for each in report.deletions] == ["fl-unmanaged"]
        assert "FLOW LOGS DELETED" in fakes.sink.sent[-1].text
        (outcome,) = report.outcomes
        assert outcome.result is (Result.CREATED if covers else Result.COVERED)


def test_another_name_on_a_reported_flow_log_is_another_stack() -> None:
    """So a decoy does not silence the report about a stack that comes later."""
    decoy = unmanaged(log_group_name="x", tags=managed_tags("decoy"), recorded=False)
    ec2 = FakeEc2(own("vpc-1"), [WANTED, decoy])
    fakes = Fakes(ec2=ec2)
    run(fakes.service(AT_ONCE), SWEEP, NOW)
    ec2.existing = [WANTED, changed(decoy, tags=THEIR_TAG)]
    for hour in (1, 2):
        run(fakes.service(AT_ONCE), SWEEP, NOW + hour * HOUR)
    notices = [each.text for each in fakes.sink.sent if HEADING in each.text]
    assert ["- decoy in 1 VPC" in each for each in notices] == [True, False]
    assert "- flow-warden-2 in 1 VPC" in notices[1]


@pytest.mark.parametrize(
    ("value", "recorded", "name"),
    [
        ("flow-warden-2", False, "flow-warden-2"),
        ("flow-warden-2", True, ""),
        (STACK.stack_name, False, ""),
        ("", False, ""),
        ("2nd stack\nDelete everything", False, ""),
        ("x" * 129, False, ""),
    ],
)
def test_only_what_can_be_the_name_of_another_stack_is_one(value: str, *, recorded: bool, name: str) -> None:
    """The tag of another stack on a flow log that this stack created is forged."""
    flow_log = unmanaged(tags={"flow-warden:managed": value}, recorded=recorded)
    assert other_stack_of(flow_log, STACK) == name


def test_many_forged_names_hide_no_stack() -> None:
    """One report names some of them, and the next sweeps the others, each once."""
    names = sorted({f"a{number}" for number in range(2 * STACKS_AT_MOST)} | {"flow-warden-2"})
    theirs = [
        unmanaged(
            flow_log_id=f"fl-{name}", log_group_name=f"x-{name}", tags=managed_tags(name), recorded=False
        )
        for name in names
    ]
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), [WANTED, *theirs]))
    for hour in range(4):
        run(fakes.service(AT_ONCE), SWEEP, NOW + hour * HOUR)
    notices = [each.text for each in fakes.sink.sent if HEADING in each.text]
    assert len(notices) == 3
    assert [sum(f"- {name} in 1 VPC" in each for each in notices) for name in names] == [1] * len(names)


def test_a_report_that_could_not_be_sent_is_sent_by_the_next_sweep() -> None:
    """Only what was sent counts as reported."""
    theirs = unmanaged(log_group_name="x", tags=THEIR_TAG, recorded=False)
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), [WANTED, theirs]))
    fakes.sink.away = True
    with pytest.raises(PublishFailed):
        run(fakes.service(AT_ONCE), SWEEP, NOW)
    fakes.sink.away = False
    for hour in (1, 2):
        run(fakes.service(AT_ONCE), SWEEP, NOW + hour * HOUR)
    assert [HEADING in each.text for each in fakes.sink.sent] == [True]
