"""A page shows what was counted over an hour or a day with that time, and marks the numbers of its batch.

Each case has several batches, and the page is about the last one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import pytest
from msgspec.structs import replace

from flowwarden.monitor.detectors import blocked_connection, reject_spike
from flowwarden.monitor.findings import TrafficFinding
from flowwarden.monitor.render.ends import TOP
from flowwarden.monitor.traffic.usual_volume import MEGABYTE
from flowwarden.notify.text import moment
from flowwarden.policy.detection import Thresholds
from flowwarden.policy.policy import Policy
from tests.flows import rejected
from tests.monitor.batches import Container, finding_with, of_traffic, table
from tests.monitor.detectors import test_egress_volume_over_time as uploads
from tests.monitor.detectors.test_blocked_connection_over_time import blocked
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.render.examples import EXAMPLES
from tests.monitor.render.rows import page, query, row
from tests.monitor.weeks import CLIENT, DAY, IN, KNOCKS, SCAN, TODAY, got, learned, look, tried, visit

HOUR: Final = 3600
MARGIN: Final = 600


def brute_force() -> TrafficFinding:
    """44 connections in four batches within an hour, 11 of them in the last batch."""
    evidence = learned()
    for begin in (41_000, 41_011, 41_022, 41_033):
        at = TODAY + HOUR + begin - 41_000
        ports = range(begin, begin + 11)
        found = look([each for port in ports for each in got("10.0.9.1", 22, at, port)], evidence)
    return found[0]


def lateral_movement() -> TrafficFinding:
    """Three hosts in a day, each in its own batch and hour."""
    evidence = learned()
    for hour, (host, port) in enumerate([(1, 22), (2, 3389), (3, 5985)], start=1):
        at = TODAY + hour * HOUR
        found = look(got(f"10.0.9.{host}", port, at), evidence, at + 60)
    return found[0]


def scan() -> TrafficFinding:
    """Fourteen failures in two batches within an hour."""
    evidence = learned()
    look(SCAN[:7], evidence)
    return look(SCAN[7:], evidence)[0]


def egress_volume() -> TrafficFinding:
    """600 MB in two batches within an hour."""
    evidence = uploads.learned()
    uploads.look(uploads.sent(300), evidence, uploads.TODAY + 3700)
    return uploads.look(uploads.sent(300, port=40_001), evidence, uploads.TODAY + 3700)[0]


def scanner_connected() -> TrafficFinding:
    """Refused at twelve places, then connected."""
    evidence = learned()
    look(KNOCKS, evidence)
    return look(visit(8081), evidence)[0]


def blocked_over_hours() -> TrafficFinding:
    """Rejected in twelve periods of ten minutes."""
    evidence = learned()
    for n in range(12):
        at = TODAY + HOUR + n * 600
        container = Container(Policy(), evidence, FakeDirectory.of(interface("eni-1")))
        flows = table(*blocked("10.0.200.1", at))
        found = of_traffic(container.detect(blocked_connection.DETECTOR, flows, at))
    return found[0]


def spike() -> TrafficFinding:
    """400 attempts within ten minutes, in two batches."""
    evidence = MemoryEvidence()
    policy = Policy(thresholds=replace(Thresholds(), spike_factor=5))
    for first in (1, 201):
        noise = [
            rejected(f"198.51.{n // 250}.{n % 250}:40000", f"{CLIENT}:22", tcp_flags=2, flow_direction=IN,
                     start=TODAY + HOUR + first, end=TODAY + HOUR + first + 9)
            for n in range(first, first + 200)
        ]  # fmt: skip
        container = Container(policy, evidence, FakeDirectory.of(interface("eni-1")))
        found = of_traffic(container.detect(reject_spike.DETECTOR, table(*noise), TODAY + 2 * HOUR))
    return found[0]


def new_egress_port() -> TrafficFinding:
    """Used in twelve periods of ten minutes."""
    evidence = learned(*got("198.51.100.7", 443))
    for n in range(12):
        at = TODAY + HOUR + n * 600
        found = look(got("203.0.113.9", 4444, at), evidence, at + 60)
    return found[0]


CASES: Final[dict[str, tuple[Callable[[], TrafficFinding], int, int, str]]] = {
    "brute-force": (brute_force, TODAY + HOUR, HOUR, "connections within 1 h"),
    "lateral-movement": (lateral_movement, TODAY, DAY, "3 or more hosts within 24 h"),
    "scan": (scan, TODAY + HOUR, HOUR, "host/port pairs failed within 1 h"),
    "egress-volume": (egress_volume, uploads.TODAY + HOUR, HOUR, "MB sent within 1 h"),
    "scanner-connected": (
        scanner_connected,
        TODAY - DAY,
        2 * DAY,
        "refused at 10 or more host/port pairs on this day or before",
    ),
    "blocked-connection": (
        blocked_over_hours,
        TODAY + HOUR,
        2 * HOUR,
        "rejected in at least 12 periods of 10 min within 6 h",
    ),
    "new-egress-port": (new_egress_port, TODAY + HOUR, 2 * HOUR, "used in 12 periods of 10 min within 24 h"),
    "reject-spike": (spike, TODAY + HOUR, 600, "attempts within 10 min"),
}
"""The finding, and the begin, the duration in seconds and the amount of its window."""


@pytest.mark.parametrize("name", CASES)
def test_the_page_shows_the_window(name: str) -> None:
    """In Since, Traffic, To, the query's time range and the document."""
    make, begin, span, amount = CASES[name]
    finding = make()
    assert finding.detector == name
    sent = page(finding)
    assert row(sent, "Since").startswith(f"{moment(begin)} or later, counted over ")
    assert f"this batch from {moment(finding.tally.first or 0)}" in row(sent, "Since")
    before, _, batch = row(sent, "Traffic").partition("; in this batch ")
    assert amount in before
    assert batch.endswith(f"{finding.tally.records} record{'s' if finding.tally.records > 1 else ''}")
    assert re.search(rf" in this batch; .*{re.escape(amount)}", row(sent, "To"))
    assert f"{moment(begin - MARGIN)} to {moment(begin + span + MARGIN)}\n" in sent.text
    assert sent.document["query_range"] == {"begin": begin - MARGIN, "end": begin + span + MARGIN}
    window = sent.document["window"]
    assert (window["begin"], window["end"]) == (begin, begin + span)
    assert window["counted"] in before


