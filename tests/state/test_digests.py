"""What the digests say of an hour: when it is closed, and what is read from damaged items."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flowwarden.state import digests
from flowwarden.state.digests import (
    BATCHES,
    COUNTS,
    GRACE,
    GROUPS,
    NOTHING,
    SETTLE,
    Content,
    Group,
    Kept,
    Row,
    Source,
    Target,
)
from flowwarden.state.sets import DAY, HOUR

SWEEP = Group("ping-sweep", "vpc-1", "10.0.0.5", "own", "icmp")
KNOCK = Group("internet-to-admin-port", "", "10.0.0.6", "internet", "tcp/22")


def hour(*seen: tuple[Group, str], kept: frozenset[int] = frozenset()) -> Content:
    """An hour with these groups in these batches."""
    numbers = {BATCHES: frozenset(group.mark(batch) for group, batch in seen), COUNTS: kept}
    return Content(numbers, {GROUPS: frozenset(group.text for group, _ in seen)})


def test_a_finding_of_a_report_only_detector_is_another_group() -> None:
    """What was stored before there were such detectors is the same group as now."""
    on_trial = replace(SWEEP, report_only=True)
    assert SWEEP.text == '["ping-sweep","vpc-1","10.0.0.5","own","icmp"]'
    assert digests.groups_of(hour((SWEEP, "a"), (on_trial, "a"), (on_trial, "b")), NOTHING) == {
        SWEEP: 1,
        on_trial: 2,
    }


def test_records_count_in_their_own_hour_until_it_is_closed() -> None:
    """Then they count in the oldest hour that is not closed; the future counts as now."""
    end = 101 * HOUR
    assert digests.hour_for(end - 1, end + GRACE - 1) == 100
    assert digests.hour_for(end - 1, end + GRACE) == 101
    assert digests.hour_for(end - 30 * HOUR, end + GRACE) == 101
    assert digests.hour_for(end + 9 * DAY, end - 1) == 100


@pytest.mark.parametrize("now", [0, 1, GRACE, HOUR, 5 * DAY, 5 * DAY + GRACE + SETTLE])
def test_no_hour_is_read_before_it_is_closed(now: int) -> None:
    """Nor is a day read while a container may write one of its hours."""
    first = 100 * DAY + now
    assert digests.closes_at(digests.readable(first)) <= first - SETTLE
    assert digests.hour_for(0, first) > digests.readable(first)
    last = digests.readable_day(first) * 24 + 23
    assert digests.writable_until(last) < first


def test_a_batch_that_is_processed_twice_counts_once() -> None:
    """By two containers, and in the next hour again."""
    first = hour((SWEEP, "a"), (SWEEP, "b")).joined(hour((SWEEP, "b")))
    assert digests.groups_of(first, NOTHING) == {SWEEP: 2}
    assert digests.groups_of(hour((SWEEP, "b"), (KNOCK, "c")), first) == {KNOCK: 1}


def test_findings_that_were_not_sent_are_summed_over_batches() -> None:
    """A batch that is processed twice counts with the larger number."""
    counts = [(Kept.SUPPRESSED, "a", 3), (Kept.SUPPRESSED, "a", 2), (Kept.SUPPRESSED, "b", 1)]
    kept = frozenset(digests.count_number(*each) for each in [*counts, (Kept.MUTED, "a", 70_000)])
    first = hour(kept=kept)
    assert digests.counts_of(first, NOTHING) == {Kept.SUPPRESSED: 4, Kept.MUTED: 65_535, Kept.INHIBITED: 0}
    assert set(digests.counts_of(first, first).values()) == {0}


@pytest.mark.parametrize(
    "row", [SWEEP, KNOCK, Source("2001:db8::1", 7, 2, (1 << 16 | 5,)), Target("10.0.0.1", 3)]
)
def test_a_row_is_read_as_it_was_written(row: Row) -> None:
    """Texts that contain the syntax of JSON, too."""
    assert list(type(row).read([row.text])) == [row]
    odd = Group("scan", "", '"],["', "", "\u202e")
    assert list(Group.read([odd.text])) == [odd]


DAMAGED = [
    "",
    "x",
    "[",
    "[]",
    "null",
    "{}",
    "[1,2,3,4,5]",
    '["scan","","10.0.0.1",""]',
    '["Scan and\\n more","","10.0.0.1","",""]',
    '["203.0.113.9",-1,1,[]]',
    '["203.0.113.9",99,1,[]]',
    '["203.0.113.9",1,1,[-5]]',
    '["fe80::1%]\\u202e",1,1,[]]',
    '["not an address",1,1,[]]',
    '["203.0.113.9",1.5,1,[]]',
    '["10.0.0.1",1e9]',
    "[" * 5000,
    '["scan","","' + "x" * 129 + '","",""]',
    '["scan","","\ud800","",""]',
]


@pytest.mark.parametrize("text", DAMAGED, ids=range(len(DAMAGED)))
@pytest.mark.parametrize("kind", [Group, Source, Target])
def test_a_text_that_was_not_stored_by_this_code_is_ignored(text: str, kind: type[Row]) -> None:
    """The others are read."""
    good = {Group: SWEEP, Source: Source("203.0.113.9", 1, 1, ()), Target: Target("10.0.0.1", 1)}[kind]
    assert list(kind.read([text, good.text])) == [good]
