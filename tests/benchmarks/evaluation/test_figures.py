"""Figures and scores: intervals compared with tables, pages compared with labels."""

from __future__ import annotations

import pytest

from benchmarks.evaluation.accuracy import Accuracy
from benchmarks.evaluation.expected_detections import GRACE, about, finds, may_find
from benchmarks.evaluation.figures import per_day_and_thousand, poisson_interval, quantile
from benchmarks.evaluation.generator.model import DAY, LOG_GROUP, Delivery, Incident, Truth
from benchmarks.evaluation.monitor import Monitor
from benchmarks.evaluation.peers import PEERS
from benchmarks.evaluation.reading import Reading
from benchmarks.evaluation.subject import Page, Surroundings
from benchmarks.evaluation.tally import Found, Tally, found, precision, together
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT
from tests.benchmarks.evaluation.networks import made

SCAN = Incident("slow-scan", "10.0.1.5", "eni-a", ("10.0.2.1", "10.0.2.2"), 1000, 2000)
SHUT = Incident("security-group-fault", "10.0.2.9", "eni-b", ("10.0.2.9",), 5000, 9000)


def page(detector: str, subject: str, arrived: int, *names: str, confidence: float | None = 0.99) -> Page:
    """A page that names its subject and other hosts."""
    return Page(
        at=arrived - 300, arrived=arrived, detector=detector, subject=subject, key="",
        confidence=confidence, names=frozenset((subject, *names)),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(0, 0.0, 3.689), (1, 0.0253, 5.572), (2, 0.2422, 7.225), (10, 4.795, 18.39), (100, 81.36, 121.63)],
)
def test_the_interval_of_a_count_is_the_exact_poisson_interval(count: int, low: float, high: float) -> None:
    """Compared with published tables (Garwood)."""
    assert poisson_interval(count) == pytest.approx((low, high), rel=1e-3, abs=1e-6)


def test_the_interval_is_smooth_where_the_approximation_begins() -> None:
    """Exact up to 500, approximated from 501."""
    (low, high), (next_low, next_high) = poisson_interval(500), poisson_interval(501)
    assert next_low - low == pytest.approx(1, abs=0.05)
    assert next_high - high == pytest.approx(1, abs=0.05)


def test_a_rate_is_per_day_and_thousand_interfaces() -> None:
    """3.689 is the upper limit for a count of 0."""
    rate = per_day_and_thousand(7, 500, 7 * DAY)
    assert rate.value == pytest.approx(2.0)
    assert rate.low < rate.value < rate.high
    assert per_day_and_thousand(0, 1000, 7 * DAY).high == pytest.approx(3.689 / 7, rel=1e-3)


def test_a_quantile_is_one_of_the_values() -> None:
    """The smallest value such that at least this share of the values does not exceed it."""
    assert quantile([3, 1, 2], 0.5) == 2
    assert quantile([3, 1, 2], 0.95) == 3
    assert quantile([], 0.5) is None


@pytest.mark.parametrize(
    ("found", "is_found"),
    [
        (page("host-probing", "10.0.1.5", 1500), True),
        (page("host-probing", "eni-a", 2000 + GRACE), True),
        (page("host-probing", "web", 1500, "10.0.1.5"), True),  # a role, which also names the host
        (page("host-probing", "10.0.1.5", 999), False),
        (page("host-probing", "10.0.1.5", 2001 + GRACE), False),
        (page("blocked-connection", "10.0.1.5", 1500), False),  # no detector for a scan
        (
            page("host-probing", "10.0.1.6", 1500, "10.0.1.5"),
            False,
        ),  # another host's scan that hit the source
        (page("host-probing", "10.0.2.1", 1500), False),  # the target as the source of a scan
    ],
)
def test_an_incident_is_found_only_by_a_matching_page(found: Page, *, is_found: bool) -> None:
    """From an expected detector, in time, about the source."""
    assert finds(found, SCAN) is is_found


def test_a_page_may_be_about_an_affected_host() -> None:
    """A client is rejected: the page is about the client, and names the server."""
    found = page("blocked-connection", "10.0.1.7", 6000, "10.0.2.9")
    assert finds(found, SHUT)
    assert not about(page("blocked-connection", "10.0.1.7", 6000, "10.0.2.8"), SHUT)


def test_recall_delay_and_precision_come_from_pages_and_labels() -> None:
    """One of two incidents found, after 500 s; one page of two is right."""
    tally = Tally(
        pages=[page("host-probing", "10.0.1.5", 1500), page("host-probing", "10.0.1.9", 1600)], records=1
    )
    kinds = found(tally, [SCAN, SHUT])
    assert kinds == {"slow-scan": Found(1, (500,)), "security-group-fault": Found(1, ())}
    assert together(kinds).recall == 0.5
    assert kinds["slow-scan"].delay(0.5) == 500
    assert precision(tally, [SCAN, SHUT]) == 0.5
    assert precision(Tally(), [SCAN]) is None


def test_pages_with_low_confidence_are_counted() -> None:
    """0.95 is sufficient; a page without an initiator needs none."""
    pages = [page("host-probing", "10.0.1.5", 1, confidence=each) for each in (0.95, 0.9, None)]
    assert Tally(pages=pages).low_confidence == 1


def test_a_finding_without_a_page_does_not_count_as_a_page() -> None:
    """It may still find an incident."""
    quiet = Page(
        at=1, arrived=1500, detector="host-probing", subject="10.0.1.5", key="",
        confidence=0.99, names=frozenset({"10.0.1.5"}), paged=False,
    )  # fmt: skip
    tally = Tally(pages=[quiet])
    assert tally.paged == []
    assert found(tally, [SCAN])["slow-scan"].recall == 1


def test_accuracy_compares_verdicts_with_the_truth() -> None:
    """With the template's layout, the flags decide nearly all verdicts."""
    result = made()
    accuracy, reading = Accuracy(), Reading(result.network.layout)
    for delivery in result.deliveries[:800]:
        accuracy.look(delivery, reading)
    verdicts = accuracy.high.right + accuracy.high.wrong + accuracy.low.right + accuracy.low.wrong
    flows = sum(
        len(each.truth) - each.truth.count(Truth.NO_FLOW)
        for each in result.deliveries[:800]
        if each.number % 8 == 0
    )
    assert verdicts + accuracy.undecided == flows > 300
    assert accuracy.high.share is not None
    assert accuracy.high.share > 0.98


def test_every_peers_rule_may_find_something() -> None:
    """Rules are expected to find scans, and do not count for exfiltration."""
    rules = {rule.name for peer in PEERS.values() for rule in peer}
    assert {"zeek-address-scan", "zeek-port-scan", "elastic-sweep", "panther-egress-ports"} <= rules
    assert all(may_find(rule, "horizontal-scan") for rule in rules)
    assert not any(may_find(rule, "exfiltration") for rule in rules)


def test_a_finding_without_a_page_counts_only_for_detectors_that_never_page() -> None:
    """Findings of other detectors that are not paged are left out."""
    delivery = Delivery(1, 1_767_226_000, LOG_GROUP, "eni-1-all", "1", REFUSED_FOR_A_WHILE, "s")
    generator = made("v2").interfaces
    monitor = Monitor(Surroundings(DEFAULT_LOG_FORMAT, 0, lambda: generator))
    assert [(each.detector, each.paged) for each in monitor.process(delivery)] == [("reject-spike", False)]


REFUSED_FOR_A_WHILE = tuple(
    f"2 1 eni-1 203.0.{host}.9 10.0.0.10 40000 {port} 6 1 44 1767225600 1767225600 REJECT OK"
    for host in range(30)
    for port in range(1, 20)
)
