"""Tags of managed flow logs are corrected in few calls; unmanaged flow logs are never tagged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from flowwarden.enforcer.execute.isolate import FAILED_CALLS
from flowwarden.enforcer.reporting import plan_output
from flowwarden.enforcer.reporting.report import EnforcementReport
from flowwarden.enforcer.state.inventory import Vpc
from flowwarden.enforcer.triggers.trigger import RunKind, Trigger
from flowwarden.errors import CallRefused, CallThrottled, EnforcementError, NotFound
from flowwarden.policy.flow_logs import FlowLogSpec, FlowLogsPolicy
from tests.enforcer.cases import NOW, but, unmanaged
from tests.enforcer.fakes import ACCOUNT, TAGS, Fakes
from tests.enforcer.fakes_ec2 import FakeEc2

POLICY = FlowLogsPolicy(default=FlowLogSpec(tags={"cost-center": "42", "owner": "network"}))


def sweep(fakes: Fakes, *, dry_run: bool = False, kind: RunKind = RunKind.SWEEP) -> EnforcementReport:
    """One run."""
    trigger = Trigger(kind=kind, reason="a sweep", happened_at=NOW, idempotency_key="x")
    return fakes.service(POLICY, dry_run=dry_run).reconcile(trigger, NOW)


def untagged() -> FakeEc2:
    """Two VPCs with managed flow logs that lack the new tags, one with another value, one unmanaged."""
    tagged = [
        but(flow_log_id=f"fl-{number}", resource_id=f"vpc-{number}", tags=tags)
        for number, tags in enumerate((TAGS, TAGS | {"team": "theirs"}, TAGS | {"cost-center": "7"}))
    ]
    tagged[2] = replace(tagged[2], tags=tagged[2].tags | {"owner": "network"})
    return FakeEc2(
        [Vpc(vpc_id=f"vpc-{number}", owner_id=ACCOUNT) for number in range(4)],
        [*tagged, unmanaged(resource_id="vpc-3")],
    )


def test_tags_of_the_policy_are_set_on_managed_flow_logs_in_one_call_per_set() -> None:
    """Missing and different tags are set, additional ones are kept; a second sweep does nothing."""
    ec2 = untagged()
    fakes = Fakes(ec2=ec2)
    report = sweep(fakes)
    assert ec2.tagged == [
        (("fl-0", "fl-1"), {"cost-center": "42", "owner": "network"}),
        (("fl-2",), {"cost-center": "42"}),
    ]
    assert [each.summary for each in report.remediations] == [
        "fl-0 and 1 more managed flow logs: set cost-center, owner as the policy requires",
        "fl-2: set cost-center as the policy requires",
    ]
    assert ec2.existing[1].tags["team"] == "theirs"
    assert ec2.existing[3].tags == {}
    again = sweep(fakes)
    assert (len(ec2.tagged), again.remediations, again.is_news) == (2, (), False)


def test_a_plan_lists_the_tags_to_set_and_sets_none() -> None:
    """It lists only managed flow logs."""
    ec2 = untagged()
    text = plan_output.as_text(sweep(Fakes(ec2=ec2), dry_run=True))
    assert "  1. tag managed flow log fl-2: cost-center=42\n" in text
    assert "fl-unmanaged" not in text
    assert ec2.tagged == []


@pytest.mark.parametrize("error", [CallRefused("UnauthorizedOperation"), CallThrottled("slower")])
def test_tags_that_cannot_be_set_are_reported_by_the_sweep(error: EnforcementError) -> None:
    """The VPCs still count as covered."""
    ec2 = untagged()
    ec2.tag_fault = error
    report = sweep(Fakes(ec2=ec2))
    assert str(error) in report.problems[0].summary
    assert report.failures == ()


@dataclass
class PickyEc2(FakeEc2):
    """Tags all or none, as EC2 does."""

    faults: dict[str, EnforcementError] = field(default_factory=dict)
    tag_calls: int = 0

    def tag(self, flow_log_ids: Sequence[str], tags: Mapping[str, str]) -> None:
        """Refuse the whole call because of one flow log."""
        self.tag_calls += 1
        for each in flow_log_ids:
            if each in self.faults:
                raise self.faults[each]
        super().tag(flow_log_ids, tags)


def picky(faults: Mapping[str, EnforcementError], number: int = 100) -> PickyEc2:
    """This number of VPCs with managed flow logs that lack the same tags."""
    return PickyEc2(
        [Vpc(vpc_id=f"vpc-{each}", owner_id=ACCOUNT) for each in range(number)],
        [but(flow_log_id=f"fl-{each}", resource_id=f"vpc-{each}", tags=TAGS) for each in range(number)],
        faults=dict(faults),
    )


def test_only_flow_logs_that_cannot_be_tagged_are_left_out_and_reported() -> None:
    """A deleted flow log is not a problem."""
    refused = CallRefused("TagLimitExceeded")
    ec2 = picky({"fl-3": refused, "fl-70": refused, "fl-99": NotFound("gone")})
    report = sweep(Fakes(ec2=ec2))
    assert sum("owner" in each.tags for each in ec2.existing) == 97
    assert [each.summary.partition(":")[0] for each in report.remediations] == [
        "fl-3, fl-70",
        "fl-0 and 96 more managed flow logs",
    ]
    assert [each.applied for each in report.remediations] == [False, True]


def test_a_refusal_of_all_is_not_retried_one_by_one() -> None:
    """Otherwise a missing permission would cost hundreds of calls in every sweep."""
    ec2 = picky({f"fl-{each}": CallRefused("UnauthorizedOperation") for each in range(300)}, 300)
    report = sweep(Fakes(ec2=ec2))
    assert ec2.tag_calls == FAILED_CALLS
    (summary,) = (each.summary.partition(":")[0] for each in report.remediations)
    assert summary.endswith("and 290 more managed flow logs")


def test_a_flow_log_deleted_in_the_meantime_is_not_a_problem() -> None:
    """The next sweep tags the others."""
    ec2 = untagged()
    fakes = Fakes(ec2=ec2)
    ec2.tag_fault = NotFound("InvalidFlowLogId.NotFound")
    assert sweep(fakes).remediations == ()
    ec2.tag_fault = None
    assert [each.applied for each in sweep(fakes).remediations] == [True, True]
