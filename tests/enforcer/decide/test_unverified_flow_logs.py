"""Flow logs that are never proven: which are told of, and which are not."""

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
from flowwarden.enforcer.reporting.notification import REASON_CHARACTERS
from flowwarden.enforcer.state.inventory import FlowLog
from flowwarden.network.interface import NetworkInterface
from tests.enforcer.cases import ACTIVE, NOW, OTHER, WANTED, but, foreign, seen, vpc_state
from tests.enforcer.fakes import GROUP

UNKNOWN = replace(ACTIVE, active=None)


def found(*flow_logs: FlowLog, **changes: Any) -> list[FlowLog]:
    """What is found of a VPC whose interface nobody can tell of, while others write."""
    known: dict[str, Any] = {"interfaces": (UNKNOWN,), "seen": seen(OTHER)}
    case = vpc_state(*flow_logs, **known | changes)
    return list(long_unproven([(case, judge(case))]))


def test_a_flow_log_that_nothing_is_seen_of_for_a_day_is_told_of() -> None:
    """Though nobody can tell whether anything should write, or whether the monitor read all the time."""
    for each in (WANTED, but(creation_time=NOW - TOO_LONG_SECONDS)):
        assert found(each) == [each]
    gap = {GROUP: dict.fromkeys(list(slots(NOW))[1:], frozenset({1}))}
    assert found(WANTED, interfaces=(ACTIVE,), seen=gap) == [WANTED]
    assert found(WANTED, foreign(log_group_name="theirs"), foreign_is_enough=True) == [WANTED]


@pytest.mark.parametrize(
    "flow_log",
    [
        but(creation_time=NOW - TOO_LONG_SECONDS + 1),
        but(creation_time=None),
        but(deliver_logs_status="FAILED"),
        but(log_format="${version}"),
        foreign(),
    ],
)
def test_what_is_young_not_wanted_or_not_ours_is_none(flow_log: FlowLog) -> None:
    """The rest is told otherwise, or is somebody else's business."""
    assert found(flow_log) == []


@pytest.mark.parametrize(
    "interfaces",
    [(), (replace(ACTIVE, active=False),), (replace(UNKNOWN, since=NOW - SILENCE_SECONDS + 1),)],
)
def test_where_nothing_may_have_written_for_long_there_is_nothing_to_tell(
    interfaces: tuple[NetworkInterface, ...],
) -> None:
    """No interface, one that is known to be inactive, one that came a moment ago."""
    assert found(WANTED, interfaces=interfaces) == []


def test_what_is_seen_or_is_not_known_is_not_told() -> None:
    """Records prove it; and without the state table nobody knows who wrote."""
    cases: list[dict[str, Any]] = [seen(UNKNOWN.interface_id), {}, {GROUP: {}}]
    for written in cases:
        assert found(WANTED, seen=written) == []


def test_people_are_told_of_all_of_them_at_once() -> None:
    """Whole in a notification, whatever number there is."""
    text = describe([WANTED] * 300)
    for part in ("fl-1 of vpc-1", "297 more", "the log group", "delete the flow log"):
        assert part in text
    assert len(text) < REASON_CHARACTERS
    assert (subject_of([WANTED]), subject_of([WANTED] * 2)) == ("fl-1", "2 flow logs")
