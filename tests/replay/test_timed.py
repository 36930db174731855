"""The times of lines: as the line reader reads them, whatever the line."""

from __future__ import annotations

from random import Random

import pytest

from flowwarden.records.columnar.tokenizer import ABSENT
from flowwarden.records.line_reader import LineReader
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, LogFormat
from flowwarden.replay.timed import are_timed, timed
from tests.replay.archives import BEGIN, LAYOUT, incidents
from tests.sources.held import ACCEPTED, NODATA, SKIPDATA

END = 1_700_000_060
WITHOUT = LogFormat.parse("${srcaddr} ${dstaddr} ${action}")


def times(*lines: str, layouts: tuple[LogFormat, ...] = (DEFAULT_LOG_FORMAT,)) -> list[int]:
    """The times of lines."""
    return [int(each) for each in timed(layouts, lines).times]


@pytest.mark.parametrize(
    "line",
    [
        ACCEPTED,
        NODATA,
        SKIPDATA,
        ACCEPTED.replace(" ", "\t"),
        ACCEPTED.replace(" ", "  "),
        f" {ACCEPTED}",
        ACCEPTED.replace("1700000060", "1700000060000"),
    ],
)
def test_the_time_of_a_record_is_its_end(line: str) -> None:
    assert times(line) == [END]


def test_every_time_is_the_one_that_the_line_reader_reads() -> None:
    lines = incidents()
    read = LineReader([LAYOUT]).read(lines).flows
    assert times(*lines, layouts=(LAYOUT,)) == [flow.end for flow in read]


def test_the_start_counts_if_there_is_no_end() -> None:
    layout = LogFormat.parse("${srcaddr} ${dstaddr} ${start}")
    assert times("10.0.0.1 10.0.0.2 1700000000", layouts=(layout,)) == [END - 60]


def test_a_line_without_a_time_has_that_of_its_neighbor() -> None:
    later = ACCEPTED.replace("1700000060", "1700000300")
    assert times("odd", ACCEPTED, "odd line", later, "odd") == [END, END, END, END + 240, END + 240]


@pytest.mark.parametrize("damaged", ["0", "1", "99999999999999999", "4102444800", "-5", "1e9", "x"])
def test_a_time_outside_this_century_does_not_count(damaged: str) -> None:
    """It would move the clock of the replay by decades."""
    assert times(ACCEPTED.replace("1700000060", damaged)) == [ABSENT]
    assert times(ACCEPTED, ACCEPTED.replace("1700000060", damaged)) == [END, END]


def test_blank_lines_are_left_out() -> None:
    assert timed((DEFAULT_LOG_FORMAT,), ["", ACCEPTED, "  "]).lines == [ACCEPTED]


def test_lines_without_any_time_have_none() -> None:
    assert times("10.0.0.1 10.0.0.2 ACCEPT", layouts=(WITHOUT,)) == [ABSENT]
    assert timed((WITHOUT,), ["10.0.0.1 10.0.0.2 ACCEPT"]).span is None
    assert not are_timed((WITHOUT,))
    assert are_timed((WITHOUT, DEFAULT_LOG_FORMAT))


@pytest.mark.parametrize("seed", range(20))
def test_damage_changes_neither_the_number_of_lines_nor_the_times_of_others(seed: int) -> None:
    random = Random(seed)  # noqa: S311
    lines = [ACCEPTED] * 50
    at = random.randrange(50)
    text = list(ACCEPTED)
    text[random.randrange(len(text))] = random.choice("\0\xff \tx9é\x7f")
    lines[at] = "".join(text)
    found = times(*lines)
    assert len(found) == 50
    assert [each for place, each in enumerate(found) if place != at] == [END] * 49


def test_the_begin_of_archives_is_the_begin_of_a_slice() -> None:
    assert BEGIN % 600 == 0
