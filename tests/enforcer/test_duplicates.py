"""Duplicates are reported, but not every hour."""

from __future__ import annotations

import pytest

from flowwarden.enforcer.decide.duplicates import incident_of
from flowwarden.enforcer.reporting.recurring import silent_group
from flowwarden.enforcer.reporting.report import EnforcementReport
from flowwarden.enforcer.triggers.trigger import RunKind, Trigger
from flowwarden.errors import PublishFailed
from flowwarden.policy.flow_logs import FlowLogsPolicy
from flowwarden.state import heartbeats
from tests.enforcer.cases import ACTIVE, NOW, VPC, WANTED, changed, seen, unmanaged
from tests.enforcer.fakes import GROUP, Fakes, FakeWorkQueue
from tests.enforcer.fakes_ec2 import FakeEc2
from tests.enforcer.runs import deliver
from tests.monitor.fakes_state import MemoryEvidence

HOUR = 3600


def doubled() -> Fakes:
    """A VPC whose traffic an unmanaged flow log records, too."""
    return written(Fakes(ec2=FakeEc2([VPC], [WANTED, unmanaged(log_group_name="theirs")], [ACTIVE])))


def written(fakes: Fakes) -> Fakes:
    """The monitor saw records the whole time, so that nothing is silent."""
    for hour in range(6):
        for each in heartbeats.additions(GROUP, seen(ACTIVE.interface_id, at=NOW + hour * HOUR)[GROUP]):
            fakes.evidence.add(each)
    return fakes


def sweep(fakes: Fakes, at: int = NOW, *, dry_run: bool = False) -> EnforcementReport:
    """One sweep, with its report sent."""
    service = fakes.service(dry_run=dry_run)
    trigger = Trigger(kind=RunKind.SWEEP, reason="a sweep", happened_at=at, idempotency_key=f"at {at}")
    report = service.reconcile(trigger, at)
    deliver(service, report, at)
    return report


def test_each_duplicate_is_reported_once() -> None:
    """The report has VPC and cost; it is not sent again after the window, and a new one is reported alone."""
    fakes = doubled()
    for hour in range(4):
        sweep(fakes, NOW + hour * HOUR)
    (notification,) = fakes.sink.sent
    assert "- vpc-1: fl-unmanaged, about 0.03 USD a month" in notification.text
    sweep(fakes, NOW + 4 * HOUR)
    assert len(fakes.sink.sent) == 1
    assert isinstance(fakes.ec2, FakeEc2)
    fakes.ec2.existing.append(unmanaged(log_group_name="theirs too", flow_log_id="fl-third"))
    sweep(fakes, NOW + 5 * HOUR)
    assert "- vpc-1: fl-third, about" in fakes.sink.sent[1].text


@pytest.mark.parametrize(
    ("accepted", "reported"),
    [
        ((), True),
        (("fl-unmanaged",), False),
        (("theirs",), False),
        (("*",), False),
        (("fl-third", "other"), True),
    ],
)
def test_the_policy_can_accept_a_duplicate(accepted: tuple[str, ...], *, reported: bool) -> None:
    """By id, by log group, or all of them."""
    fakes = doubled()
    policy = FlowLogsPolicy(accepted_duplicates=accepted)
    report = fakes.service(policy).reconcile(Trigger(kind=RunKind.SWEEP, reason="a sweep"), NOW)
    assert bool(report.duplicates) is reported


ARN = "arn:aws:logs:eu-west-1:111122223333:log-group:theirs"


@pytest.mark.parametrize("described", [ARN, f"{ARN}:*"])
def test_a_duplicate_is_accepted_by_the_arn_of_its_destination(described: str) -> None:
    """EC2 describes it with or without `:*` at the end."""
    theirs = unmanaged(log_group_name=None, log_destination=described)
    fakes = Fakes(ec2=FakeEc2([VPC], [WANTED, theirs]))
    for accepted, reported in (((ARN,), False), ((f"{ARN}-2",), True)):
        policy = FlowLogsPolicy(accepted_duplicates=accepted)
        report = fakes.service(policy).reconcile(Trigger(kind=RunKind.SWEEP, reason="a sweep"), NOW)
        assert bool(report.duplicates) is reported


