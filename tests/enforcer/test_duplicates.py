"""Flow logs that record the same traffic again are told, and not each hour."""

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
    """A VPC whose traffic somebody else records too."""
    return written(Fakes(ec2=FakeEc2([VPC], [WANTED, foreign(log_group_name="theirs")], [ACTIVE])))


def written(fakes: Fakes) -> Fakes:
    """The monitor saw records all the time, so that nothing is silent."""
    for hour in range(6):
        for each in heartbeats.additions(GROUP, seen(ACTIVE.interface_id, at=NOW + hour * HOUR)[GROUP]):
            fakes.evidence.add(each)
    return fakes


def sweep(fakes: Fakes, at: int = NOW, *, dry_run: bool = False) -> EnforcementReport:
    """One sweep, told."""
    service = fakes.service(dry_run=dry_run)
    trigger = Trigger(kind=RunKind.SWEEP, reason="a sweep", happened_at=at, idempotency_key=f"at {at}")
    report = service.reconcile(trigger, at)
    deliver(service, report, at)
    return report


def test_duplicates_are_told_once_in_a_window() -> None:
    """With their VPC and what they cost; and again when the window is over, or when they are others."""
    fakes = doubled()
    for hour in range(4):
        sweep(fakes, NOW + hour * HOUR)
    (told,) = fakes.sink.sent
    assert "- vpc-1: fl-foreign, about 0.03 USD a month" in told.text
    sweep(fakes, NOW + 4 * HOUR)
    assert len(fakes.sink.sent) == 2
    assert isinstance(fakes.ec2, FakeEc2)
    fakes.ec2.existing.append(foreign(log_group_name="theirs too", flow_log_id="fl-third"))
    sweep(fakes, NOW + 5 * HOUR)
    assert "fl-foreign, fl-third" in fakes.sink.sent[2].text


def test_without_duplicates_nothing_is_told_or_asked() -> None:
    """Nor in a look, nor in a dry run."""
    fakes = written(Fakes(ec2=FakeEc2([VPC], [WANTED], [ACTIVE])))
    assert not sweep(fakes).is_news
    assert sweep(doubled(), dry_run=True).duplicates == ()
    assert (fakes.sink.sent, fakes.claims.items) == ([], {})


def test_what_could_not_be_sent_was_not_told() -> None:
    """Its claim is free at once, and the retry tells it."""
    fakes = doubled()
    fakes.sink.away = True
    with pytest.raises(PublishFailed):
        sweep(fakes)
    assert fakes.reported == set()
    fakes.sink.away = False
    sweep(fakes, NOW + 1)
    assert len(fakes.sink.sent) == 1


def test_duplicates_and_silence_are_told_together_and_each_in_its_turn() -> None:
    """One notification a sweep; if it could not be sent, both claims are free at once."""
    fakes = doubled()
    fakes.evidence = MemoryEvidence()
    fakes.sink.away = True
    with pytest.raises(PublishFailed):
        sweep(fakes)
    assert fakes.reported == set()
    fakes.sink.away = False
    report = sweep(fakes, NOW + 1)
    assert fakes.reported == {silent_group(GROUP), incident_of(report.duplicates)}
    (told,) = fakes.sink.sent
    assert told.subject.startswith(f"[ERROR] action required for {GROUP}")
    assert "the monitor sees no records" in told.text
    assert "DUPLICATES" in told.text
    sweep(fakes, NOW + HOUR)
    assert len(fakes.sink.sent) == 1
    assert isinstance(fakes.ec2, FakeEc2)
    fakes.ec2.existing.append(foreign(log_group_name="theirs too", flow_log_id="fl-third"))
    sweep(fakes, NOW + 2 * HOUR)
    assert fakes.sink.sent[1].subject.startswith("[INFO] duplicate flow logs in vpc-1")
    assert "no record at all" not in fakes.sink.sent[1].text


def test_without_memory_duplicates_are_no_news() -> None:
    """They would be told each hour."""
    fakes = doubled()
    fakes.queue = FakeWorkQueue(broken=True)
    sweep(fakes)
    assert fakes.sink.sent == []
