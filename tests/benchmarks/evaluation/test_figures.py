"""Figures and scores: intervals against tables, pages against labels."""

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
from tests.benchmarks.evaluation.worlds import made

SCAN = Incident(0, "slow-scan", "10.0.1.5", "eni-a", ("10.0.2.1", "10.0.2.2"), 1000, 2000)
SHUT = Incident(1, "security-group-fault", "10.0.2.9", "eni-b", ("10.0.2.9",), 5000, 9000)


def page(detector: str, subject: str, arrived: int, *names: str, confidence: float | None = 0.99) -> Page:
    """A page that names its subject, and others."""
    return Page(
        at=arrived - 300, arrived=arrived, detector=detector, severity="high", subject=subject, key="",
        evidence="", confidence=confidence, names=frozenset((subject, *names)),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(0, 0.0, 3.689), (1, 0.0253, 5.572), (2, 0.2422, 7.225), (10, 4.795, 18.39), (100, 81.36, 121.63)],
)
def test_the_interval_of_a_count_is_garwoods(count: int, low: float, high: float) -> None:
    """Values from tables of the exact Poisson interval."""
    assert poisson_interval(count) == pytest.approx((low, high), rel=1e-3, abs=1e-6)


def test_the_interval_is_smooth_where_the_approximation_begins() -> None:
    """Summed up to 500, approximated from 501 on."""
    (low, high), (next_low, next_high) = poisson_interval(500), poisson_interval(501)
    assert next_low - low == pytest.approx(1, abs=0.05)
    assert next_high - high == pytest.approx(1, abs=0.05)


def test_a_rate_is_a_day_and_a_thousand_interfaces() -> None:
    """3.689 is the upper limit for nothing."""
    rate = per_day_and_thousand(7, 500, 7 * DAY)
    assert rate.value == pytest.approx(2.0)
    assert rate.low < rate.value < rate.high
    assert per_day_and_thousand(0, 1000, 7 * DAY).high == pytest.approx(3.689 / 7, rel=1e-3)


def test_a_quantile_is_one_of_the_values() -> None:
    """The smallest that enough do not exceed."""
    assert quantile([3, 1, 2], 0.5) == 2
    assert quantile([3, 1, 2], 0.95) == 3
    assert quantile([], 0.5) is None


@pytest.mark.parametrize(
    ("told", "is_found"),
    [
        (page("host-probing", "10.0.1.5", 1500), True),
        (page("host-probing", "eni-a", 2000 + GRACE), True),
        (page("host-probing", "web", 1500, "10.0.1.5"), True),  # a role, with the host beside it
        (page("host-probing", "10.0.1.5", 999), False),
        (page("host-probing", "10.0.1.5", 2001 + GRACE), False),
        (page("blocked-connection", "10.0.1.5", 1500), False),  # no detector for a scan
        (page("host-probing", "10.0.1.6", 1500, "10.0.1.5"), False),  # somebody else's scan, who found ours
        (page("host-probing", "10.0.2.1", 1500), False),  # a target that scans
    ],
)
def test_an_incident_is_found_by_whom_may_find_it(told: Page, *, is_found: bool) -> None:
    """By the right detector, in time, about who did it."""
    assert finds(told, SCAN) is is_found


def test_those_who_suffer_may_be_told_about_instead() -> None:
    """A client is refused: the page is about the client, and names the server."""
    told = page("blocked-connection", "10.0.1.7", 6000, "10.0.2.9")
    assert finds(told, SHUT)
    assert not about(page("blocked-connection", "10.0.1.7", 6000, "10.0.2.8"), SHUT)


def test_recall_delay_and_precision_come_from_pages_and_labels() -> None:
    """One of two incidents, after 500 s; one page of two."""
    tally = Tally(
        pages=[page("host-probing", "10.0.1.5", 1500), page("host-probing", "10.0.1.9", 1600)], records=1
    )
    kinds = found(tally, [SCAN, SHUT])
    assert kinds == {"slow-scan": Found(1, (500,)), "security-group-fault": Found(1, ())}
    assert together(kinds).recall == 0.5
    assert kinds["slow-scan"].delay(0.5) == 500
    assert precision(tally, [SCAN, SHUT]) == 0.5
    assert precision(Tally(), [SCAN]) is None


def test_pages_without_certainty_are_counted() -> None:
    """0.95 is certain enough; a page that claims no initiator needs none."""
    pages = [page("host-probing", "10.0.1.5", 1, confidence=each) for each in (0.95, 0.9, None)]
    assert Tally(pages=pages).low_confidence == 1


def test_a_finding_that_pages_nobody_is_no_page() -> None:
    """It may find an incident all the same."""
    quiet = Page(
        at=1, arrived=1500, detector="host-probing", severity="info", subject="10.0.1.5", key="", evidence="",
        confidence=0.99, names=frozenset({"10.0.1.5"}), paged=False,
    )  # fmt: skip
    tally = Tally(pages=[quiet])
    assert tally.paged == []
    assert found(tally, [SCAN])["slow-scan"].recall == 1


def test_accuracy_pairs_verdicts_with_the_truth() -> None:
    """The flags tell nearly everything in the template's layout."""
    result = made()
    accuracy, reading = Accuracy(), Reading(result.world.layout)
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
    """A scan, which all of them are for; and nothing that no rule of theirs counts."""
    rules = {rule.name for peer in PEERS.values() for rule in peer}
    assert {"zeek-address-scan", "zeek-port-scan", "elastic-sweep", "panther-egress-ports"} <= rules
    assert all(may_find(rule, "horizontal-scan") for rule in rules)
    assert not any(may_find(rule, "exfiltration") for rule in rules)


def test_a_finding_that_pages_nobody_is_found_only_of_those_that_never_page() -> None:
    """That another one may page later is no credit."""
    delivery = Delivery(1, 1_767_226_000, LOG_GROUP, "eni-1-all", "1", REFUSED_FOR_A_WHILE, "s")
    generator = made("v2").interfaces
    monitor = Monitor(Surroundings(DEFAULT_LOG_FORMAT, 0, lambda: generator))
    assert [(each.detector, each.paged) for each in monitor.process(delivery)] == [("reject-spike", False)]


REFUSED_FOR_A_WHILE = tuple(
    f"2 1 eni-1 203.0.{host}.9 10.0.0.10 40000 {port} 6 1 44 1767225600 1767225600 REJECT OK"
    for host in range(30)
    for port in range(1, 20)
)