def test_an_archive_of_others_is_no_duplicate_and_its_place_is_reported_once() -> None:
    """Nothing advises to delete it; a partial one and a failing one record nothing to rely on."""
    archive = unmanaged(
        log_group_name=None, log_destination_type="s3", log_destination="arn:aws:s3:::archive"
    )
    rejects = changed(archive, flow_log_id="fl-2", traffic_type="REJECT")
    failing = changed(archive, flow_log_id="fl-3", deliver_logs_status="FAILED")
    fakes = written(Fakes(ec2=FakeEc2([VPC], [WANTED, archive, rejects, failing], [ACTIVE])))
    reports = [sweep(fakes, NOW + hour * HOUR) for hour in range(6)]
    assert [each.duplicates for each in reports] == [()] * 6
    (notification,) = fakes.sink.sent
    assert "- fl-unmanaged of vpc-1 to arn:aws:s3:::archive" in notification.text
    assert "delete" not in notification.text.lower()
    assert "fl-2" not in notification.text
    assert "fl-3" not in notification.text


def test_a_vpc_that_others_record_to_s3_gets_its_flow_log_and_the_report_says_where() -> None:
    """The monitor does not read there."""
    archive = unmanaged(
        log_group_name=None, log_destination_type="s3", log_destination="arn:aws:s3:::archive"
    )
    fakes = Fakes(ec2=FakeEc2([VPC], [archive]))
    sweep(fakes)
    (notification,) = fakes.sink.sent
    assert "RECORDED ELSEWHERE TOO" in notification.text
    assert "fl-unmanaged of vpc-1 to arn:aws:s3:::archive" in notification.text


def test_without_duplicates_nothing_is_reported_or_claimed() -> None:
    """The same holds for a retry and for a dry run."""
    fakes = written(Fakes(ec2=FakeEc2([VPC], [WANTED], [ACTIVE])))
    assert not sweep(fakes).is_news
    assert sweep(doubled(), dry_run=True).duplicates == ()
    assert (fakes.sink.sent, fakes.claims.items) == ([], {})


def test_a_report_that_could_not_be_sent_does_not_count_as_sent() -> None:
    """Its claim is released immediately, and the retry sends it."""
    fakes = doubled()
    fakes.sink.away = True
    with pytest.raises(PublishFailed):
        sweep(fakes)
    assert fakes.reported == set()
    fakes.sink.away = False
    sweep(fakes, NOW + 1)
    assert len(fakes.sink.sent) == 1


def test_duplicates_and_silence_share_a_notification_with_separate_claims() -> None:
    """A sweep sends one notification; if that fails, both claims are released immediately."""
    fakes = doubled()
    fakes.evidence = MemoryEvidence()
    fakes.sink.away = True
    with pytest.raises(PublishFailed):
        sweep(fakes)
    assert fakes.reported == set()
    fakes.sink.away = False
    report = sweep(fakes, NOW + 1)
    assert fakes.reported == {silent_group(GROUP), incident_of(report.duplicates)}
    (notification,) = fakes.sink.sent
    assert notification.subject.startswith(f"[ERROR] action required for {GROUP}")
    assert "the monitor sees no records" in notification.text
    assert "DUPLICATES" in notification.text
    sweep(fakes, NOW + HOUR)
    assert len(fakes.sink.sent) == 1
    assert isinstance(fakes.ec2, FakeEc2)
    fakes.ec2.existing.append(unmanaged(log_group_name="theirs too", flow_log_id="fl-third"))
    sweep(fakes, NOW + 2 * HOUR)
    assert fakes.sink.sent[1].subject.startswith("[INFO] duplicate flow logs in vpc-1")
    assert "the monitor sees no records" not in fakes.sink.sent[1].text


def test_without_the_state_table_duplicates_are_not_reported() -> None:
    """Otherwise they would be reported every hour."""
    fakes = doubled()
    fakes.queue = FakeWorkQueue(broken=True)
    sweep(fakes)
    assert fakes.sink.sent == []
