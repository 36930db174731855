"""Sweeps note which flow logs exist: after they cover the VPCs, in bounded steps, and losing none."""

from __future__ import annotations

from itertools import product
from typing import Final

import pytest
from msgspec.structs import replace

from flowwarden.enforcer.creation import ManagedFlowLog
from flowwarden.enforcer.deletions import NOTED_AT_MOST, REPORT_SECONDS
from flowwarden.enforcer.deletions import REPORTED_AT_MOST as DELETIONS_AT_MOST
from flowwarden.enforcer.reconcile import Enforcer
from flowwarden.enforcer.registry import DeletedFlowLog, KnownFlowLog
from flowwarden.enforcer.reporting.recurring import REPORTED_AT_MOST as NOTICES_AT_MOST
from flowwarden.errors import CallFailed, StateUnavailable
from tests.enforcer.deletions import lines_about
from tests.enforcer.fakes import STACK, Fakes
from tests.enforcer.fakes_ec2 import FakeEc2
from tests.enforcer.runs import AT_ONCE, BORN, SWEEP, deliver, existing, own
from tests.faults import Fault, Faults
from tests.notify.fakes import CrashError

HOUR: Final = 3600
OLD: Final = BORN - 9999
AWAY: Final = StateUnavailable("the table does not answer")
FAILED: Final = CallFailed("InternalError, by the test")
MANY: Final = NOTED_AT_MOST + 7


def others(number: int) -> list[str]:
    """Ids of unmanaged flow logs."""
    return [f"fl-other-{each}" for each in range(number)]


def account(number: int = 2) -> Fakes:
    """vpc-1 has no flow log, vpc-2 lost its own, and vpc-3 has some of others."""
    flow_logs = [
        existing("vpc-3", flow_log_id=each, log_group_name="theirs", tags={}, creation_time=OLD)
        for each in others(number)
    ]
    fakes = Fakes(ec2=FakeEc2(own("vpc-1", "vpc-2", "vpc-3"), flow_logs, clock=BORN))
    fakes.registry.record(existing("vpc-2", flow_log_id="fl-lost"))
    return fakes


def sweep(fakes: Fakes, now: int, faults: Faults | None = None) -> None:
    """One sweep in a new container, with its report."""
    ports, faults = fakes.aws(), faults or Faults()
    ports = replace(
        ports,
        ec2=faults.port(fakes.ec2, FAILED, local={"unread"}),
        registry=faults.port(fakes.registry, AWAY),
        groups=faults.port(fakes.groups, FAILED),
        queue=faults.port(fakes.queue, AWAY),
    )
    service = Enforcer(ports, AT_ONCE, STACK)
    report = service.reconcile(replace(SWEEP, idempotency_key=f"at {now}"), now)
    deliver(service, report, now)


def noted(fakes: Fakes) -> set[str]:
    """What sweeps noted of others, and as missing."""
    missed = {each.flow_log_id for each in fakes.registry.of(DeletedFlowLog) if each.caller is None}
    return missed | {each.flow_log_id for each in fakes.registry.of(KnownFlowLog)}


def covered(fakes: Fakes) -> set[str]:
    """The VPCs that got a flow log."""
    assert isinstance(fakes.ec2, FakeEc2)
    return {vpc_id for vpc_id, _ in fakes.ec2.created}


def calls_of_a_sweep() -> list[str]:
    """The calls of a sweep without a fault."""
    faults = Faults()
    sweep(account(), BORN, faults)
    return faults.calls


@pytest.mark.parametrize("fault", Fault)
def test_whichever_call_fails_nothing_is_noted_before_the_vpcs_are_covered_and_nothing_is_lost(
    fault: Fault,
) -> None:
    """Each call of the sweep fails once, or ends it; later sweeps cover, note and report everything."""
    calls = calls_of_a_sweep()
    assert "MemoryRegistry.put" in calls
    for number in range(len(calls)):
        fakes = account()
        try:
            sweep(fakes, BORN, Faults(number, fault))
        except CrashError:
            assert fault.crashes
            assert noted(fakes) == set() or {"vpc-1", "vpc-2"} <= covered(fakes), (number, calls[number])
        for later in range(1, 5):
            fakes.clock.left = 300
            sweep(fakes, BORN + later * HOUR)
        assert covered(fakes) >= {"vpc-1", "vpc-2"}
        assert {"fl-lost", *others(2)} <= noted(fakes)
        assert len(lines_about(fakes, "fl-lost")) == 1, (number, calls[number])


def test_a_sweep_covers_before_it_notes_anything() -> None:
    """The notes follow the last CreateFlowLogs."""
    fakes, faults = account(40), Faults()
    sweep(fakes, BORN, faults)
    last = max(at for at, name in enumerate(faults.calls) if name == "FakeEc2.create")
    after = [name for name in faults.calls[last:] if name == "MemoryRegistry.put"]
    assert len(after) >= len(noted(fakes)) == 41


def test_a_sweep_notes_a_bounded_number_and_the_next_ones_go_on() -> None:
    """New unmanaged flow logs, and as many that are gone."""
    fakes = account(MANY)
    for each in range(MANY):
        fakes.registry.put(
            KnownFlowLog(flow_log_id=f"fl-gone-{each}", resource_ids=("vpc-3",), vpc_id="vpc-3")
        )
    everything = {"fl-lost", *others(MANY), *(f"fl-gone-{each}" for each in range(MANY))}
    for later in range(12):
        before = fakes.registry.writes
        fakes.clock.left = 300
        sweep(fakes, BORN + later * HOUR)
        creations = 4 * len(fakes.registry.of(ManagedFlowLog))
        marks = DELETIONS_AT_MOST + NOTICES_AT_MOST
        assert fakes.registry.writes - before <= NOTED_AT_MOST + marks + creations
    assert everything <= noted(fakes) | {each.flow_log_id for each in fakes.registry.of(DeletedFlowLog)}


def test_without_time_nothing_is_noted_and_the_next_sweep_does_it() -> None:
    """The time that is left belongs to the report."""
    fakes = account()
    fakes.clock.left = REPORT_SECONDS - 1
    sweep(fakes, BORN)
    assert noted(fakes) == set()
    fakes.clock.left = 300
    sweep(fakes, BORN + HOUR)
    assert noted(fakes) == {"fl-lost", *others(2)}


@pytest.mark.parametrize(("number", "later"), [*product([1, MANY], [HOUR, 2 * HOUR])])
def test_a_flow_log_that_is_listed_again_is_never_reported_as_missing(number: int, later: int) -> None:
    """Also if a sweep takes back only some of the notes, because there are many."""
    fakes = account(number)
    sweep(fakes, BORN - HOUR)
    for each in others(number):
        fakes.registry.put(DeletedFlowLog(flow_log_id=each, resource_ids=("vpc-3",), vpc_id="vpc-3", at=BORN))
    for run in (0, HOUR, 2 * HOUR):
        fakes.clock.left = 300
        sweep(fakes, BORN + later + run)
    assert [line for each in others(number)[-8:] for line in lines_about(fakes, each)] == []
    assert {each.flow_log_id for each in fakes.registry.of(DeletedFlowLog)} == {"fl-lost"}
