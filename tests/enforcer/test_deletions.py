"""Every deletion of a flow log is reported once, with the principal and the VPC, whatever follows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.enforcer.creation import ManagedFlowLog
from flowwarden.enforcer.registry import KnownFlowLog
from flowwarden.enforcer.state.desired import BACKOFF_TAG
from flowwarden.errors import CallFailed
from tests.enforcer.deletions import (
    RETRY_EVENT,
    SWEEP,
    THEIRS,
    VICTIMS,
    Account,
    assert_reported_once,
    decoy,
    deletion,
    exempt,
    lose_reports,
)
from tests.enforcer.fakes import TAGS
from tests.enforcer.runs import BORN, FORBIDDEN, THROTTLED
from tests.examples import examples


def twice(account: Account) -> None:
    """Deliver the event once before."""
    account.invoke(deletion(account.victim.flow_log_id, at=account.now))


def gone(account: Account) -> None:
    """Delete the VPC, too, and let a sweep see that first."""
    account.ec2.vpcs_listed = account.ec2.vpcs_listed[1:]
    account.invoke(SWEEP)


CIRCUMSTANCES: dict[str, Callable[[Account], object]] = {
    "nothing else": lambda _: None,
    "a decoy": decoy,
    "a decoy elsewhere": lambda account: decoy(account, log_group_name="another"),
    "a tagged twin": lambda account: decoy(account, tags=TAGS),
    "a twin that holds replacements": lambda account: decoy(
        account, tags=TAGS | {BACKOFF_TAG: f"0a0b0c0d until {account.now + 3600}"}
    ),
    "an exemption": exempt,
    "the event twice": twice,
    "a sweep before the event": lambda account: account.invoke(SWEEP),
    "sweeps and retries before the event": lambda account: [
        account.invoke(each, 600) for each in (SWEEP, RETRY_EVENT, SWEEP, RETRY_EVENT)
    ],
    "the VPC deleted": gone,
    "EC2 still lists it": lambda account: account.ec2.existing.append(account.victim),
    "a creation that is throttled": lambda account: account.ec2.create_faults.update({"vpc-1": THROTTLED}),
    "a creation that is refused": lambda account: account.ec2.create_faults.update({"vpc-1": FORBIDDEN}),
    "no time": lambda account: setattr(account.fakes.clock, "left", 1),
    "a report that cannot be sent": lose_reports,
    "a list that fails": lambda account: setattr(account.ec2, "list_fault", CallFailed("InternalError")),
}


@pytest.mark.matrix(20)
@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("circumstance", CIRCUMSTANCES)
def test_a_deletion_is_reported_once_under_every_circumstance(circumstance: str, victim: str) -> None:
    """Later sweeps and retries do not repeat it."""
    account = Account(VICTIMS[victim])
    if victim == "of a subnet":
        known = KnownFlowLog(flow_log_id=THEIRS, resource_ids=("subnet-1",), vpc_id="vpc-1")
        account.fakes.registry.put(known)
    account.delete()
    deleted_at = account.now
    CIRCUMSTANCES[circumstance](account)
    account.invoke(deletion(account.victim.flow_log_id, at=deleted_at))
    account.ec2.list_fault = None
    account.ec2.create_faults = {}
    account.settle()
    assert_reported_once(account)
    if circumstance != "EC2 still lists it":
        records = account.fakes.registry.of(ManagedFlowLog)
        assert account.victim.flow_log_id not in {each.flow_log_id for each in records}


STEPS: dict[str, Callable[[Account], object]] = {
    "sweep": lambda account: account.invoke(SWEEP, 300),
    "retry": lambda account: account.invoke(RETRY_EVENT, 300),
    "event": lambda account: account.invoke(deletion(account.victim.flow_log_id, at=BORN + 3600), 30),
    "exempt": exempt,
    "decoy": decoy,
    "unsent": lose_reports,
    "refused": lambda account: account.ec2.create_faults.update({"vpc-1": FORBIDDEN}),
    "listed": lambda account: account.ec2.existing.append(account.victim),
    "unlisted": lambda account: account.delete(),
}


@given(
    st.sampled_from(["managed", "of others", "tagged, not recorded"]),
    st.lists(st.sampled_from(sorted(STEPS)), max_size=8),
)
@examples(1)
def test_a_deletion_is_reported_once_in_every_order(victim: str, steps: list[str]) -> None:
    """Events, sweeps, retries, faults and other changes of the account, in any order, within an hour."""
    account = Account(VICTIMS[victim])
    account.delete()
    for each in steps:
        STEPS[each](account)
    account.delete()
    account.fakes.sink.away = False
    account.invoke(deletion(account.victim.flow_log_id, at=BORN + 3600), 30)
    account.settle()
    assert_reported_once(account)
