"""scan: failures on new places, less answers."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flowwarden.monitor.detectors.scan import DETECTOR, Failures, Ports, inspect, suspicious, vertical
from flowwarden.monitor.findings import Severity
from flowwarden.monitor.render.text import describe
from flowwarden.monitor.traffic.contacts import ContactOutcome
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
def test_failures_less_answers_make_a_scan(failed: int, answered: int, found: int | None) -> None:
    """Twelve within the hour; who is answered nearly as often knows whom to ask."""
    assert suspicious(suspect(*FAILED[:failed], *ANSWERED[:answered]), LIMITS) == found


def test_a_day_takes_more_than_an_hour() -> None:
    """Slow probes add up: twenty."""
    for failed, found in ((16, None), (24, DAY)):
        slow = replace(suspect(*FAILED[:failed]), hour={})
        assert suspicious(slow, LIMITS) == found


def test_a_place_that_failed_and_answered_answered() -> None:
    """The answer came in the next window."""
    failed, answered = contact("10.0.9.1", 80), contact("10.0.9.1", 80, ContactOutcome.ANSWERED)
    assert excess(sets([failed, answered]), HOUR) == 0
    assert excess(sets([failed]), HOUR) == pytest.approx(1, abs=0.1)


def test_a_service_that_the_role_asks_for_elsewhere_counts_less() -> None:
    """A list of hosts that is out of date is no scan; a whole network of them is."""
    ssh = frozenset({(TCP, 22)})
    stale = [contact(f"10.{net}.9.{host}", 22) for net in range(2) for host in range(1, 60)]
    assert suspicious(suspect(*stale[:40], asks=ssh), LIMITS) is None
    assert suspicious(suspect(*stale, asks=ssh), LIMITS) == HOUR
    assert suspicious(suspect(*stale[:40]), LIMITS) == HOUR, "a role that never asked for it"


def test_a_sweep_through_networks_for_a_usual_service_is_a_scan() -> None:
    """Stale lists stand in the networks that such hosts get; forty places in ten networks are looked for."""
    own, few, many = (
        [contact(f"10.0.{n % nets}.{n}", 8080, peer=f"10.0.{n % nets}.0/24") for n in range(1, 41)]
        for nets in (1, 2, 10)
    )
    usual = frozenset({(TCP, 8080)})
    assert suspicious(suspect(*own, asks=usual), LIMITS) is None
    assert suspicious(suspect(*few, asks=usual), LIMITS) is None
    assert suspicious(suspect(*many, asks=usual), LIMITS) == HOUR


def test_a_host_that_is_gone_fails_once_however_many_of_its_services_do() -> None:
    """A cluster whose nodes are all replaced, twice within an hour: three services of forty nodes."""
    usual = frozenset((TCP, port) for port in (8080, 10_250, 9100))
    gone = [
        contact(f"10.0.{n % 2}.{n}", port, peer=f"10.0.{n % 2}.0/24")
        for n in range(1, 41)
        for _, port in usual
    ]
    assert suspicious(suspect(*gone, asks=usual), LIMITS) is None
    assert suspicious(suspect(*gone), LIMITS) == HOUR, "a role that never asked for them"


def test_hosts_that_answer_pay_for_networks_that_fail() -> None:
    """A fleet that moves to new networks: replaced hosts fail there, and their successors answer."""
    usual = frozenset({(TCP, 8080)})
    gone = [contact(f"10.0.{net}.{n}", 8080, peer=f"10.0.{net}.0/24") for net in range(10) for n in (1, 2)]
    new = [
        contact(f"10.0.{net}.9", 8080, ContactOutcome.ANSWERED, peer=f"10.0.{net}.0/24") for net in range(10)
    ]
    assert excess(sets(gone, usual), HOUR) == pytest.approx(12, abs=1)
    assert excess(sets([*gone, *new], usual), HOUR) < 3


def test_a_server_makes_up_for_one_failure_however_many_of_its_ports_answer() -> None:
    """Or one accomplice inside would pay for any scan."""
    accomplice = [contact("10.0.8.1", 20_000 + n, ContactOutcome.ANSWERED) for n in range(120)]
    assert suspicious(suspect(*FAILED[:16], *accomplice), LIMITS) == HOUR
    assert suspicious(suspect(*FAILED[:16], *ANSWERED[:12]), LIMITS) is None


def test_answers_of_the_internet_make_up_for_nothing_inside() -> None:
    """Whoever scans inside could have his own servers outside answer as often as he likes."""
    friends = [
        contact(f"203.0.113.{host}", 443, ContactOutcome.ANSWERED, "internet") for host in range(1, 99)
    ]
    assert suspicious(suspect(*FAILED[:14], *friends), LIMITS) == HOUR
    abroad = [contact(f"198.51.100.{host}", 443, peer="internet") for host in range(1, 15)]
    assert suspicious(suspect(*abroad, *friends), LIMITS) is None
    assert suspicious(suspect(*abroad), LIMITS) == HOUR


def test_a_role_that_is_learned_takes_more() -> None:
    """Everything is new then."""
    assert suspicious(suspect(*FAILED[:20], learning=True), LIMITS) is None
    assert suspicious(suspect(*FAILED[:40], learning=True), LIMITS) == HOUR


def test_who_fails_nothing_in_this_batch_is_not_told_again_for_it() -> None:
    """The finding belongs to the batch that shows it."""
    assert suspicious(suspect(*ANSWERED[:1], before=sets(FAILED)), LIMITS) is None


def test_the_policy_decides_how_many_are_too_many() -> None:
    """An inventory that is wrong every day needs more patience; a vault needs less."""
    patient, strict = Thresholds(scan_hour=30, scan_day=60), Thresholds(scan_hour=5)
    assert suspicious(suspect(*FAILED[:20]), patient) is None
    assert suspicious(suspect(*FAILED[:6]), strict) == HOUR


def test_the_finding_says_who_how_much_and_why() -> None:
    """One incident for the host, whatever it tried."""
    one = suspect(*FAILED[:20])
    (finding,) = inspect(one, Thresholds())
    assert (finding.severity, finding.subject) == (Severity.HIGH, CLIENT)
    assert DETECTOR.technique == "T1046"
    assert finding.facts == Failures("tag:Role=web", failed=21, span=HOUR, limit=12)
    assert "within 1 h" in describe(finding).summary
    assert "tag:Role=web" in describe(finding).because
    assert inspect(suspect(*FAILED[:3]), Thresholds()) == []


def test_many_privileged_ports_of_one_server_are_a_scan_though_all_answer() -> None:
    """Fifteen; nobody needs so many. Ports above are those of passive FTP, and hosts those of a fleet."""
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
