"""scan: failures at new places, minus answers."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flowwarden.monitor.detectors.scan import DETECTOR, Failures, Ports, inspect, suspicious, vertical
from flowwarden.monitor.findings import Severity
from flowwarden.monitor.render.text import describe
from flowwarden.monitor.traffic.contact import ContactOutcome
from flowwarden.monitor.traffic.excess import excess
from flowwarden.monitor.traffic.host_activity import sets
from flowwarden.network.services import TCP
from flowwarden.policy.detection import Thresholds
from flowwarden.state.sets import DAY, HOUR
from tests.monitor.suspicion import CLIENT, contact, suspect

LIMITS = Thresholds()

FAILED = [contact(f"10.0.9.{host}", 8080) for host in range(1, 60)]
ANSWERED = [contact(f"10.0.8.{host}", 8080, ContactOutcome.ANSWERED) for host in range(1, 60)]


@pytest.mark.parametrize(("failed", "answered", "found"), [(11, 0, None), (14, 0, HOUR), (25, 18, None)])
def test_failures_minus_answers_make_a_scan(failed: int, answered: int, found: int | None) -> None:
    """Twelve within an hour; a host with nearly as many answers knows its servers."""
    assert suspicious(suspect(*FAILED[:failed], *ANSWERED[:answered]), LIMITS) == found


def test_the_limit_for_a_day_is_higher() -> None:
    """Slow probes add up to twenty."""
    for failed, found in ((16, None), (24, DAY)):
        slow = replace(suspect(*FAILED[:failed]), hour={})
        assert suspicious(slow, LIMITS) == found


def test_a_place_that_failed_and_answered_counts_as_answered() -> None:
    """The answer arrived in the next window."""
    failed, answered = contact("10.0.9.1", 80), contact("10.0.9.1", 80, ContactOutcome.ANSWERED)
    assert excess(sets([failed, answered]), HOUR) == 0
    assert excess(sets([failed]), HOUR) == pytest.approx(1, abs=0.1)


def test_a_service_that_is_usual_elsewhere_counts_less() -> None:
    """A stale list of hosts is no scan; an entire network is."""
    ssh = frozenset({(TCP, 22)})
    stale = [contact(f"10.{net}.9.{host}", 22) for net in range(2) for host in range(1, 60)]
    assert suspicious(suspect(*stale[:40], asks=ssh), LIMITS) is None
    assert suspicious(suspect(*stale, asks=ssh), LIMITS) == HOUR
    assert suspicious(suspect(*stale[:40]), LIMITS) == HOUR, "not found for a role that never contacted it"


def test_a_sweep_through_networks_for_a_usual_service_is_a_scan() -> None:
    """Stale lists cover the networks of such hosts; forty places in ten networks are a sweep."""
    own, few, many = (
        [contact(f"10.0.{n % nets}.{n}", 8080, peer=f"10.0.{n % nets}.0/24") for n in range(1, 41)]
        for nets in (1, 2, 10)
    )
    usual = frozenset({(TCP, 8080)})
    assert suspicious(suspect(*own, asks=usual), LIMITS) is None
    assert suspicious(suspect(*few, asks=usual), LIMITS) is None
    assert suspicious(suspect(*many, asks=usual), LIMITS) == HOUR


def test_a_removed_host_fails_once() -> None:
    """A cluster whose forty nodes are all replaced twice within an hour, with three services each."""
    usual = frozenset((TCP, port) for port in (8080, 10_250, 9100))
    gone = [
        contact(f"10.0.{n % 2}.{n}", port, peer=f"10.0.{n % 2}.0/24")
        for n in range(1, 41)
        for _, port in usual
    ]
    assert suspicious(suspect(*gone, asks=usual), LIMITS) is None
    assert suspicious(suspect(*gone), LIMITS) == HOUR, "not found for a role that never contacted them"


def test_answering_hosts_offset_failing_networks() -> None:
    """A fleet that moves to new networks: replaced hosts fail there, and their successors answer."""
    usual = frozenset({(TCP, 8080)})
    gone = [contact(f"10.0.{net}.{n}", 8080, peer=f"10.0.{net}.0/24") for net in range(10) for n in (1, 2)]
    new = [
        contact(f"10.0.{net}.9", 8080, ContactOutcome.ANSWERED, peer=f"10.0.{net}.0/24") for net in range(10)
    ]
    assert excess(sets(gone, usual), HOUR) == pytest.approx(12, abs=1)
    assert excess(sets([*gone, *new], usual), HOUR) < 3


def test_a_server_offsets_one_failure() -> None:
    """Regardless of its ports; otherwise one internal accomplice would offset any scan."""
    accomplice = [contact("10.0.8.1", 20_000 + n, ContactOutcome.ANSWERED) for n in range(120)]
    assert suspicious(suspect(*FAILED[:16], *accomplice), LIMITS) == HOUR
    assert suspicious(suspect(*FAILED[:16], *ANSWERED[:12]), LIMITS) is None


def test_internet_answers_offset_no_internal_failures() -> None:
    """An attacker could operate any number of answering internet servers."""
    friends = [
        contact(f"203.0.113.{host}", 443, ContactOutcome.ANSWERED, "internet") for host in range(1, 99)
    ]
    assert suspicious(suspect(*FAILED[:14], *friends), LIMITS) == HOUR
    abroad = [contact(f"198.51.100.{host}", 443, peer="internet") for host in range(1, 15)]
    assert suspicious(suspect(*abroad, *friends), LIMITS) is None
    assert suspicious(suspect(*abroad), LIMITS) == HOUR


def test_the_limit_of_a_learning_role_is_higher() -> None:
    """Everything is new then."""
    assert suspicious(suspect(*FAILED[:20], learning=True), LIMITS) is None
    assert suspicious(suspect(*FAILED[:40], learning=True), LIMITS) == HOUR


def test_a_batch_without_failures_has_no_finding() -> None:
    """The finding belongs to the batch with the failures."""
    assert suspicious(suspect(*ANSWERED[:1], before=sets(FAILED)), LIMITS) is None


def test_the_policy_sets_the_limits() -> None:
    """An unreliable inventory needs a higher limit; a vault needs a lower one."""
    lenient, strict = Thresholds(scan_hour=30, scan_day=60), Thresholds(scan_hour=5)
    assert suspicious(suspect(*FAILED[:20]), lenient) is None
    assert suspicious(suspect(*FAILED[:6]), strict) == HOUR


def test_the_finding_names_host_amount_and_reason() -> None:
    """One incident for the host, regardless of its targets."""
    one = suspect(*FAILED[:20])
    (finding,) = inspect(one, Thresholds())
    assert (finding.severity, finding.subject) == (Severity.HIGH, CLIENT)
    assert DETECTOR.technique == "T1046"
    assert finding.facts == Failures("tag:Role=web", failed=21, span=HOUR, limit=12)
    assert "within 1 h" in describe(finding).summary
    assert "tag:Role=web" in describe(finding).because
    assert inspect(suspect(*FAILED[:3]), Thresholds()) == []


def test_many_answered_privileged_ports_of_one_server_are_a_scan() -> None:
    """Fifteen. Ports above 1,023 belong to passive FTP, and many hosts to a fleet."""
    asked = [contact("10.0.9.1", port, ContactOutcome.ANSWERED) for port in range(980, 995)]
    one = suspect(*asked)
    assert vertical(one, LIMITS.scan_ports) == "10.0.9.1"
    (finding,) = inspect(one, Thresholds())
    assert finding.facts == Ports("tag:Role=web", asked="10.0.9.1", limit=15)
    assert "15 or more privileged ports" in describe(finding).summary
    assert vertical(suspect(*asked[:14]), LIMITS.scan_ports) is None
    assert (
        vertical(
            suspect(*(contact("10.0.9.1", 50_000 + n, ContactOutcome.ANSWERED) for n in range(99))),
            LIMITS.scan_ports,
        )
        is None
    )
    assert vertical(suspect(*ANSWERED), LIMITS.scan_ports) is None
