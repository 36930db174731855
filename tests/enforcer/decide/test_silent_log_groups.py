"""Silent log groups: which are reported and which are not."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from flowwarden.enforcer.decide.delivery import slots
from flowwarden.enforcer.decide.silent_log_groups import (
    EXPECTED_SECONDS,
    SilentGroup,
    describe,
    silent_groups,
)
from flowwarden.enforcer.reporting.shortened import REASON_CHARACTERS
from flowwarden.enforcer.state.inventory import FlowLog
from tests.enforcer.cases import (
    ACTIVE,
    ALTERNATE_GROUP,
    NOW,
    OTHER,
    VPC,
    WANTED,
    but,
    seen,
    unmanaged,
    vpc_state,
)
from tests.enforcer.fakes import GROUP, STACK

NOTHING: dict[str, Any] = {
    group: dict.fromkeys(slots(NOW), frozenset[int]()) for group in (GROUP, ALTERNATE_GROUP, "theirs")
}
"""The evidence in the state table if no interface wrote."""


def silent(*flow_logs: FlowLog, **changes: Any) -> list[SilentGroup]:
    """The silent groups of one VPC, by default with an active interface."""
    return list(
        silent_groups([vpc_state(*flow_logs, **{"interfaces": (ACTIVE,), "seen": NOTHING} | changes)])
    )


@pytest.mark.parametrize(
    "flow_log",
    [
        WANTED,
        unmanaged(),
        but(log_format="${version}"),
        but(creation_time=NOW - EXPECTED_SECONDS),
        but(resource_id=ACTIVE.interface_id),
    ],
)
def test_a_group_without_records_is_reported(flow_log: FlowLog) -> None:
    """The flow log is old enough, and wanted or managed; it belongs to the VPC or to a part of it."""
    assert silent(flow_log) == [SilentGroup(group=GROUP, flow_logs=(flow_log,))]


@pytest.mark.parametrize(
    "flow_log",
    [
        but(creation_time=NOW - EXPECTED_SECONDS + 1),
        but(creation_time=None),
        but(deliver_logs_status="FAILED"),
        unmanaged(log_format="${version}"),
        but(log_group_name="theirs"),
        but(resource_id="subnet-2"),
    ],
)
def test_a_flow_log_that_need_not_write_does_not_count(flow_log: FlowLog) -> None:
    """Too young, of unknown age, failing, unwanted, in a group that is not read, of an empty subnet."""
    assert silent(flow_log) == []


def test_a_group_without_an_active_interface_is_not_reported() -> None:
    """No records are expected."""
    assert silent(WANTED, interfaces=()) == []
    for state in (False, None):
        assert silent(WANTED, interfaces=(replace(ACTIVE, active=state),)) == []
    came = NOW - EXPECTED_SECONDS
    assert silent(WANTED, interfaces=(replace(ACTIVE, since=came + 1),)) == []
    assert silent(WANTED, interfaces=(replace(ACTIVE, since=came),)) != []


def test_a_record_in_any_checked_slot_shows_that_the_monitor_reads_the_group() -> None:
    """Each flow log is then judged by itself; missing evidence does not count as silence."""
    once = {slot: frozenset({1} if slot == slots(NOW)[0] else ()) for slot in slots(NOW)}
    evidence: list[dict[str, Any]] = [seen(OTHER), {GROUP: once}, {GROUP: {}}, {}]
    for written in evidence:
        assert silent(WANTED, seen=written) == []


def test_each_group_is_reported_once_for_any_number_of_vpcs() -> None:
    """A group with records is not reported."""
    cases = []
    for number in range(5):
        vpc = replace(VPC, vpc_id=f"vpc-{number}")
        logs = (
            but(
                flow_log_id=f"fl-{number}",
                resource_id=vpc.vpc_id,
                log_group_name=(GROUP, ALTERNATE_GROUP)[number % 2],
            ),
        )
        cases.append(
            vpc_state(
                *logs, vpc=vpc, interfaces=(ACTIVE,), seen=NOTHING | {ALTERNATE_GROUP: seen(OTHER)[GROUP]}
            )
        )
    (found,) = silent_groups(cases)
    assert (found.group, [each.flow_log_id for each in found.flow_logs]) == (GROUP, ["fl-0", "fl-2", "fl-4"])


def test_the_description_contains_causes_and_remedies() -> None:
    """It fits into a notification without truncation, for any number of flow logs."""
    text = describe(SilentGroup(group=GROUP, flow_logs=(WANTED,) * 300), STACK)
    for part in ("fl-1 of vpc-1", "298 more", "subscription filter", "delivery role", "state-unavailable"):
        assert part in text
    assert len(text) < REASON_CHARACTERS