@pytest.mark.parametrize(
    "name", ["host-probing", "service-blocked", "nacl-blocks-replies", "unexpected-egress"]
)
def test_a_finding_about_the_batch_has_no_window(name: str) -> None:
    """Its numbers and its time range are those of the batch."""
    finding = EXAMPLES[name]()
    assert isinstance(finding, TrafficFinding)
    sent = page(finding)
    assert sent.document["window"] is None
    assert "or later" not in row(sent, "Since")
    assert "in this batch" not in row(sent, "Traffic") + row(sent, "To")
    assert finding.tally.first is not None
    assert f"{moment(finding.tally.first - MARGIN)} to " in sent.text


def test_a_blocked_connection_that_pages_at_once_is_about_the_batch() -> None:
    """Only one that waited for persistence was counted over hours."""
    (finding,) = finding_with(blocked_connection.DETECTOR)(blocked("10.0.3.1", TODAY))
    assert finding.window is None


def test_all_records_of_the_batch_count() -> None:
    """Not only one of each contact: 11 connections are 22 records with their answers."""
    tally = brute_force().tally
    assert (tally.connections, tally.records) == (11, 22)


def test_an_estimate_does_not_contradict_the_numbers_of_the_batch() -> None:
    """What the batch alone shows is exact; the state table's estimate is not."""

    def number(text: str) -> int:
        found = re.search(r"about ([\d,]+) ", text)
        assert found
        return int(found[1].replace(",", ""))

    for count in (41, 60, 200, 400, 1000):
        flows = [each for port in range(count) for each in got("10.0.9.1", 22, client_port=41_000 + port)]
        (finding,) = look(flows, learned())
        assert finding.tally.connections == count
        assert number(row(page(finding), "Traffic")) == count
    many = [tried(f"10.0.{net}.{host}", 8080) for net in range(8) for host in range(1, 251)]
    (scanned,) = look(many, learned())
    assert number(page(scanned).document["summary"]) == len(many), "more than the table can count"
    assert page(scanned).document["servers"]["distinct"] == len(many)
    assert f"and {len(many) - TOP:,} more" in row(page(scanned), "To")


