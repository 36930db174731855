"""Watermarks: up to when the records of a log group were processed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flowwarden.state import watermarks
from flowwarden.state.sets import DAY, Sets, merged

NOW = 1_764_000_000
TIMES = st.lists(st.integers(NOW - DAY, NOW), min_size=1, max_size=20)


def stored(times: list[int]) -> dict[str, Sets]:
    """The items after records of these times were processed."""
    items: dict[str, Sets] = {}
    for each in times:
        addition = watermarks.addition("group", watermarks.slot_of(each))
        items[addition.key] = merged(items.get(addition.key, {}), addition.sets)
    return items


@given(TIMES)
def test_the_watermark_is_the_begin_of_the_latest_slot(times: list[int]) -> None:
    """In whatever order the records were processed, and how often."""
    items = {key: stored(times)[key] for key in watermarks.keys("group", NOW) if key in stored(times)}
    assert watermarks.watermark(items, NOW) == max(times) // watermarks.SLOT * watermarks.SLOT


def test_later_slots_do_not_count() -> None:
    """A clock that is ahead must not resolve incidents."""
    before = NOW - watermarks.SLOT
    expected = before // watermarks.SLOT * watermarks.SLOT
    assert watermarks.watermark(stored([before, NOW + 3600]), NOW) == expected


def test_without_items_nothing_is_known() -> None:
    """No records were processed since yesterday."""
    assert watermarks.watermark({}, NOW) is None


@given(st.integers(NOW - DAY, NOW))
def test_a_time_is_due_once_records_of_the_next_slot_can_have_arrived(seconds: int) -> None:
    """The watermark is the begin of a slot, so it reaches a time only with the next one."""
    begin = watermarks.due_at(seconds) - watermarks.ARRIVE_SECONDS
    assert begin % watermarks.SLOT == 0
    assert 0 <= begin - seconds < watermarks.SLOT
