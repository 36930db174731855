"""When lines that cannot be read are lost sight, and when they are a few poison lines."""

from __future__ import annotations

import pytest

from flowwarden.monitor.detectors import unparsed_lines
from flowwarden.monitor.detectors.unparsed_lines import MIN_LINES
from flowwarden.monitor.findings import UnparsedFinding
from flowwarden.records.columnar.reader import ColumnarReader
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT
from tests.monitor.batches import Container

READER = ColumnarReader((DEFAULT_LOG_FORMAT,))
GOOD = "2 111122223333 eni-1 10.0.1.20 10.0.2.30 49152 5432 6 6 360 1764000000 1764000058 ACCEPT OK"
GAP = "2 111122223333 eni-1 - - - - - - - 1764000000 1764000060 - NODATA"
BAD = "not a flow record"
HEADER = " ".join(DEFAULT_LOG_FORMAT.names)


def judged(*lines: str) -> UnparsedFinding | None:
    """What is said of a batch."""
    found = Container().detect(unparsed_lines.DETECTOR, READER.read(lines))
    return next((each for each in found if isinstance(each, UnparsedFinding)), None)


@pytest.mark.parametrize(
    "lines",
    [
        [BAD],
        [BAD] * 2 + [HEADER],
        [BAD] * MIN_LINES + [GOOD],
        [BAD] * MIN_LINES + [GOOD] * 9 * MIN_LINES,
        [BAD] * MIN_LINES + [GAP] * 9 * MIN_LINES,
    ],
    ids=["nothing is read", "nor behind a header", "many", "a tenth", "gaps are read lines"],
)
def test_sight_is_lost(lines: list[str]) -> None:
    """The whole batch, however small, or at least `MIN_LINES` lines that are `MIN_SHARE` of it."""
    assert judged(*lines) is not None


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [GOOD],
        [GAP],
        [HEADER, "", "  "],
        [HEADER] * 20 + [GOOD],
        [BAD] * (MIN_LINES - 1) + [GOOD],
        [BAD] * MIN_LINES + [GOOD] * (9 * MIN_LINES + 1),
    ],
    ids=["no line", "good", "gap", "nothing to read", "headers", "few", "less than a tenth"],
)
def test_sight_is_not_lost(lines: list[str]) -> None:
    """Poison lines among good ones are counted; header and blank lines have nothing to see."""
    assert judged(*lines) is None


def test_it_tells_how_much_why_and_shows_some() -> None:
    """The reasons by frequency, the first lines."""
    odd = GOOD.replace("ACCEPT", "MAYBE")
    loss = judged(odd, *[BAD] * 6, HEADER, GOOD)
    assert loss is not None
    assert (loss.lines, loss.unreadable, loss.samples) == (8, 7, (odd, BAD, BAD))
    assert [lines for _, lines in loss.reasons] == [6, 1]
    assert "4 tokens where the log format has 14" in loss.reasons[0][0]


def test_what_should_hold_a_record_and_does_not_is_unreadable() -> None:
    """Which is when it is worth to ask for news about formats."""
    assert [bad.line for bad in unparsed_lines.unreadable(READER.read([HEADER, "", BAD, GOOD, GAP]))] == [BAD]
