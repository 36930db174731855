"""A single error of the state table costs neither a record nor the VPC of a deletion."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flowwarden.enforcer.creation import Creation, ManagedFlowLog
from flowwarden.enforcer.reconcile import Enforcer
from flowwarden.enforcer.triggers import trigger
from flowwarden.errors import StateUnavailable
from tests.enforcer.deletions import MINE, Account, assert_reported_once, deletion
from tests.enforcer.fakes import STACK, Fakes
from tests.enforcer.fakes_ec2 import FakeEc2
from tests.enforcer.runs import AT_ONCE, BORN, SWEEP, deliver, own
from tests.faults import Fault, Faults

AWAY = StateUnavailable("by the test")


@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.UNANSWERED])
@pytest.mark.parametrize("number", range(10))
def test_a_call_that_fails_once_costs_no_record(number: int, fault: Fault) -> None:
    """In a sweep over several VPCs: all that it creates is managed, also after the error."""
    fakes = Fakes(ec2=FakeEc2(own("vpc-1", "vpc-2", "vpc-3"), clock=BORN))
    faults = Faults(number, fault)
    registry = faults.port(fakes.registry, AWAY)
    Enforcer(replace(fakes.aws(), registry=registry), AT_ONCE, STACK).reconcile(SWEEP, BORN)
    managed = {each.flow_log_id for each in fakes.registry.of(ManagedFlowLog)}
    assert (managed, fakes.registry.of(Creation)) == ({"fl-new0", "fl-new1", "fl-new2"}, [])
    assert number < len(faults.calls)


def test_a_deletion_has_its_vpc_although_the_registry_cannot_be_read_at_once() -> None:
    """The call that reads it fails once, in the run of the event."""
    account = Account()
    account.delete()
    ports = replace(account.fakes.aws(), registry=Faults(0).port(account.fakes.registry, AWAY))
    service = Enforcer(ports, account.policy, STACK)
    report = service.reconcile(trigger.read(deletion(MINE, at=account.now), STACK), account.now)
    deliver(service, report, account.now)
    account.settle()
    assert_reported_once(account)


def test_without_the_table_the_vpc_of_a_deletion_is_unknown() -> None:
    """Two errors in a row count as a table that does not answer."""
    account = Account()
    account.delete()
    account.fakes.registry.broken = True
    ports = replace(account.fakes.aws(), registry=account.fakes.registry)
    report = Enforcer(ports, account.policy, STACK).reconcile(
        trigger.read(deletion(MINE), STACK), account.now
    )
    assert [(each.flow_log_id, each.vpc_id) for each in report.deletions] == [(MINE, "")]
