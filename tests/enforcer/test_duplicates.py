"""Duplicates are reported, but not every hour."""

from __future__ import annotations

import pytest

from flowwarden.enforcer.decide.duplicates import incident_of
from flowwarden.enforcer.reporting.recurring import silent_group
from flowwarden.enforcer.reporting.report import EnforcementReport
from flowwarden.enforcer.triggers.trigger import RunKind, Trigger
from flowwarden.errors import PublishFailed
from flowwarden.state import heartbeats
from tests.enforcer.cases import ACTIVE, NOW, VPC, WANTED, foreign, seen
from tests.enforcer.fakes import GROUP, Fakes, FakeWorkQueue
from tests.enforcer.fakes_ec2 import FakeEc2
from tests.enforcer.runs import deliver
from tests.monitor.fakes_state import MemoryEvidence

HOUR = 3600


def doubled() -> Fakes:
    """A VPC whose traffic an unmanaged flow log records, too."""
    return written(Fakes(ec2=FakeEc2([VPC], [WANTED, foreign(log_group_name="theirs")], [ACTIVE])))


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


def test_duplicates_are_reported_once_per_suppression_window() -> None:
    """The report has VPC and cost; it is sent again after the window, or if the duplicates change."""
    fakes = doubled()
    for hour in range(4):
        sweep(fakes, NOW + hour * HOUR)
    (notification,) = fakes.sink.sent
    assert "- vpc-1: fl-foreign, about 0.03 USD a month" in notification.text
    sweep(fakes, NOW + 4 * HOUR)
    assert len(fakes.sink.sent) == 2
    assert isinstance(fakes.ec2, FakeEc2)
    fakes.ec2.existing.append(foreign(log_group_name="theirs too", flow_log_id="fl-third"))
    sweep(fakes, NOW + 5 * HOUR)
    assert "fl-foreign, fl-third" in fakes.sink.sent[2].text


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
    fakes.ec2.existing.append(foreign(log_group_name="theirs too", flow_log_id="fl-third"))
    sweep(fakes, NOW + 2 * HOUR)
    assert fakes.sink.sent[1].subject.startswith("[INFO] duplicate flow logs in vpc-1")
    assert "no record at all" not in fakes.sink.sent[1].text


def test_without_the_state_table_duplicates_are_not_reported() -> None:
    """Otherwise they would be reported every hour."""
    fakes = doubled()
    fakes.queue = FakeWorkQueue(broken=True)
    sweep(fakes)
    assert fakes.sink.sent == []
