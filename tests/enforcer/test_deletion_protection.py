"""Deletion protection of the stack's log groups: on by default, and its removal is tampering."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from flowwarden.enforcer.reporting.report import EnforcementReport
from flowwarden.enforcer.state.inventory import LogGroup
from flowwarden.enforcer.triggers import trigger
from tests.enforcer.cases import OLD
from tests.enforcer.fakes import ACCOUNT, GROUP, STACK, FakeGroups, Fakes, GroupsWithoutProtection, sound
from tests.enforcer.fakes_ec2 import FakeEc2
from tests.enforcer.runs import AT_ONCE, BORN, SWEEP, existing, own, run

UNPROTECTED = replace(sound(), is_protected=False)


def account(group: LogGroup = UNPROTECTED, groups: FakeGroups | None = None) -> Fakes:
    """A covered VPC, and the stack's log group."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1"), [existing(creation_time=OLD)]))
    fakes.groups = groups or fakes.groups
    fakes.groups.there = {group.name: group}
    return fakes


def restored(report: EnforcementReport) -> list[str]:
    """What was repaired."""
    return [each.summary for each in report.remediations if each.applied]


@pytest.mark.parametrize("described", [False, None])
def test_an_unprotected_group_of_the_stack_is_protected(described: bool | None) -> None:  # noqa: FBT001
    """Also if its description does not say it. Once it is, nothing is done."""
    fakes = account(replace(sound(), is_protected=described))
    assert restored(run(fakes.service(AT_ONCE), SWEEP, BORN)) == [
        "the log group was not protected from deletion"
    ]
    assert fakes.groups.there[GROUP].is_protected
    assert restored(run(fakes.service(AT_ONCE), SWEEP, BORN + 3600)) == []


def test_the_policy_can_leave_the_protection_as_it_is() -> None:
    """The enforcer then neither sets nor removes it."""
    for group in (sound(), UNPROTECTED):
        fakes = account(group)
        run(fakes.service(replace(AT_ONCE, deletion_protection=False)), SWEEP, BORN)
        assert fakes.groups.done == []


def test_the_first_protection_after_a_deployment_is_no_news() -> None:
    """The template does not set it, so that a creation that is rolled back can delete the group."""
    fakes = account()
    assert restored(run(fakes.service(AT_ONCE), replace(SWEEP, deployed=True), BORN)) == []
    assert fakes.groups.there[GROUP].is_protected


@pytest.mark.parametrize(
    ("age", "deployed", "protects"), [(60, False, False), (3600, False, True), (60, True, True)]
)
def test_a_group_of_a_deployment_under_way_is_not_protected(
    age: int,
    deployed: bool,  # noqa: FBT001
    protects: bool,  # noqa: FBT001
) -> None:
    """CloudFormation could not delete it if the creation is rolled back. After the deployment it can."""
    fakes = account(replace(UNPROTECTED, created_at=BORN - age))
    run(fakes.service(AT_ONCE), replace(SWEEP, deployed=deployed), BORN)
    assert fakes.groups.there[GROUP].is_protected is protects


def test_a_group_that_the_enforcer_creates_is_protected_at_once() -> None:
    """CloudFormation does not know it, so no rollback deletes it."""
    fakes = account()
    fakes.groups.there = {}
    run(fakes.service(AT_ONCE), SWEEP, BORN)
    assert fakes.groups.there[GROUP].is_protected


def test_where_protection_is_not_available_nothing_is_reported() -> None:
    """Each sweep would repeat it, and no action would help."""
    report = run(account(groups=GroupsWithoutProtection()).service(AT_ONCE), SWEEP, BORN)
    assert report.remediations == ()


def event(*, enabled: bool, **group: str) -> dict[str, Any]:
    """A call that changes the protection of a group."""
    return {
        "detail-type": "AWS API Call via CloudTrail",
        "detail": {
            "eventSource": "logs.amazonaws.com",
            "eventName": "PutLogGroupDeletionProtection",
            "eventID": "e-1",
            "awsRegion": STACK.region,
            "recipientAccountId": ACCOUNT,
            "userIdentity": {"arn": f"arn:aws:iam::{ACCOUNT}:user/mallory"},
            "sourceIPAddress": "203.0.113.7",
            "requestParameters": {"deletionProtectionEnabled": enabled, **group},
        },
    }


@pytest.mark.parametrize(
    "group",
    [
        {"logGroupIdentifier": GROUP},
        {"logGroupIdentifier": f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:{GROUP}"},
        {"logGroupIdentifier": f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:{GROUP}:*"},
    ],
)
def test_a_removed_protection_comes_back_with_who_removed_it(group: dict[str, str]) -> None:
    """By name or ARN. To switch it on is no tampering."""
    fakes = account()
    service = fakes.service(AT_ONCE)
    found = trigger.read(event(enabled=False, **group), service.stack)
    assert found.takes_away
    run(service, found, BORN)
    (sent,) = fakes.sink.sent
    assert "user/mallory" in sent.text
    assert f"RESTORED (1)\n- {GROUP}: the log group was not protected from deletion" in sent.text
    assert not trigger.read(event(enabled=True, **group), service.stack).takes_away
    theirs = trigger.read(event(enabled=False, logGroupIdentifier="/theirs"), service.stack)
    assert theirs.kind is trigger.RunKind.IGNORED
