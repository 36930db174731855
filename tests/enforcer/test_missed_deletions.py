"""Deletions that no event reports: a sweep misses the flow log, unless it could not read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest

from flowwarden.enforcer.creation import ManagedFlowLog
from flowwarden.enforcer.deletions import MISSED_SECONDS
from flowwarden.enforcer.registry import DeletedFlowLog
from flowwarden.enforcer.state.inventory import FlowLog, Unread
from tests.enforcer.deletions import EVE, MINE, SWEEP, Account, deletion
from tests.enforcer.fakes_ec2 import FakeEc2
from tests.enforcer.runs import FORBIDDEN


def test_without_an_event_a_sweep_reports_the_deletion_without_a_principal() -> None:
    """As in an account without a trail: after an hour, once."""
    account = Account()
    account.delete()
    account.invoke(SWEEP)
    account.invoke(SWEEP, MISSED_SECONDS - 1)
    assert account.reports == []
    account.settle()
    (line,) = account.reports
    assert line.startswith(
        "- fl-0a of vpc-1 (managed by this stack): it no longer exists; no CloudTrail event shows who"
    )


def test_an_event_that_comes_after_that_report_still_names_the_principal() -> None:
    """The first report could not name it."""
    account = Account()
    account.delete()
    account.invoke(SWEEP)
    account.settle()
    for _ in range(2):
        account.invoke(deletion(MINE, at=account.now - 7200))
    unnamed, named = account.reports
    assert "no CloudTrail event shows who" in unnamed
    assert f"deleted by {EVE}" in named


def test_flow_logs_that_are_deleted_with_their_vpc_are_not_reported() -> None:
    """Its records go, too."""
    account = Account()
    account.delete()
    account.ec2.vpcs_listed = account.ec2.vpcs_listed[1:]
    account.settle()
    assert account.reports == []
    assert {each.flow_log_id for each in account.fakes.registry.of(ManagedFlowLog)} == {"fl-0c"}


def test_a_flow_log_that_ec2_does_not_list_for_a_moment_is_not_reported() -> None:
    """Listings lag behind; its record stays."""
    account = Account()
    account.delete()
    account.invoke(SWEEP)
    account.ec2.existing.append(account.victim)
    account.settle()
    assert account.reports == []
    assert MINE in {each.flow_log_id for each in account.fakes.registry.of(ManagedFlowLog)}
    assert account.fakes.registry.of(DeletedFlowLog) == []


@pytest.mark.parametrize("item_id", ["", MINE])
def test_an_unreadable_description_is_no_deletion(item_id: str) -> None:
    """The unreadable item may be the flow log, if it has the same id or none."""
    account = Account()
    account.delete()
    account.ec2.unread_listed = [Unread(call="DescribeFlowLogs", what="an item", item_id=item_id)]
    account.settle()
    assert account.reports == []
    assert MINE in {each.flow_log_id for each in account.fakes.registry.of(ManagedFlowLog)}


OTHERS: dict[str, Callable[[FakeEc2], object]] = {
    "a description of another flow log": lambda ec2: ec2.unread_listed.append(
        Unread(call="DescribeFlowLogs", what="fl-0e (junk)", item_id="fl-0e")
    ),
    "a description of another VPC": lambda ec2: ec2.unread_listed.append(
        Unread(call="DescribeVpcs", what="vpc-9 (junk)", item_id="vpc-9")
    ),
    "a VPC that EC2 refuses to list": lambda ec2: setattr(ec2, "refused_vpc", "vpc-2"),
}


@dataclass
class Refusing(FakeEc2):
    """Refuses to list the flow logs of one VPC, and of all of them together."""

    refused_vpc: str = ""

    def flow_logs(self, resource_ids: Sequence[str] | None) -> Iterator[FlowLog]:
        """List, unless the VPC is among them."""
        if self.refused_vpc and (resource_ids is None or self.refused_vpc in resource_ids):
            raise FORBIDDEN
        yield from super().flow_logs(resource_ids)


@pytest.mark.parametrize("other", OTHERS)
def test_what_cannot_be_read_of_others_hides_no_deletion(other: str) -> None:
    """One bad resource, for hours, and no event names the caller."""
    account = Account()
    refusing = Refusing(account.ec2.vpcs_listed, account.ec2.existing)
    account.ec2 = account.fakes.ec2 = refusing
    OTHERS[other](refusing)
    account.delete()
    account.settle()
    (line,) = account.reports
    assert line.startswith(
        "- fl-0a of vpc-1 (managed by this stack): it no longer exists; no CloudTrail event shows who"
    )
    records = account.fakes.registry.of(ManagedFlowLog)
    assert MINE not in {each.flow_log_id for each in records}
    assert "fl-0c" in {each.flow_log_id for each in records}
