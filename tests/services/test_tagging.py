"""Tags of our own flow logs are put right when policy wants others, in few calls; those of others never."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flowwarden.compliance import printing
from flowwarden.compliance.inventory import Vpc
from flowwarden.compliance.report import EnforcementReport
from flowwarden.compliance.triggers import Scope, Trigger
from flowwarden.compliance.wishes import FlowLogsPolicy, FlowLogWish
from flowwarden.errors import CallRefused, CallThrottled, EnforcementError, NotThere
from tests.compliance.cases import NOW, but, foreign
from tests.services.fakes_ec2 import FakeEc2
from tests.services.fakes_enforcer import ACCOUNT, TAGS, Fakes

POLICY = FlowLogsPolicy(default=FlowLogWish(tags={"cost-center": "42", "owner": "network"}))


def sweep(fakes: Fakes, *, dry_run: bool = False, scope: Scope = Scope.EVERYTHING) -> EnforcementReport:
    """One run."""
    trigger = Trigger(scope=scope, reason="a sweep", happened_at=NOW, occasion="x")
    return fakes.service(POLICY, dry_run=dry_run).enforce(trigger, NOW)


def world() -> FakeEc2:
    """Two VPCs with flow logs of ours without the new tags, one with another value, one of somebody else."""
    tagged = [
        but(flow_log_id=f"fl-{number}", resource_id=f"vpc-{number}", tags=tags)
        for number, tags in enumerate((TAGS, TAGS | {"team": "theirs"}, TAGS | {"cost-center": "7"}))
    ]
    tagged[2] = replace(tagged[2], tags=tagged[2].tags | {"owner": "network"})
    return FakeEc2(
        [Vpc(vpc_id=f"vpc-{number}", owner_id=ACCOUNT) for number in range(4)],
        [*tagged, foreign(resource_id="vpc-3")],
    )


def test_tags_that_policy_names_are_set_on_our_own_in_one_call_for_all_alike() -> None:
    """What is missing or other; what somebody added stays; a second sweep does nothing."""
    ec2 = world()
    fakes = Fakes(ec2=ec2)
    report = sweep(fakes)
    assert ec2.tagged == [
        (("fl-0", "fl-1"), {"cost-center": "42", "owner": "network"}),
        (("fl-2",), {"cost-center": "42"}),
    ]
    assert [each.what for each in report.repairs] == [
        "fl-0 and 1 more of ours: cost-center, owner set as policy wants",
        "fl-2: cost-center set as policy wants",
    ]
    assert ec2.existing[1].tags["team"] == "theirs"
    assert ec2.existing[3].tags == {}
    again = sweep(fakes)
    assert (len(ec2.tagged), again.repairs, again.is_news) == (2, (), False)


def test_a_plan_says_which_tags_would_be_set_and_sets_none() -> None:
    """Only of ours."""
    ec2 = world()
    told = printing.as_text(sweep(Fakes(ec2=ec2), dry_run=True))
    assert "  1. tag our own fl-2: cost-center=42\n" in told
    assert "fl-foreign" not in told
    assert ec2.tagged == []


@pytest.mark.parametrize("error", [CallRefused("UnauthorizedOperation"), CallThrottled("slower")])
def test_tags_that_cannot_be_set_are_told_by_the_sweep(error: EnforcementError) -> None:
    """The VPCs are covered all the same."""
    ec2 = world()
    ec2.tag_fault = error
    report = sweep(Fakes(ec2=ec2))
    assert str(error) in report.troubles[0].what
    assert report.failures == ()


def test_a_flow_log_that_was_deleted_meanwhile_is_no_trouble() -> None:
    """The next sweep tags the others."""
    ec2 = world()
    ec2.tag_fault = NotThere("InvalidFlowLogId.NotFound")
    assert sweep(Fakes(ec2=ec2)).repairs == ()
