"""When an incident is over: by the times of records, not by the clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.dispatcher.over import (
    CHECK_SECONDS,
    INTERFACES_SECONDS,
    LATE_SECONDS,
    LONGEST_CHECK,
    SILENT_SECONDS,
    Verdict,
    judge,
    keys_of,
)
from flowwarden.notify.incident import Incident
from flowwarden.state import heartbeats, watermarks
from flowwarden.state.sets import DAY, HOUR, Sets, merged

NOW = 1_764_000_000
SEEN = NOW - 7200
ENI, OTHER = "eni-0123456789abcdef0", "eni-0123456789abcdef1"
INCIDENT = Incident(
    title="x",
    severity="high",
    detectors=("scan",),
    subject="10.0.0.5",
    log_group="group",
    last_seen=SEEN,
    resolve_after=3600,
    attributes={},
)


def records(*times: int, group: str = "group") -> dict[str, Sets]:
    """The items after records of these times were processed."""
    items: dict[str, Sets] = {}
    for each in times:
        addition = watermarks.addition(group, watermarks.slot_of(each))
        items[addition.key] = merged(items.get(addition.key, {}), addition.sets)
    return items


def beats(interface: str, at: int) -> dict[str, Sets]:
    """The item after an interface wrote at this time."""
    number = heartbeats.number_of(interface)
    assert number is not None
    (addition,) = heartbeats.additions("any group", {heartbeats.slot_of(at): [number]})
    return {addition.key: addition.sets}


@given(st.integers(0, 86_400), st.integers(0, 7200))
def test_it_is_over_when_records_go_on_for_its_wait(wait: int, after: int) -> None:
    """Whatever the clock says, a record of that time is needed."""
    incident = replace(INCIDENT, resolve_after=wait)
    processed = records(SEEN + after)
    watermark = (SEEN + after) // watermarks.SLOT * watermarks.SLOT
    verdict = judge(incident, processed, NOW).verdict
    assert (verdict is Verdict.OVER) == (watermark >= SEEN + wait)


def test_records_of_another_log_group_say_nothing() -> None:
    """The incident's own may be silent."""
    assert judge(INCIDENT, records(NOW, group="other"), NOW).verdict is Verdict.NO_DATA


def test_a_silent_log_group_resolves_nothing() -> None:
    """It is noted since when no records came, and checked again in half an hour."""
    silent = judge(INCIDENT, records(SEEN + 1200), SEEN + 1200 + LATE_SECONDS + watermarks.SLOT)
    since = (SEEN + 1200) // watermarks.SLOT * watermarks.SLOT
    assert (silent.verdict, silent.no_data_since) == (Verdict.NO_DATA, since)
    assert silent.check_at == SEEN + 1200 + LATE_SECONDS + watermarks.SLOT + SILENT_SECONDS
    never = judge(INCIDENT, {}, NOW)
    assert (never.verdict, never.no_data_since) == (Verdict.NO_DATA, SEEN)


def test_an_open_incident_is_checked_when_its_wait_ends() -> None:
    """Not each minute."""
    waiting = judge(replace(INCIDENT, resolve_after=10_000), records(NOW - 60), NOW)
    assert (waiting.verdict, waiting.check_at) == (Verdict.OPEN, watermarks.due_at(SEEN + 10_000))
    early = replace(INCIDENT, resolve_after=5400 - 1)
    late = judge(early, records(NOW - 3000), NOW)
    assert watermarks.due_at(SEEN + early.wait) <= NOW + CHECK_SECONDS
    assert (late.verdict, late.check_at) == (Verdict.OPEN, NOW + CHECK_SECONDS)
    silent = judge(replace(INCIDENT, interfaces=(ENI,)), records(NOW - 1200), NOW)
    assert (silent.verdict, silent.check_at) == (Verdict.OPEN, NOW + INTERFACES_SECONDS)


def test_while_records_lag_it_is_checked_when_they_can_be_enough() -> None:
    """The watermark moves as fast as the clock at most, but by whole slots."""
    lag = 3000
    watermark = (NOW - lag) // watermarks.SLOT * watermarks.SLOT
    ends = watermark + watermarks.SLOT + 1200
    waiting = judge(replace(INCIDENT, resolve_after=ends - SEEN), records(NOW - lag), NOW)
    assert (waiting.verdict, waiting.check_at) == (Verdict.OPEN, max(NOW + 1200, watermarks.due_at(ends)))


@pytest.mark.parametrize(
    ("wrote", "verdict"),
    [((ENI, OTHER), Verdict.OVER), ((ENI,), Verdict.OPEN), ((), Verdict.OPEN)],
)
def test_silent_interfaces_are_over_when_all_write_again(wrote: tuple[str, ...], verdict: Verdict) -> None:
    """One of them is not enough."""
    incident = replace(INCIDENT, interfaces=(ENI, OTHER))
    items: dict[str, Sets] = dict(records(NOW - 60))
    for each in wrote:
        for key, sets in beats(each, NOW).items():
            items[key] = merged(items.get(key, {}), sets)
    assert (
        judge(incident, {key: items[key] for key in keys_of(incident, NOW) if key in items}, NOW).verdict
        is verdict
    )


def test_interfaces_that_are_gone_for_ever_do_not_stay_open() -> None:
    """After a day of records without another finding: they may have been deleted."""
    incident = replace(INCIDENT, interfaces=(ENI,), last_seen=NOW - DAY - 600)
    assert judge(incident, records(NOW), NOW).verdict is Verdict.OVER
    assert judge(replace(incident, last_seen=NOW - DAY + 600), records(NOW), NOW).verdict is Verdict.OPEN


@pytest.mark.parametrize(
    ("silent", "wait"), [(HOUR, INTERFACES_SECONDS), (4 * HOUR, HOUR // 2), (20 * HOUR, LONGEST_CHECK)]
)
def test_a_long_silence_of_an_interface_is_checked_less_often(silent: int, wait: int) -> None:
    """Its end is noticed after an eighth of the silence, and after an hour at the latest."""
    incident = replace(INCIDENT, interfaces=(ENI,), last_seen=NOW - silent)
    judgment = judge(incident, records(NOW - 60), NOW)
    assert (judgment.verdict, judgment.check_at) == (Verdict.OPEN, NOW + wait)


@pytest.mark.parametrize(("silent", "wait"), [(3 * HOUR, SILENT_SECONDS), (DAY, LONGEST_CHECK)])
def test_a_long_silence_of_a_log_group_is_checked_less_often(silent: int, wait: int) -> None:
    """The same for its incidents."""
    judgment = judge(replace(INCIDENT, last_seen=NOW - silent), {}, NOW)
    assert (judgment.verdict, judgment.check_at) == (Verdict.NO_DATA, NOW + wait)


def test_a_heartbeat_before_the_silence_does_not_count() -> None:
    """Only slots after the incident was seen are read."""
    incident = replace(INCIDENT, interfaces=(ENI,), last_seen=NOW)
    assert judge(incident, records(NOW) | beats(ENI, NOW), NOW).verdict is Verdict.OPEN
