"""unjudged-records: which records no detector can judge."""

from __future__ import annotations

import pytest

from flowwarden.monitor.detectors import DETECTORS, unjudged_records
from flowwarden.monitor.findings import Finding
from flowwarden.policy.transit_gateways import LOG_FORMAT as GATEWAYS
from flowwarden.records.columnar.reader import ColumnarReader
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, STACK_LOG_FORMAT, LogFormat
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


NAMES = tuple(field.name for field in LogFormat.parse(GATEWAYS).fields)


def gateway_line(number: int) -> str:
    """A record of a transit gateway, one of a scan: another port of another host in each."""
    values = {
        "version": "6", "resource-type": "TransitGateway", "account-id": "111122223333",
        "tgw-id": "tgw-0a1b2c3d", "tgw-attachment-id": "tgw-attach-0a1b2c3d", "srcaddr": "10.1.0.5",
        "dstaddr": f"10.2.0.{number % 250 + 1}", "srcport": "40000", "dstport": str(number + 1),
        "protocol": "6", "packets": "1", "bytes": "40", "start": "1764000000", "end": "1764000058",
        "log-status": "OK", "type": "IPv4", "tcp-flags": "2", "region": "eu-west-1",
        "flow-direction": "ingress", "packets-lost-no-route": "0", "packets-lost-blackhole": "1",
        "packets-lost-mtu-exceeded": "0", "packets-lost-ttl-expired": "0",
    }  # fmt: skip
    return " ".join(values.get(name, "-") for name in NAMES)


def test_a_scan_in_records_of_transit_gateways_is_no_alert_and_is_counted_as_not_judged() -> None:
    """In the format that the enforcer requests. No detector misreads the records; this one reports them."""
    lines = [gateway_line(each) for each in range(3000)]
    records = ColumnarReader((LogFormat.parse(GATEWAYS),)).read(lines)
    assert (len(records.flows), len(records.malformed)) == (3000, 0)
    found = {each.name for each in DETECTORS if list(Container().detect(each, records))}
    assert found == {"unjudged-records"}


@pytest.mark.parametrize("log_format", [STACK_LOG_FORMAT, DEFAULT_LOG_FORMAT])
def test_without_their_format_lines_of_transit_gateways_are_malformed(log_format: LogFormat) -> None:
    """They are never read as records of another format."""
    records = ColumnarReader((log_format,)).read([gateway_line(each) for each in range(100)])
    assert (len(records.flows), len(records.malformed)) == (0, 100)


def test_only_the_records_without_them_are_counted() -> None:
    """A format can have the fields, and some records lack the values."""
    log_format = f"${{interface-id}} {TRAFFIC}"
    (finding,) = judged(log_format, f"eni-1 {LINE}", f"- {LINE}")
    assert finding.facts == unjudged_records.Facts(unjudged=1, records=2)
    assert judged(log_format) == []
