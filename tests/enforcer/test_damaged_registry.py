"""With a damaged registry, nothing is deleted, deletions are reported, and the damage is counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import pytest
from msgspec.structs import replace

from flowwarden.aws.dynamodb.registry import DynamoDbRegistry
from flowwarden.enforcer.creation import ManagedFlowLog
from flowwarden.enforcer.reconcile import Enforcer
from flowwarden.enforcer.registry import DeletedFlowLog, Entry
from flowwarden.enforcer.triggers.cloudtrail import ApiCaller
from flowwarden.unreadable import Unreadable
from tests.aws.dynamodb.damage import DAMAGE, TABLE, damage, dynamodb, empty, items
from tests.enforcer.deletions import EVE, Account, deletion
from tests.enforcer.fakes import STACK, Fakes
from tests.enforcer.fakes_ec2 import FakeEc2, wanted
from tests.enforcer.runs import AT_ONCE, BORN, DESIRED, SWEEP, deliver, existing, own

pytestmark = pytest.mark.usefixtures("state_table")

FAR: Final = 253_402_300_799
"""The last second of the year 9999."""
TIMES: Final = [FAR, BORN + 10 * 24 * 3600, -1]
OLD: Final = BORN - 9999


def replaced_ec2() -> FakeEc2:
    """A managed flow log in another format, and its replacement, which delivers."""
    alternate = DESIRED.alternate_destination
    assert alternate is not None
    old = existing(flow_log_id="fl-old", log_format="${version}", creation_time=OLD)
    return FakeEc2(own("vpc-1"), [old, wanted("fl-new", "vpc-1", alternate, OLD)])


@dataclass
class OnTable:
    """The enforcer with its registry in the state table; everything else is a fake."""

    ec2: FakeEc2 = field(default_factory=replaced_ec2)
    notes: Unreadable = field(default_factory=Unreadable)
    fakes: Fakes = field(init=False)

    def __post_init__(self) -> None:
        empty()
        self.fakes = Fakes(ec2=self.ec2)
        self.registry = DynamoDbRegistry(dynamodb(), TABLE, self.notes)
        for each in self.fakes.registry.of(ManagedFlowLog):
            self.registry.put(each)

    def sweep(self, now: int) -> int:
        """A sweep with its report; returns the number of unreadable items."""
        ports = self.fakes.aws()
        ports = replace(ports, registry=self.registry, unreadable_items=self.notes)
        service = Enforcer(ports, AT_ONCE, STACK)
        self.fakes.clock.left = 300
        report = service.reconcile(replace(SWEEP, idempotency_key=f"at {now}"), now)
        deliver(service, report, now)
        return report.unreadable_items.count

    def spoil(self, key: str, kind: str) -> None:
        """Damage the content of an item."""
        (item,) = (each for each in items() if each["sk"]["S"] == key)
        damage(item, "content", kind)


def tagged(fakes: Fakes) -> list[str]:
    """The texts of the notifications about tagged flow logs without a record."""
    return [each.text for each in fakes.sink.sent if "TAGGED, BUT NOT RECORDED" in each.text]


def test_the_account_deletes_the_old_flow_log_if_nothing_is_damaged() -> None:
    """Otherwise the next test would prove nothing."""
    account = OnTable()
    assert account.sweep(BORN) == 0
    assert account.ec2.deleted == ["fl-old"]


@pytest.mark.matrix(6)
@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_record_deletes_nothing_and_is_reported_once(kind: str) -> None:
    """The report contains the command that repairs it."""
    account = OnTable()
    account.spoil("managed#fl-old", kind)
    assert account.sweep(BORN) > 0
    for hour in range(1, 4):
        account.sweep(BORN + hour * 3600)
    assert account.ec2.deleted == []
    (text,) = tagged(account.fakes)
    assert "- fl-old of vpc-1" in text
    assert '["fl-old"]' in text


@pytest.mark.parametrize("at", TIMES)
def test_a_record_with_an_impossible_time_proves_nothing(at: int) -> None:
    """It is noted, and its flow log is reported like any without a record."""
    account = OnTable()
    account.registry.put(ManagedFlowLog(flow_log_id="fl-old", vpc_id="vpc-1", at=at))
    assert account.sweep(BORN) == 1
    assert account.ec2.deleted == []
    assert len(tagged(account.fakes)) == 1


@pytest.mark.parametrize("at", TIMES)
def test_a_deletion_with_an_impossible_time_hides_no_flow_log(at: int) -> None:
    """EC2 lists the flow log, so it exists: the VPC is covered, and nothing is created."""
    account = OnTable(FakeEc2(own("vpc-1"), [existing(flow_log_id="fl-old", creation_time=OLD)]))
    caller = ApiCaller(event_name="DeleteFlowLogs", actor=EVE)
    account.registry.put(DeletedFlowLog(flow_log_id="fl-old", at=at, caller=caller, reported=True))
    account.sweep(BORN)
    assert account.ec2.asked == []


def test_an_event_with_a_future_time_does_not_hide_a_flow_log_forever() -> None:
    """Three hours later, EC2 still lists the flow log, so it was not deleted."""
    account = Account()
    event = deletion("fl-0a", at=FAR)
    account.invoke(event)
    (entry,) = account.fakes.registry.of(DeletedFlowLog)
    assert entry.at == account.now
    account.ec2.asked.clear()
    account.settle()
    account.ec2.asked.clear()
    account.settle()
    assert account.ec2.asked == []


@pytest.mark.parametrize("at", TIMES)
@pytest.mark.parametrize("reported", [True, False])
def test_an_impossible_time_keeps_no_deletion_from_being_reported(at: int, reported: bool) -> None:  # noqa: FBT001
    """Nor does it repeat one that was reported."""
    account = Account()
    account.delete()
    caller = ApiCaller(event_name="DeleteFlowLogs", event_id="d1", actor=EVE, source_ip="203.0.113.9")
    entry: Entry = DeletedFlowLog(
        flow_log_id="fl-0a", resource_ids=("vpc-1",), vpc_id="vpc-1", at=at, caller=caller, reported=reported
    )
    account.fakes.registry.put(entry)
    account.settle()
    account.settle()
    assert len(account.reports) == (0 if reported else 1)
