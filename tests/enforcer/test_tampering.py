"""Calls about log groups and the delivery role: from the CloudTrail event to the notification."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from msgspec.structs import replace

from flowwarden.enforcer.state.inventory import Subscription
from flowwarden.enforcer.triggers.trigger import read
from flowwarden.errors import PublishFailed
from flowwarden.notify.notification import Notification
from flowwarden.policy.flow_logs import FlowLogSpec, FlowLogsPolicy, Rule, Selection
from tests.enforcer.fakes import ACCOUNT, GROUP, MONITOR, SOUND_ROLE, STACK, TERMS, Fakes, sound
from tests.enforcer.fakes_ec2 import FakeEc2
from tests.enforcer.runs import AT_ONCE, BORN, SWEEP, existing, own, run

THEIR_FILTER = {"filterName": STACK.stack_name, "filterPattern": "nothing", "destinationArn": MONITOR}
BY_DEPLOYMENT = {"sourceIPAddress": "cloudformation.amazonaws.com"}


def event(name: str, asked: dict[str, Any], **detail: Any) -> dict[str, Any]:
    """A call by user eve, by default about the stack's log group."""
    return {
        "detail-type": "AWS API Call via CloudTrail",
        "detail": {
            "eventSource": "logs.amazonaws.com",
            "eventName": name,
            "eventID": "8f6d",
            "awsRegion": STACK.region,
            "recipientAccountId": ACCOUNT,
            "userIdentity": {"arn": f"arn:aws:iam::{ACCOUNT}:user/eve"},
            "requestParameters": {"logGroupName": GROUP} | asked,
            **detail,
        },
    }


def notified(fakes: Fakes, happened: dict[str, Any], policy: FlowLogsPolicy = AT_ONCE) -> list[Notification]:
    """The notifications that operations gets."""
    service = fakes.service(policy)
    run(service, read(happened, service.stack), BORN)
    return fakes.sink.sent


def sound_stack() -> Fakes:
    """A stack on which nothing is to be restored."""
    return Fakes(ec2=FakeEc2(own("vpc-1"), [existing()]))


def test_a_deployment_that_removes_the_subscription_is_undone_and_reported() -> None:
    """The deployment is that of another stack; one that leads to no difference is not reported."""
    happened = event("PutSubscriptionFilter", THEIR_FILTER, **BY_DEPLOYMENT)
    taken = Subscription(name=STACK.stack_name, destination_arn=MONITOR, pattern="nothing")
    fakes = sound_stack()
    fakes.groups.there[GROUP] = replace(sound(), subscriptions=(taken,))
    (sent,) = notified(fakes, happened)
    assert sent.subject.startswith(f"[WARNING] {GROUP} restored")
    assert "PutSubscriptionFilter by arn:aws:iam::111122223333:user/eve from cloudformation" in sent.text
    assert fakes.groups.there[GROUP] == sound()
    assert notified(sound_stack(), happened) == []
    assert notified(sound_stack(), event("DeleteSubscriptionFilter", {}, **BY_DEPLOYMENT)) == []
    assert len(notified(sound_stack(), event("DeleteSubscriptionFilter", {}))) == 1


SUFFIXED = FlowLogsPolicy(
    grace_minutes=0,
    rules=(
        Rule(
            where=Selection(tags={"pci": "*"}),
            flow_log=FlowLogSpec(log_group_suffix="pci", retention_days=365),
        ),
    ),
)


@pytest.mark.parametrize(
    ("name", "asked", "is_reported"),
    [
        ("PutRetentionPolicy", {"retentionInDays": 1}, True),
        ("PutRetentionPolicy", {"retentionInDays": 30}, False),
        ("PutRetentionPolicy", {"retentionInDays": 30, "logGroupName": f"{GROUP}-pci"}, True),
        ("PutRetentionPolicy", {"retentionInDays": 365, "logGroupName": f"{GROUP}-pci"}, False),
        ("PutRetentionPolicy", {"retentionInDays": 365, "logGroupName": f"{GROUP}-pci-0a1b2c3d"}, False),
        ("PutRetentionPolicy", {"retentionInDays": 7, "logGroupName": f"{GROUP}-0a1b2c3d"}, True),
        ("PutRetentionPolicy", {}, True),
        ("PutSubscriptionFilter", THEIR_FILTER, True),
        ("PutSubscriptionFilter", THEIR_FILTER | {"filterPattern": "", "destinationArn": "arn:theirs"}, True),
        ("PutSubscriptionFilter", THEIR_FILTER | {"filterPattern": ""}, False),
        ("PutSubscriptionFilter", THEIR_FILTER | {"filterName": "theirs"}, False),
        ("AssociateKmsKey", {"kmsKeyId": "arn:key"}, False),
    ],
)
def test_a_removal_that_a_sweep_repaired_before_the_event_is_reported(
    name: str,
    asked: dict[str, Any],
    is_reported: bool,  # noqa: FBT001  a table's column
) -> None:
    """The caller is known only now. A call that leads to no difference is not reported."""
    fakes = sound_stack()
    fakes.groups.there[f"{GROUP}-pci"] = replace(sound(f"{GROUP}-pci"), retention_days=365)
    sent = notified(fakes, event(name, asked), SUFFIXED)
    assert [each.subject for each in sent] == [
        f"[WARNING] {name}: nothing left to restore in {ACCOUNT} {STACK.region}"
    ] * is_reported


@pytest.mark.parametrize("doubt", [{"boundary": "arn:org"}, {"unread": ("GetPolicy: AccessDenied",)}])
def test_a_possible_problem_of_the_role_is_reported_once_per_window(doubt: dict[str, Any]) -> None:
    """It may be intended. A call about the role is still reported, with its caller."""
    fakes = sound_stack()
    fakes.roles.role = replace(SOUND_ROLE, **doubt)
    service = fakes.service(AT_ONCE)
    for now in range(BORN, BORN + 2 * TERMS.suppression, 3600):
        run(service, SWEEP, now)
    assert len(fakes.sink.sent) == 2
    touched = event("PutRolePermissionsBoundary", {"roleName": "delivery"}, eventSource="iam.amazonaws.com")
    assert "user/eve" in notified(fakes, touched)[2].text
    assert len(notified(fakes, event("PutRetentionPolicy", {"retentionInDays": 30}))) == 3


def test_a_new_boundary_and_a_definite_problem_are_reported_immediately() -> None:
    """Each boundary is a separate incident; a report that was not sent is sent by the next sweep."""
    fakes = sound_stack()
    fakes.sink.away = True
    for sent, role in enumerate(
        (
            replace(SOUND_ROLE, boundary="arn:org"),
            replace(SOUND_ROLE, boundary="arn:org"),
            replace(SOUND_ROLE, boundary="arn:eve"),
            replace(SOUND_ROLE, trusted=()),
            replace(SOUND_ROLE, trusted=()),
        )
    ):
        fakes.roles.role = role
        service = fakes.service(AT_ONCE)
        with suppress(PublishFailed):
            run(service, SWEEP, BORN + sent)
        fakes.sink.away = False
        assert len(fakes.sink.sent) == sent