def test_a_sample_of_small_uploads_does_not_contradict_their_sum() -> None:
    """The sum of small records is estimated from a sample; what the batch shows is exact."""
    flows = [
        each
        for port in range(1_200)
        for each in uploads.asked("203.0.113.9:443", uploads.TODAY + HOUR, MEGABYTE, 40_000 + port)
    ]
    (finding,) = uploads.look(flows, uploads.learned(), uploads.TODAY + 3700)
    assert finding.tally.bytes == 1_200 * MEGABYTE
    assert row(page(finding), "Traffic").startswith(
        "about 1,200 MB sent within 1 h; in this batch 1,200 conn"
    )


def test_estimates_beyond_the_batch_are_called_about() -> None:
    """44 connections within the hour, of which 11 are in the batch."""
    found = re.search(r"about (\d+) connections", row(page(brute_force()), "Traffic"))
    assert found
    assert 40 <= int(found[1]) <= 48


@pytest.mark.parametrize(
    ("make", "terms", "absent"),
    [
        (brute_force, [CLIENT, "10.0.9.1", "22"], []),
        (lateral_movement, [CLIENT], ["10.0.9.3", "5985"]),
        (scan, [CLIENT], ["10.0.9.8", "8080"]),
        (egress_volume, [uploads.HOST], ["203.0.113.9"]),
        (blocked_over_hours, [CLIENT, "10.0.200.1", "5432", "REJECT"], []),
        (scanner_connected, [CLIENT, "198.51.100.66", "8081"], []),
    ],
)
def test_the_query_names_server_and_port_only_if_they_are_the_only_ones(
    make: Callable[[], TrafficFinding], terms: list[str], absent: list[str]
) -> None:
    """A query that names what the last batch showed would hide the rest of the hour or the day."""
    given = query(page(make())).replace("\\", "")
    for term in terms:
        assert f"(^|s){term}(s|$)" in given
    for term in absent:
        assert f"){term}(" not in given


def test_brute_force_on_several_hosts_of_the_hour_does_not_filter_by_one() -> None:
    """The last batch shows one of them."""
    evidence = learned()
    for host, begin in ((1, 41_000), (2, 42_000)):
        ports = range(begin, begin + 25)
        found = look(
            [each for port in ports for each in got(f"10.0.9.{host}", 22, client_port=port)], evidence
        )
    sent = page(found[0])
    assert "10.0.9.2 and other hosts" in sent.document["summary"]
    assert "10\\.0\\.9\\.2" not in query(sent)


def test_a_connection_before_the_refusals_is_not_called_a_part_of_the_batch() -> None:
    """The batch shows refusals only; the service is that of the connection."""
    evidence = learned()
    for batch in (KNOCKS[:4], visit(8081)):
        look(batch, evidence)
    (finding,) = look(KNOCKS[4:], evidence)
    sent = page(finding)
    assert row(sent, "Service") == "tcp/8081"
    assert "connected before this batch" in row(sent, "Traffic")
    assert "the server answered, before this batch" in row(sent, "Evidence")
    assert "8081" in query(sent)
    usual = scanner_connected()
    assert "before this batch" not in page(usual).text
