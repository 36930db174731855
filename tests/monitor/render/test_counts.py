"""A count that a log format does not have is unknown on the page: neither 0 nor an assumed 1."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from flowwarden.monitor.detectors import unjudged_records
from flowwarden.monitor.findings import Tally
from flowwarden.monitor.traffic.tally import FEW, tally_of
from flowwarden.notify.notification import Notification
from flowwarden.records.columnar.reader import ColumnarReader
from flowwarden.records.log_format import LogFormat
from flowwarden.records.model import Action
from tests.flows import START, directed, directions, make_flow, rejected
from tests.monitor.batches import Container, triaged
from tests.monitor.render.rows import page, row


def blocked(**given: Any) -> Notification:
    """The page about three blocked connections, whose records have these values."""
    sources = [f"10.0.1.20:{port}" for port in (50_000, 50_001, 50_002)]
    (finding,) = triaged([rejected(each, "10.0.2.30:5432", **({"tcp_flags": 2} | given)) for each in sources])
    return page(finding)


@pytest.mark.parametrize("name", ["packets", "bytes"])
def test_a_missing_count_is_unknown(name: str) -> None:
    """The other counts stay."""
    sent = blocked(**{name: None})
    assert f"{name} unknown" in row(sent, "Traffic")
    assert sent.document[name] is None
    assert "3 connections" in row(sent, "Traffic")
    assert "3 records" in row(sent, "Traffic")


def test_counts_that_the_records_have_are_shown() -> None:
    """A zero in a record is a zero."""
    assert row(blocked(bytes=0), "Traffic") == "3 connections, 18 packets, 0 bytes, 3 records"


def test_a_sum_with_a_missing_part_is_unknown() -> None:
    """Two flow logs with different formats write to one log group; a part of a sum is not the sum."""
    for count in (2, FEW + 1):  # one by one, and by column
        flows = [rejected(f"10.0.1.20:{50_000 + each}", "10.0.2.30:5432") for each in range(count)]
        flows.append(rejected("10.0.1.20:60000", "10.0.2.30:5432", packets=None, bytes=None))
        tally = tally_of(directions(*flows), np.arange(len(flows)))
        assert (tally.packets, tally.bytes, tally.connections) == (None, None, count + 1)
        assert tally == Tally.of(directed(*flows))


def test_connections_without_ports_are_not_counted() -> None:
    """Two connections between the same hosts look alike. ICMP has no ports, so there they are the pairs."""
    ends = {"srcaddr": "10.0.1.20", "dstaddr": "10.0.2.30", "interface_id": "eni-1"}
    portless = make_flow(**ends, protocol=6, dstport=5432, action=Action.REJECT)
    ping = make_flow(**ends, protocol=1, action=Action.REJECT)
    for flow, connections in ((portless, None), (ping, 1)):
        assert Tally.of(directed(flow)).connections == connections
        assert tally_of(directions(flow), np.arange(1)).connections == connections


def test_a_missing_time_is_unknown() -> None:
    """A start without an end has no duration; neither becomes 0 s or the year 1969."""
    assert row(blocked(start=None), "Since").startswith("unknown")
    assert "unknown seconds" in row(blocked(end=None), "Since")
    assert "58 s" in row(blocked(), "Since")


def test_records_without_times_that_are_not_judged_have_unknown_times() -> None:
    """Formats without `start` and `end`; with them, the earliest and the latest are shown."""

    def times(fields: str, line: str) -> str:
        layout = LogFormat.parse(f"${{tgw-id}} ${{srcaddr}} ${{dstaddr}} {fields}")
        lines = [f"tgw-1 10.1.0.5 10.2.0.{each} {line}" for each in (1, 2)]
        records = ColumnarReader((layout,)).read(lines)
        (finding,) = Container().detect(unjudged_records.DETECTOR, records)
        return row(page(finding), "Records of")

    assert times("${packets}", "7") == "unknown to unknown"
    assert times("${start} ${end}", f"{START} {START + 58}").startswith("2025-11-24 16:00:00 UTC to 2025")
