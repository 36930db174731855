"""Flow logs that stay unverified: which are reported and which are not."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from flowwarden.enforcer.decide.coverage import judge
from flowwarden.enforcer.decide.delivery import SILENCE_SECONDS, slots
from flowwarden.enforcer.decide.unverified_flow_logs import (
    TOO_LONG_SECONDS,
    describe,
    long_unproven,
    subject_of,
)
from flowwarden.enforcer.reporting.shortened import REASON_CHARACTERS
from flowwarden.enforcer.state.inventory import FlowLog
from flowwarden.network.interface import NetworkInterface
from tests.enforcer.cases import ACTIVE, NOW, OTHER, WANTED, but, seen, unmanaged, vpc_state
from tests.enforcer.fakes import GROUP

UNKNOWN = replace(ACTIVE, active=None)


def found(*flow_logs: FlowLog, **changes: Any) -> list[FlowLog]:
    """The overdue flow logs of a VPC with an interface of unknown activity, while others write."""
    known: dict[str, Any] = {"interfaces": (UNKNOWN,), "seen": seen(OTHER)}
    case = vpc_state(*flow_logs, **known | changes)
    return list(long_unproven([(case, judge(case))]))


def test_a_flow_log_without_records_for_a_day_is_reported() -> None:
    """It is reported even if interface activity is unknown or the monitor did not read the whole time."""
    for each in (WANTED, but(creation_time=NOW - TOO_LONG_SECONDS)):
        assert found(each) == [each]
    gap = {GROUP: dict.fromkeys(list(slots(NOW))[1:], frozenset({1}))}
    assert found(WANTED, interfaces=(ACTIVE,), seen=gap) == [WANTED]
    assert found(WANTED, unmanaged(log_group_name="theirs"), adopted={"theirs": 0}) == [WANTED]


@pytest.mark.parametrize(
    "flow_log",
    [
        but(creation_time=NOW - TOO_LONG_SECONDS + 1),
        but(creation_time=None),
        but(deliver_logs_status="FAILED"),
        but(log_format="${version}"),
        unmanaged(),
    ],
)
def test_a_young_unwanted_or_unmanaged_flow_log_is_not_reported(flow_log: FlowLog) -> None:
    """Such flow logs are reported otherwise, or belong to others."""
    assert found(flow_log) == []


@pytest.mark.parametrize(
    "interfaces",
    [(), (replace(ACTIVE, active=False),), (replace(UNKNOWN, since=NOW - SILENCE_SECONDS + 1),)],
)
def test_a_flow_log_without_a_long_active_interface_is_not_reported(
    interfaces: tuple[NetworkInterface, ...],
) -> None:
    """It has no interface, an inactive one, or a new one."""
    assert found(WANTED, interfaces=interfaces) == []


def test_a_verified_flow_log_or_one_without_evidence_is_not_reported() -> None:
    """Records verify it; without the state table, activity is unknown."""
    cases: list[dict[str, Any]] = [seen(UNKNOWN.interface_id), {}, {GROUP: {}}]
    for written in cases:
        assert found(WANTED, seen=written) == []


def test_the_description_covers_all_flow_logs() -> None:
    """It fits into a notification without truncation, for any number of flow logs."""
    text = describe([WANTED] * 300)
    for part in ("fl-1 of vpc-1", "297 more", "the log group", "delete the flow log"):
        assert part in text
    assert len(text) < REASON_CHARACTERS
    assert (subject_of([WANTED]), subject_of([WANTED] * 2)) == ("fl-1", "2 flow logs")
