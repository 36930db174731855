"""unparsed-lines: when unparsable lines are a finding, and when they are isolated."""

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
    """The finding of a batch."""
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
def test_too_many_unparsed_lines_are_a_finding(lines: list[str]) -> None:
    """The whole batch, of any size, or at least `MIN_LINES` lines with a share of `MIN_SHARE`."""
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
def test_few_unparsed_lines_are_not_a_finding(lines: list[str]) -> None:
    """Isolated malformed lines are only counted; header and blank lines contain no record."""
    assert judged(*lines) is None


def test_the_finding_contains_counts_reasons_and_samples() -> None:
    """The reasons by frequency, the first lines."""
    odd = GOOD.replace("ACCEPT", "MAYBE")
    loss = judged(odd, *[BAD] * 6, HEADER, GOOD)
    assert loss is not None
    assert (loss.lines, loss.unreadable, loss.samples) == (8, 7, (odd, BAD, BAD))
    assert [lines for _, lines in loss.reasons] == [6, 1]
    assert "4 tokens where the log format has 14" in loss.reasons[0][0]


def test_masked_addresses_are_named_with_the_data_identifier_to_take_out() -> None:
    """A data protection policy overwrites addresses with asterisks, in whole or in part of the batch."""
    masked = GOOD.replace("10.0.1.20", "*********").replace("10.0.2.30", "*******")
    loss = judged(*[masked] * 6, GOOD)
    assert loss is not None
    text = unparsed_lines.text(loss)
    assert text.summary.endswith("cannot be parsed: a data protection policy masks the addresses.")
    assert text.words["masked"] == "IpAddress"


@pytest.mark.parametrize("line", [BAD, GOOD.replace("10.0.1.20", "10.*.1.20"), GOOD.replace("eni-1", "*")])
def test_other_lines_are_not_called_masked(line: str) -> None:
    """The step about the policy is left out."""
    loss = judged(line.replace("ACCEPT", "MAYBE"))
    assert loss is not None
    assert "data protection" not in unparsed_lines.text(loss).summary
    assert unparsed_lines.text(loss).words["masked"] is None


def test_malformed_lines_except_headers_and_blanks_are_unreadable() -> None:
    """Only these lines justify a new lookup of the formats."""
    assert [bad.line for bad in unparsed_lines.unreadable(READER.read([HEADER, "", BAD, GOOD, GAP]))] == [BAD]
