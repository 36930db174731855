"""Log groups of managed flow logs that are no longer wanted: maintained while nothing else covers the VPC."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flowwarden.enforcer.decide.log_groups import (
    AssociateKmsKey,
    CreateLogGroup,
    ProtectLogGroup,
    PutRetentionPolicy,
    PutSubscriptionFilter,
)
from flowwarden.enforcer.reporting.report import Result
from flowwarden.enforcer.state.desired import BACKOFF_TAG, backoff_tag
from flowwarden.enforcer.state.inventory import FlowLog, LogGroup
from flowwarden.enforcer.triggers.trigger import RunKind, Trigger
from flowwarden.network.interface import NetworkInterface
from flowwarden.policy.flow_logs import FlowLogSpec, FlowLogsPolicy, Rule, Selection
from tests.enforcer.fakes import GROUP, MONITOR, STACK, Fakes, sound
from tests.enforcer.fakes_ec2 import FakeEc2
from tests.enforcer.runs import BORN, DESIRED, SWEEP, deliver, enforce, existing, only, own

BEFORE = f"{GROUP}-0a0b0c0d"
"""The group of an earlier configuration."""
OLD = existing(
    flow_log_id="fl-old", log_group_name=BEFORE, log_format="${version} ${action}", creation_time=BORN - 9999
)
BACKOFF = replace(OLD, tags=OLD.tags | {BACKOFF_TAG: backoff_tag(DESIRED.configuration, BORN)})
YOUNG = existing(creation_time=BORN - 600)
HOST = NetworkInterface(interface_id="eni-0a", vpc_id="vpc-1")


def fakes(*flow_logs: FlowLog) -> Fakes:
    """One VPC with these flow logs, from which no records were seen."""
    return Fakes(ec2=FakeEc2(own("vpc-1"), list(flow_logs), [HOST]))


@pytest.mark.parametrize("flow_logs", [(BACKOFF,), (OLD, YOUNG)])
def test_the_group_of_a_remaining_flow_log_is_recreated(flow_logs: tuple[FlowLog, ...]) -> None:
    """This holds after a rollback, and while the replacement is not verified."""
    there = fakes(*flow_logs)
    assert only(enforce(there)).result is Result.PENDING
    assert [type(each) for each in there.groups.done] == [
        CreateLogGroup,
        PutRetentionPolicy,
        PutSubscriptionFilter,
        ProtectLogGroup,
    ]
    assert there.groups.there[BEFORE] == sound(BEFORE)
    assert not any(each.applied for each in enforce(there).remediations)


@pytest.mark.parametrize("days", [None, 30, 400])
def test_a_remaining_group_is_subscribed_again_and_keeps_its_retention_and_key(days: int | None) -> None:
    """Its earlier spec is unknown, so the stack's settings never shorten the retention or replace the key."""
    there = fakes(BACKOFF)
    group = LogGroup(name=BEFORE, retention_days=days, kms_key_arn="arn:theirs", is_protected=True)
    there.groups.there[BEFORE] = group
    report = enforce(there)
    assert [(each.resource, each.applied) for each in report.remediations if each.applied] == [(BEFORE, True)]
    (subscription,) = there.groups.there[BEFORE].subscriptions
    assert (subscription.destination_arn, subscription.pattern) == (MONITOR, "")
    assert replace(there.groups.there[BEFORE], subscriptions=()) == group


def test_a_remaining_group_gets_at_least_the_stack_s_settings() -> None:
    """This applies to retention and encryption, because lost evidence cannot be restored."""
    there = fakes(BACKOFF)
    there.groups.there[BEFORE] = replace(sound(BEFORE), retention_days=1)
    stack = replace(STACK, kms_key_arn="arn:key")
    there.groups.there[GROUP] = replace(sound(), kms_key_arn="arn:key")
    there.service(FlowLogsPolicy(grace_minutes=0), stack).reconcile(SWEEP, BORN + 10)
    assert [type(each) for each in there.groups.done] == [PutRetentionPolicy, AssociateKmsKey]
    assert there.groups.there[BEFORE] == replace(sound(BEFORE), kms_key_arn="arn:key")


