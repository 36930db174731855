"""API calls that name many flow logs, while each access to the state table takes two seconds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import pytest
from msgspec.structs import replace

from flowwarden.enforcer.deletion_call import DeletionCall
from flowwarden.enforcer.deletions import REPORTED_AT_MOST, STORED_APART
from flowwarden.enforcer.reconcile import Enforcer
from flowwarden.enforcer.registry import DeletedFlowLog, KnownFlowLog
from flowwarden.enforcer.triggers import trigger
from flowwarden.enforcer.triggers.cloudtrail import ApiCaller
from tests.enforcer.deletions import EVE, SWEEP, Account, call, deletion, section
from tests.enforcer.fakes import STACK, FakeRunClock
from tests.enforcer.runs import deliver
from tests.notify.fakes import CrashError

SECONDS: Final = 2
MANY: Final = [f"fl-{number:04}" for number in range(1000)]


class Slow:
    """A port of the state table whose calls take time; the function ends when no time is left."""

    def __init__(self, port: Any, clock: FakeRunClock, seconds: float = SECONDS) -> None:
        self._port, self._clock, self._seconds = port, clock, seconds

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        return partial(self._call, found) if callable(found) else found

    def _call(self, method: Callable[..., Any], *given: Any, **named: Any) -> Any:
        self._clock.left -= self._seconds
        if self._clock.left <= 0:
            raise CrashError("the function timed out")
        return method(*given, **named)


def run(account: Account, event: dict[str, Any], seconds: float = SECONDS) -> None:
    """One attempt at an event, with a slow table; raises CrashError if it takes too long."""
    account.fakes.clock.left = 300
    ports, clock = account.fakes.aws(), account.fakes.clock
    names = ("evidence", "queue", "registry", "claims", "outbox")
    slow = replace(ports, **{name: Slow(getattr(ports, name), clock, seconds) for name in names})
    attempt(account, Enforcer(slow, account.policy, STACK), event)


def attempt(account: Account, service: Enforcer, event: dict[str, Any]) -> None:
    """Reconcile and send the report."""
    deliver(service, service.reconcile(trigger.read(event, STACK), account.now), account.now)


def counted(account: Account) -> list[str]:
    """The lines about deletions of all notifications, without those that say how many more there are."""
    lines = [line for each in account.fakes.sink.sent for line in section(each.text)]
    return [line for line in lines if line.startswith("- fl-")]


@pytest.mark.parametrize("number", [STORED_APART, STORED_APART + 1, 1000])
def test_a_deletion_of_many_flow_logs_is_reported_with_the_principal(number: int) -> None:
    """The first run reports some of them, and the next ones report the rest."""
    account = Account()
    for each in MANY[:number]:
        account.fakes.registry.put(KnownFlowLog(flow_log_id=each, resource_ids=("vpc-1",), vpc_id="vpc-1"))
    sent = len(account.fakes.sink.sent)
    run(account, deletion(*MANY[:number], at=account.now))
    (report,) = account.fakes.sink.sent[sent:]
    assert EVE in report.text
    assert report.document["deletions_later"] == max(0, number - REPORTED_AT_MOST)
    for _ in range(5):
        account.now += 3600
        run(account, SWEEP)
    assert account.known_to_be_reported == {*MANY[:number]}
    assert all("vpc-1" in line and f"deleted by {EVE}" in line for line in counted(account))


@pytest.mark.parametrize("seconds", [0.5, 1, 2, 5, 6.5])
@pytest.mark.parametrize("number", [30, 150, 300])
def test_many_deletions_by_single_calls_are_reported_once(number: int, seconds: float) -> None:
    """Claims, their confirmations and the marks of the deletions all need the table."""
    account = Account()
    caller = ApiCaller(event_name="DeleteFlowLogs", actor=EVE, event_id="d")
    for each in MANY[:number]:
        entry = DeletedFlowLog(
            flow_log_id=each, resource_ids=("vpc-1",), vpc_id="vpc-1", at=account.now - 7200, caller=caller
        )
        account.fakes.registry.put(entry)
    sent = len(account.fakes.sink.sent)
    for _ in range(3):
        run(account, SWEEP, seconds)
        account.now += 3600
    (report,) = account.fakes.sink.sent[sent:]
    assert f"FLOW LOGS DELETED ({number})" in report.text
    assert account.known_to_be_reported == {*MANY[:number]}


def test_a_large_deletion_is_one_item() -> None:
    """A small one is an item for each flow log. A repeated delivery adds nothing."""
    account = Account()
    for _ in range(2):
        run(account, deletion(*MANY, at=account.now))
    registry = account.fakes.registry
    (stored,) = registry.of(DeletionCall)
    assert (stored.flow_log_ids, stored.caller.actor) == (tuple(MANY), EVE)
    assert registry.of(DeletedFlowLog) == []
    run(account, deletion(*MANY[:STORED_APART], at=account.now, number="d2"))
    assert len(registry.of(DeletionCall)) == 1
    assert {each.flow_log_id for each in registry.of(DeletedFlowLog)} == {*MANY[:STORED_APART]}


def test_a_run_that_ends_early_has_stored_who_deleted_the_flow_logs() -> None:
    """Its retries may end early too; the next sweep reports them."""
    account = Account()
    for seconds in (7, 8, 10):
        ports, clock = account.fakes.aws(), account.fakes.clock
        clock.left = seconds
        slow = replace(ports, registry=Slow(ports.registry, clock), queue=Slow(ports.queue, clock),
                       claims=Slow(ports.claims, clock), outbox=Slow(ports.outbox, clock))  # fmt: skip
        with pytest.raises(CrashError):
            attempt(account, Enforcer(slow, account.policy, STACK), deletion(*MANY, at=account.now))
    account.invoke(SWEEP)
    assert len(account.known_to_be_reported) == REPORTED_AT_MOST
    assert EVE in account.fakes.sink.sent[-1].text


def test_a_creation_of_many_flow_logs_ends_in_time() -> None:
    """It notes some of them; the next sweep lists and notes the others."""
    account = Account()
    request = {"ResourceId": [{"tag": tag, "content": f"vpc-{tag}"} for tag in range(1000)]}
    response = {"flowLogIdSet": {"item": MANY}, "unsuccessful": ""}
    run(account, call("CreateFlowLogs", account.now, request, response, "c1"))
    noted = {each.flow_log_id for each in account.fakes.registry.of(KnownFlowLog)} & {*MANY}
    assert 0 < len(noted) < len(MANY)
