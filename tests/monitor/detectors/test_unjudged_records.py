"""unjudged-records: which records no detector can judge."""

from __future__ import annotations

import pytest

from flowwarden.monitor.detectors import unjudged_records
from flowwarden.monitor.findings import Finding
from flowwarden.records.columnar.reader import ColumnarReader
from flowwarden.records.log_format import LogFormat
from tests.monitor.batches import Container

TRAFFIC = "${srcaddr} ${dstaddr} ${srcport} ${dstport} ${start} ${end}"
LINE = "10.1.0.5 10.2.0.9 40000 22 1764000000 1764000058"


def judged(log_format: str, *lines: str) -> list[Finding]:
    """The findings about lines of a format."""
    records = ColumnarReader((LogFormat.parse(log_format),)).read(lines)
    return list(Container().detect(unjudged_records.DETECTOR, records))


@pytest.mark.parametrize(
    ("log_format", "line"),
    [
        (f"${{tgw-id}} {TRAFFIC}", f"tgw-1 {LINE}"),
        (TRAFFIC, LINE),
        (f"${{interface-id}} ${{action}} {TRAFFIC}", f"- - {LINE}"),
    ],
    ids=["transit gateway", "format without the fields", "fields without values"],
)
def test_records_without_interface_and_action_are_reported_once(log_format: str, line: str) -> None:
    """One finding for all of a batch, about the log group, with the numbers."""
    (finding,) = judged(log_format, line, line, line)
    text = unjudged_records.text(finding)  # type: ignore[arg-type]  # a finding of this detector
    assert text.summary.startswith("3 of 3 records in /flow-warden/flow-logs cannot be judged")


@pytest.mark.parametrize(
    ("log_format", "line"),
    [
        (f"${{interface-id}} {TRAFFIC}", f"eni-1 {LINE}"),
        (f"${{resource-id}} {TRAFFIC}", f"nat-1 {LINE}"),
        (f"${{action}} {TRAFFIC}", f"REJECT {LINE}"),
    ],
)
def test_records_with_any_of_them_are_judged(log_format: str, line: str) -> None:
    """An interface, a NAT gateway or a decision is enough for some detector."""
    assert judged(log_format, line) == []


def test_only_the_records_without_them_are_counted() -> None:
    """A format can have the fields, and some records lack the values."""
    log_format = f"${{interface-id}} {TRAFFIC}"
    (finding,) = judged(log_format, f"eni-1 {LINE}", f"- {LINE}")
    assert finding.facts == unjudged_records.Facts(unjudged=1, records=2)
    assert judged(log_format) == []