@pytest.mark.parametrize("theirs", [{"tags": {}}, {"log_group_name": f"{GROUP}-2"}])
def test_unmanaged_flow_logs_and_groups_are_not_maintained(theirs: dict[str, object]) -> None:
    """Neither an unmanaged flow log nor another stack's group leads to steps."""
    there = fakes(replace(BACKOFF, **theirs), existing(creation_time=1))
    enforce(there)
    assert there.groups.done == []


def test_the_stack_s_group_is_maintained_after_a_change_to_a_bucket() -> None:
    """It is maintained until the last flow log that writes there is replaced."""
    there = fakes(existing(creation_time=1))
    there.groups.there.clear()
    spec = FlowLogSpec(destination_type="s3", destination="arn:aws:s3:::logs")
    enforce(there, policy=FlowLogsPolicy(grace_minutes=0, default=spec))
    assert there.groups.there[GROUP] == sound()


def test_the_silence_of_a_remaining_flow_log_is_reported() -> None:
    """Nothing else covers the VPC."""
    there = fakes(BACKOFF)
    there.groups.there[BEFORE] = sound(BEFORE)
    (problem,) = enforce(there).problems
    assert problem.resource == BEFORE
    assert "fl-old of vpc-1 should write" in problem.summary


SUFFIXED = FlowLogsPolicy(grace_minutes=0, default=FlowLogSpec(log_group_suffix="pci"))
PCI = f"{GROUP}-pci"


@pytest.mark.parametrize("tags", [DESIRED.tags, {}])
@pytest.mark.parametrize("trigger", [SWEEP, replace(SWEEP, kind=RunKind.DEPENDENCIES)])
def test_a_missing_group_that_flow_logs_write_into_counts_as_deleted(
    trigger: Trigger, tags: dict[str, str]
) -> None:
    """For any group, and managed or unmanaged flow logs, the loss of the earlier records is reported."""
    there = fakes(existing(log_group_name=PCI, tags=tags, creation_time=BORN - 9999))
    report = enforce(there, trigger, policy=SUFFIXED)
    restored = [each for each in report.remediations if each.applied]
    assert {each.resource for each in restored} == {PCI}
    assert "does not contain earlier records" in restored[0].summary
    deliver(there.service(SUFFIXED), report)
    assert f"{PCI} restored" in there.sink.sent[0].subject


@pytest.mark.parametrize("there_already", [True, False])
@pytest.mark.parametrize("log_class", ["INFREQUENT_ACCESS", "DELIVERY"])
def test_a_group_of_another_class_is_named_and_the_others_are_restored(
    log_class: str, *, there_already: bool
) -> None:
    """It takes no subscription filter; its retention is still set, and each sweep says so."""
    there = Fakes(ec2=FakeEc2(own("vpc-1"), [existing(creation_time=1)]))
    groups = there.groups.there
    groups[PCI] = LogGroup(name=PCI, log_class=log_class, is_protected=True)
    groups[GROUP] = replace(sound(), subscriptions=())
    if not there_already:
        del groups[GROUP]
    rule = Rule(where=Selection(tags={"env": "pci"}), flow_log=FlowLogSpec(log_group_suffix="pci"))
    policy = FlowLogsPolicy(grace_minutes=0, rules=(rule,))
    report = enforce(there, policy=policy)
    unsubscribed = replace(sound(PCI), subscriptions=())
    assert groups[GROUP] == sound()
    assert groups[PCI] == replace(unsubscribed, log_class=log_class)
    (problem,) = report.problems
    assert problem.resource == PCI
    assert log_class in problem.summary
    assert "no subscription filter" in problem.summary
    assert [each.resource for each in enforce(there, policy=policy).problems] == [PCI]


def test_a_group_created_for_its_first_flow_log_is_not_reported() -> None:
    """The flow log itself is reported."""
    there = fakes()
    report = enforce(there, policy=SUFFIXED)
    assert there.groups.there[PCI] == sound(PCI)
    assert (report.remediations, len(report.created)) == ((), 1)
