"""Events about deletions and creations of flow logs: what is reported, and what stays unknown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from flowwarden.enforcer.deletions import NOTED_AT_MOST
from flowwarden.enforcer.registry import DeletedFlowLog, KnownFlowLog
from flowwarden.enforcer.state.inventory import Vpc
from flowwarden.enforcer.triggers import trigger
from flowwarden.policy.flow_logs import FlowLogsPolicy
from tests.enforcer.deletions import (
    EVE,
    MINE,
    SWEEP,
    Account,
    assert_reported_once,
    birth,
    creation,
    deletion,
    lines_about,
)
from tests.enforcer.fakes import STACK, MemoryRegistry
from tests.enforcer.fakes_ec2 import FakeEc2
from tests.enforcer.runs import deliver, existing, own


@pytest.mark.parametrize("grace", [0, 5])
def test_a_flow_log_that_is_created_and_deleted_within_seconds_is_reported_with_its_vpc(grace: int) -> None:
    """CreateVpc, CreateFlowLogs and DeleteFlowLogs within six seconds, in the grace period or without one."""
    account = Account(existing(flow_log_id=MINE), FlowLogsPolicy(grace_minutes=grace))
    account.ec2.vpcs_listed += own("vpc-3")
    account.invoke(birth("vpc-3", account.now), 0)
    account.invoke(creation("fl-0d", "vpc-3", account.now + 3), 3)
    account.invoke(deletion("fl-0d", at=account.now + 3), 3)
    account.settle()
    (line,) = lines_about(account.fakes, "fl-0d")
    assert line.startswith(f"- fl-0d of vpc-3 (unmanaged): deleted by {EVE} from 203.0.113.9; now ")


def test_without_its_creation_the_vpcs_that_may_have_lost_a_flow_log_are_named() -> None:
    """The event of the creation may arrive later: it names the VPC once, and does not repeat the report."""
    account = Account()
    account.ec2.vpcs_listed += own("vpc-3")
    account.invoke(birth("vpc-3", account.now), 0)
    account.invoke(deletion("fl-0d", at=account.now + 3), 3)
    account.invoke(creation("fl-0d", "vpc-3", account.now), 3)
    account.settle()
    (line,) = lines_about(account.fakes, "fl-0d")
    assert line.startswith("- fl-0d of an unknown VPC: deleted by")
    assert line.endswith("VPCs that may have lost it: vpc-3")
    (later,) = located(account)
    assert later == f"- fl-0d of vpc-3: deleted by {EVE}"


def located(account: Account) -> list[str]:
    """The lines about deletions whose VPC was learned after their report."""
    texts = [part for each in account.fakes.sink.sent for part in each.text.split("\n\n")]
    return [line for part in texts if part.startswith("VPC OF A DELETED") for line in part.splitlines()[1:]]


@pytest.mark.parametrize("resource_id", ["vpc-2", "subnet-9", "eni-7"])
def test_the_vpc_of_a_deletion_is_reported_once_however_late_and_often_its_creation_arrives(
    resource_id: str,
) -> None:
    """Hours later, delivered twice, and while its report cannot be sent at first."""
    account = Account()
    account.invoke(deletion("fl-0d", at=account.now))
    account.settle()
    event = creation("fl-0d", resource_id, account.now)
    account.fakes.sink.away = True
    account.invoke(event)
    account.invoke(event)
    account.settle()
    assert located(account) == [f"- fl-0d of {resource_id}: deleted by {EVE}"]
    assert len(lines_about(account.fakes, "fl-0d")) == 1


@pytest.mark.parametrize("knows", [True, False])
def test_a_creation_that_arrives_during_the_run_of_the_deletion_gives_it_its_vpc(knows: bool) -> None:  # noqa: FBT001
    """Two runs at the same time; that of the creation knows of the deletion, or not yet."""
    account = Account()
    account.fakes.clock.left = 300
    service = account.fakes.service(account.policy)
    other = account.fakes.service(account.policy)
    made = trigger.read(creation("fl-0d", "vpc-2", account.now), STACK)
    registry = account.fakes.registry

    class Between(FakeEc2):
        """The other run happens while this one lists VPCs."""

        def vpcs(self, vpc_ids: Sequence[str] | None) -> Iterator[Vpc]:
            """Make the other run first."""
            entries = dict(registry.entries)
            if not knows:
                registry.entries.pop((DeletedFlowLog, "fl-0d"), None)
            other.reconcile(made, account.now)
            if not knows:
                registry.entries = entries | registry.entries
            return super().vpcs(vpc_ids)

    account.fakes.ec2 = Between(account.ec2.vpcs_listed, account.ec2.existing)
    service = account.fakes.service(account.policy)
    report = service.reconcile(trigger.read(deletion("fl-0d", at=account.now), STACK), account.now)
    deliver(service, report, account.now)
    (line,) = lines_about(account.fakes, "fl-0d")
    assert line.startswith(f"- fl-0d of vpc-2 (unmanaged): deleted by {EVE}")
    assert located(account) == []


def test_a_late_creation_of_a_flow_log_that_was_reported_with_its_vpc_is_not_reported() -> None:
    """The VPC is known already."""
    account = Account()
    account.delete()
    account.invoke(deletion(MINE, at=account.now))
    account.invoke(creation(MINE, "vpc-1", account.now))
    assert located(account) == []


def test_an_event_about_several_flow_logs_is_one_report_with_a_line_for_each() -> None:
    """Of several VPCs; a flow log that EC2 refused to delete is not among them."""
    account = Account()
    account.delete()
    account.delete("fl-0c")
    event = deletion(MINE, "fl-0c", "fl-kept", at=account.now)
    refused = {"unsuccessful": {"item": [{"resourceId": "fl-kept"}]}}
    event["detail"]["responseElements"] = {"DeleteFlowLogsResponse": refused}
    before = len(account.fakes.sink.sent)
    account.invoke(event)
    assert len(account.fakes.sink.sent) == before + 1
    account.settle()
    assert_reported_once(account)
    (other,) = lines_about(account.fakes, "fl-0c")
    assert "fl-0c of vpc-2" in other
    assert lines_about(account.fakes, "fl-kept") == []


def test_a_failed_deletion_is_not_reported() -> None:
    """Nothing changed."""
    account = Account()
    event = deletion(MINE, at=account.now)
    event["detail"]["errorCode"] = "Client.UnauthorizedOperation"
    account.invoke(event)
    account.settle()
    assert account.reports == []


def test_without_the_state_table_a_deletion_is_reported_with_the_principal() -> None:
    """The VPC is unknown then, except where EC2 still lists the flow log."""
    account = Account()
    account.fakes.registry = MemoryRegistry(broken=True)
    account.delete()
    account.invoke(deletion(MINE, at=account.now))
    (line,) = account.reports
    assert f"of an unknown VPC: deleted by {EVE}" in line
    account.ec2.existing.append(account.victim)
    account.invoke(deletion(MINE, at=account.now, number="d2"))
    assert account.reports[1].startswith("- fl-0a of vpc-1 ")


@pytest.mark.parametrize("number", [2, 200])
def test_a_flow_log_of_a_call_about_several_vpcs_is_reported_with_its_own(number: int) -> None:
    """The event does not say which is whose; a sweep sees it, and stores no more than one for each."""
    account = Account()
    event = creation("fl-0d", "vpc-2", account.now)
    named = [{"tag": tag, "content": f"vpc-{tag}"} for tag in range(1, number + 1)]
    event["detail"]["requestParameters"]["CreateFlowLogsRequest"]["ResourceId"] = named
    account.invoke(event)
    account.ec2.existing.append(existing("vpc-2", flow_log_id="fl-0d", log_group_name="theirs", tags={}))
    account.invoke(SWEEP)
    account.delete("fl-0d")
    account.invoke(deletion("fl-0d", at=account.now))
    account.settle()
    (line,) = lines_about(account.fakes, "fl-0d")
    assert line.startswith("- fl-0d of vpc-2 (unmanaged): ")


def test_a_large_call_does_not_fill_the_table() -> None:
    """Until the sweep, its flow logs have no resource."""
    account = Account()
    event = creation("fl-0d", "vpc-2", account.now)
    detail = event["detail"]
    resources = [{"tag": tag, "content": f"vpc-{tag}"} for tag in range(1000)]
    detail["requestParameters"]["CreateFlowLogsRequest"]["ResourceId"] = resources
    ids = [f"fl-{each}" for each in range(1000)]
    detail["responseElements"]["CreateFlowLogsResponse"]["flowLogIdSet"]["item"] = ids
    account.invoke(event)
    found = account.fakes.registry.of(KnownFlowLog)
    assert len(found) == NOTED_AT_MOST
    assert {each.resource_ids for each in found} == {()}


@pytest.mark.parametrize("junk", ["fl-" + "x" * 1100, "", "\ud800" * 300])
def test_an_invalid_id_does_not_keep_others_from_being_stored(junk: str) -> None:
    """The state table would refuse its key."""
    account = Account()
    account.delete()
    account.invoke(deletion(junk, MINE, at=account.now))
    account.settle()
    assert_reported_once(account)
    assert {each.flow_log_id for each in account.fakes.registry.of(DeletedFlowLog)} == {MINE}
