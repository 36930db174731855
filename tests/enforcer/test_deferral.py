"""Work that a run defers to a later one: its outcomes and work items."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flowwarden.enforcer.deferral import new_vpcs, unlisted
from flowwarden.enforcer.reporting.report import Result
from flowwarden.enforcer.triggers.trigger import NewVpc, Trigger
from flowwarden.errors import CallFailed, CallRefused
from tests.enforcer.fakes import ACCOUNT, STACK
from tests.enforcer.runs import BIRTH, BORN, RETRY, SWEEP


def test_a_new_vpc_of_this_account_waits_until_its_grace_period_ends() -> None:
    """This excludes VPCs of other accounts, an expired grace period and a policy without one."""
    shared = NewVpc(vpc_id="vpc-2", owner_id="444455556666")
    both = replace(BIRTH, vpcs=(NewVpc(vpc_id="vpc-1", owner_id=ACCOUNT), shared))
    (waits,) = new_vpcs(both, 5, STACK, BORN + 10)
    assert (waits.outcome.vpc_id, waits.outcome.result) == ("vpc-1", Result.PENDING)
    assert waits.requeue_after is not None
    assert (waits.requeue_after.due, waits.requeue_after.grace_until) == (BORN + 300, BORN + 300)
    assert new_vpcs(both, 5, STACK, BORN + 300) == []
    assert new_vpcs(both, 0, STACK, BORN) == []


@pytest.mark.parametrize(
    ("trigger", "error", "queued"),
    [
        (BIRTH, CallFailed("x"), ["vpc-1"]),
        (BIRTH, CallRefused("x"), []),
        (RETRY, CallFailed("x"), []),
        (SWEEP, CallFailed("x"), []),
    ],
)
def test_a_failed_listing_requeues_named_vpcs_if_it_may_be_transient(
    trigger: Trigger, error: Exception, queued: list[str]
) -> None:
    """The VPCs of a retry are queued already; a sweep starts again."""
    found = unlisted(["vpc-1"] if trigger is not SWEEP else None, trigger, error, BORN)
    assert [each.outcome.result for each in found] == [Result.FAILED]
    assert [each.requeue_after.vpc_id for each in found if each.requeue_after] == queued
    assert found[0].outcome.retryable is isinstance(error, CallFailed)
    assert found[0].outcome.vpc_id == ("vpc-1" if trigger is BIRTH else None)
