"""The reorder buffer: whatever the order within its slack, the slices are the same."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from flowwarden.replay.merged import Source, merged
from flowwarden.replay.reorder import MOST_HELD, SLACK, SLICE, Reorder, Slice
from flowwarden.replay.timed import Timed, timed
from tests.replay.archives import BEGIN, LAYOUT, end_of, incidents, slices_of, source


def content(slices: list[Slice]) -> list[tuple[int, list[str]]]:
    """The begin and the lines of slices, sorted."""
    return [(one.begin, sorted(line for lines in one.lines.values() for line in lines)) for one in slices]


def shuffled(lines: list[str], random: Random, seconds: int = SLACK) -> list[str]:
    """Each line at most so many seconds later than lines with a later time."""
    return sorted(lines, key=lambda each: end_of(each) + random.randrange(seconds))


LINES = incidents()
ORDERED = content(slices_of([LINES]))


def test_a_slice_has_the_lines_of_its_time_and_no_others() -> None:
    for one in slices_of([LINES]):
        assert one.end == one.begin + SLICE
        assert all(one.begin <= end_of(line) < one.end for lines in one.lines.values() for line in lines)
    assert sum(len(lines) for _, lines in ORDERED) == len(LINES)


@pytest.mark.parametrize("seed", range(10))
def test_lines_out_of_order_within_the_slack_get_into_their_slice(seed: int) -> None:
    slices = slices_of([shuffled(LINES, Random(seed))])  # noqa: S311
    assert content(slices) == ORDERED
    assert not any(one.late for one in slices)


@pytest.mark.parametrize("seed", range(10))
def test_the_files_in_which_lines_lie_do_not_matter(seed: int) -> None:
    random = Random(seed)  # noqa: S311
    count = random.randrange(2, 40)
    files: list[list[str]] = [[] for _ in range(count)]
    for each in shuffled(LINES, random, SLACK // 2):
        random.choice(files).append(each)
    assert content(slices_of(files)) == ORDERED


def test_one_file_for_each_interface_and_one_for_each_hour_give_the_same_slices() -> None:
    by_interface: dict[str, list[str]] = {}
    by_hour: dict[int, list[str]] = {}
    for each in LINES:
        by_interface.setdefault(each.split()[2], []).append(each)
        by_hour.setdefault(end_of(each) // 3600, []).append(each)
    assert content(slices_of(by_interface.values())) == ORDERED
    assert content(slices_of(reversed(by_hour.values()))) == ORDERED


@pytest.mark.matrix(6)
@pytest.mark.parametrize("days", [1, 30, 3650])
@pytest.mark.parametrize("piece", [5, 100])
@pytest.mark.parametrize("seed", range(3))
def test_a_record_with_a_time_far_ahead_makes_no_other_late(seed: int, piece: int, days: int) -> None:
    """Wherever it is, also first; it is in the last slice."""
    random = Random(seed)  # noqa: S311
    lines = shuffled(LINES, random)
    at = seed and random.randrange(len(lines))
    end = end_of(LINES[-1]) + days * 86_400
    ahead = lines[at].replace(str(end_of(lines[at])), str(end))
    assert end_of(ahead) == end
    slices = [*Reorder().slices(merged([source("a", [*lines[:at], ahead, *lines[at:]], piece=piece)]))]
    assert content(slices) == [*ORDERED, (end // SLICE * SLICE, [ahead])]
    assert not any(one.late for one in slices)


def test_a_line_that_comes_too_late_is_in_a_later_slice_and_counted() -> None:
    first, *others = LINES
    slices = slices_of([[*others, first]])
    assert sum(one.late for one in slices) == 1
    assert sum(len(lines) for _, lines in content(slices)) == len(LINES)


def test_few_lines_are_held_although_many_come_early() -> None:
    reorder = Reorder(most_held=1000)
    held = 0
    for one in reorder.slices(merged([source("a", LINES, piece=100)])):
        held = max(held, sum(map(len, one.lines.values())))
    assert held < 1100
    slices = [*Reorder(most_held=10).slices(merged([source("a", LINES, piece=5)]))]
    assert sum(len(lines) for _, lines in content(slices)) == len(LINES)
    assert MOST_HELD > 1000


def test_lines_without_a_time_go_with_the_next_slice() -> None:
    odd, good = timed((LAYOUT,), ["odd"]), timed((LAYOUT,), [LINES[0]])
    pieces = merged([Source("a", 0, lambda: iter([odd, good]))])
    (one,) = Reorder().slices(pieces)
    assert content([one]) == [(BEGIN, sorted(["odd", LINES[0]]))]


def test_an_archive_without_any_time_is_one_slice() -> None:
    pieces = merged([Source("a", 0, lambda: iter([timed((LAYOUT,), ["odd"])]))])
    assert [lines for _, lines in content([*Reorder().slices(pieces)])] == [["odd"]]
    assert [*Reorder().slices(merged([]))] == []


@pytest.mark.parametrize("most_open", [1, 2, 5])
def test_few_sources_are_open_at_once(most_open: int) -> None:
    opened, most = 0, 0

    def read(lines: list[str]) -> Iterator[Timed]:
        nonlocal opened, most
        opened += 1
        most = max(most, opened)
        for at in range(0, len(lines), 50):
            yield timed((LAYOUT,), lines[at : at + 50])
        opened -= 1

    by_interface: dict[str, list[str]] = {}
    for each in LINES:
        by_interface.setdefault(each.split()[2], []).append(each)
    sources = [
        Source(name, end_of(lines[0]), lambda lines=lines: read(lines))  # type: ignore[misc]
        for name, lines in by_interface.items()
    ]
    pieces = [*merged(sources, most_open)]
    assert sum(len(each.timed.lines) for each in pieces) == len(LINES)
    assert most <= most_open
