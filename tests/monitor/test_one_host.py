"""What one host does is one incident: of several detectors, in any batches and containers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flowwarden.monitor.acting_hosts import HOSTS_OF_CHANGE, act_of, behavior_of
from flowwarden.monitor.caches.state import StateCache
from flowwarden.monitor.findings import Finding, Severity
from flowwarden.monitor.inhibition import Inhibition
from flowwarden.monitor.traffic.hosts import Hosts
from flowwarden.notify.claim_request import ClaimRequest
from flowwarden.notify.claims import ClaimKey, Owner
from flowwarden.notify.evidence import Evidence
from flowwarden.notify.notification import Notification
from tests.examples import examples
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.one_host import (
    HOST,
    NOW,
    OTHER,
    ROLE,
    Monitor,
    called,
    guessed,
    left,
    moved,
    probed,
    scanned,
    sent,
)
from tests.monitor.render.examples import EXAMPLES

DAY, HOUR = 86_400, 3600
MAKERS = (scanned, probed, moved, guessed, sent, left)


def severities(pages: Sequence[Notification]) -> list[str]:
    """The severity of each page."""
    return [each.attributes["severity"] for each in pages]


def incidents(pages: Sequence[Notification]) -> set[str]:
    """The incidents of the pages."""
    return {each.document["incident"] for each in pages}


def expected(findings: Sequence[Finding]) -> Severity:
    """The severity of all findings about a host: the rule, written down a second time."""
    gravest = min((each.severity for each in findings), key=lambda each: each.rank)
    kinds = {behavior_of(each) for each in findings}
    return Severity.CRITICAL if len(kinds) > 1 and gravest is Severity.HIGH else gravest


@pytest.mark.parametrize("together", [True, False], ids=["one batch", "two batches"])
def test_a_scan_and_lateral_movement_by_one_host_are_one_critical_incident(*, together: bool) -> None:
    """In the same batch, one page; in two batches and containers, a page and its update."""
    monitor = Monitor()
    batches = [[scanned(), moved()]] if together else [[scanned()], [moved(at=NOW + 720)]]
    pages = [page for at, each in enumerate(batches) for page in monitor.process(each, NOW + 720 * at)]
    assert severities(pages) == (["critical"] if together else ["high", "critical"])
    assert len(incidents(pages)) == 1


def test_the_page_names_what_the_host_did_and_since_when() -> None:
    """With the facts of each, also those that another batch saw; the subject shows the severity of all."""
    monitor = Monitor()
    monitor.process([scanned()])
    (page,) = monitor.process([moved(at=NOW + 720)], NOW + 720)
    assert page.subject == f"[CRITICAL UPDATED] {HOST}: scan, then lateral-movement (eu-west-1)"
    assert "Same host    10.0.1.66 did all of this, which is one incident:" in page.text
    assert "  - since 2025-11-24 16:00:00 UTC, scan (high): 10.0.1.66 failed to connect to" in page.text
    assert "  - since 2025-11-24 16:12:00 UTC, lateral-movement (medium): 10.0.1.66 contacted" in page.text
    events = page.document["same_host"]["events"]
    assert [(each["detector"], each["since"]) for each in events] == [
        ("scan", NOW),
        ("lateral-movement", NOW + 720),
    ]
    assert page.document["same_cause"] is None


def test_a_page_about_several_findings_contains_a_mute_for_each() -> None:
    """The mute of one does not hide the other."""
    (page,) = Monitor().process([scanned(), moved()])
    for name in "scan", "lateral-movement":
        assert f'{{"detector":"{name}","subject":"{HOST}"' in page.document["mutes"]


def test_a_finding_of_a_known_kind_is_a_repeat() -> None:
    """Whichever detector reports it, and although it is less severe than what was reported."""
    monitor = Monitor()
    first = [[guessed()], [scanned()], [moved()], [probed()], [scanned(ports=(80, 81, 82))], [guessed()]]
    pages = [page for at, each in enumerate(first) for page in monitor.process(each, NOW + 60 * at)]
    assert severities(pages) == ["high", "critical"]


def test_a_third_kind_is_an_update() -> None:
    """At the same severity, since there is none above."""
    monitor = Monitor()
    pages = [*monitor.process([scanned(), moved(at=NOW + 60)], NOW + 60)]
    pages += monitor.process([sent(at=NOW + HOUR)], NOW + HOUR)
    assert severities(pages) == ["critical", "critical"]
    assert pages[1].subject.endswith(": scan, then lateral-movement, then egress-volume (eu-west-1)")


def test_kinds_that_are_all_medium_are_not_graver_together() -> None:
    """They are one incident; a graver finding then makes it critical."""
    monitor = Monitor()
    pages = [page for each in (moved(), sent(), guessed()) for page in monitor.process([each])]
    assert severities(pages) == ["medium", "medium", "critical"]
    assert len(incidents(pages)) == 1


def test_a_tenfold_amount_is_an_update() -> None:
    """In units of the detector's threshold, so that bytes do not hide failures."""
    monitor = Monitor()
    monitor.process([scanned(), sent()])
    far = scanned()
    assert monitor.process([replace(far, facts=replace(far.facts, failed=180))], NOW + 60) == []
    (page,) = monitor.process([replace(far, facts=replace(far.facts, failed=240))], NOW + 120)
    assert severities([page]) == ["critical"]


def test_administration_without_an_answer_is_part_of_a_scan() -> None:
    """A sweep for SSH is counted by both detectors, and is no graver for it."""
    unanswered = moved(answered=0)
    for order in permutations([scanned(), unanswered]):
        monitor = Monitor()
        pages = [page for each in order for page in monitor.process([each])]
        assert severities(pages)[-1] == "high"
        assert len(incidents(pages)) == 1
    assert severities(Monitor().process([scanned(), unanswered])) == ["high"]


def test_two_hosts_are_two_incidents() -> None:
    """Neither is critical."""
    monitor = Monitor()
    pages = [*monitor.process([scanned()]), *monitor.process([moved(OTHER)])]
    assert severities(pages) == ["high", "medium"]
    assert len(incidents(pages)) == 2


def test_the_same_address_in_another_vpc_is_another_host() -> None:
    """A VPC of another team may use the same addresses."""
    other = moved()
    flow = replace(other.example.flow, vpc_id="vpc-2")
    other = replace(other, example=replace(other.example, flow=flow))
    monitor = Monitor()
    pages = [*monitor.process([scanned()]), *monitor.process([other])]
    assert severities(pages) == ["high", "medium"]


@pytest.mark.parametrize(
    "name",
    [
        *("blocked-connection", "service-blocked", "egress-denied", "nacl-blocks-replies"),
        *("scanner-connected", "internet-brute-force", "internet-to-admin-port", "internet-to-private"),
        *("interface-silent", "unparsed-lines", "records-skipped", "internet-rejects", "reject-spike"),
    ],
)
def test_faults_and_hosts_outside_are_no_behavior(name: str) -> None:
    """A rule that refuses a host, or what the internet does to it, never joins its incident."""
    assert act_of(EXAMPLES[name]()) is None


@pytest.mark.parametrize("make", MAKERS)
def test_the_subject_is_the_host_that_acts(make: Any) -> None:
    """So the attacked hosts have no pages of their own."""
    (page,) = Monitor().process([make()])
    assert page.document["subject"] == HOST


@given(data=st.data())
@examples(1)
def test_order_and_batches_do_not_change_the_incident(data: st.DataObject) -> None:
    """Any findings about a host without a role: one incident, which ends with the severity of all of them."""
    makers = data.draw(st.lists(st.sampled_from(MAKERS), min_size=1, max_size=8))
    answers = data.draw(st.integers(0, 1))
    found = [make(answered=answers) if make is moved else make() for make in makers]
    cuts = data.draw(st.lists(st.booleans(), min_size=len(found), max_size=len(found)))
    batches: list[list[Finding]] = [[]]
    for finding, cut in zip(found, cuts, strict=True):
        batches += [[]] if cut else []
        batches[-1].append(finding)
    monitor = Monitor()
    pages = [page for at, each in enumerate(batches) for page in monitor.process(each, NOW + 60 * at)]
    assert len(incidents(pages)) == 1
    assert severities(pages)[-1] == expected(found)
    assert len(pages) <= 2 * len({behavior_of(each) for each in found})


@given(order=st.permutations([scanned, moved, sent, left]), times=st.integers(1, 2), one=st.booleans())
@examples(1)
def test_a_host_with_a_role_ends_as_gravely(order: Sequence[Any], times: int, *, one: bool) -> None:
    """Its first findings may belong to an incident of its role; what it does in all is as grave."""
    monitor = Monitor()
    ports = (8080,) if one else (80, 443)
    found = [make(role=ROLE, ports=ports) if make is scanned else make(role=ROLE) for make in order]
    pages = [page for each in found * times for page in monitor.process([each])]
    assert severities(pages)[-1] == "critical"
    assert len(pages) <= 4


def test_hosts_of_a_role_that_try_one_service_are_an_incident_of_the_role() -> None:
    """New software, which starts on all of them; a host that tries something else has its own incident."""
    monitor = Monitor()
    rollout = [scanned(f"10.0.1.{host}", ROLE, ports=(7946,)) for host in range(10, 18)]
    pages = [page for at, each in enumerate(rollout) for page in monitor.process([each], NOW + 60 * at)]
    assert severities(pages) == ["high"]
    (own,) = monitor.process([moved("10.0.1.12", ROLE)], NOW + HOUR)
    assert severities([own]) == ["critical"]
    assert incidents([own]) != incidents(pages)
    assert monitor.process([scanned("10.0.1.12", ROLE, ports=(7946,))], NOW + HOUR + 60) == []


def fleet(make: Any, hosts: int, at: int, monitor: Monitor, **given: Any) -> list[str]:
    """The severities of the pages about hosts of the role, each in a batch of its own."""
    each_host = (make(f"10.0.1.{number}", ROLE, at=at, **given) for number in range(10, 10 + hosts))
    pages = [page for step, each in enumerate(each_host) for page in monitor.process([each], at + 60 * step)]
    return severities(pages)


@pytest.mark.parametrize("order", [(sent, scanned), (scanned, sent)])
def test_two_changes_of_a_role_are_two_incidents_not_one_for_each_host(order: Sequence[Any]) -> None:
    """Debug logging on one day, new software on the next: eight hosts did both, because their role did."""
    monitor = Monitor()
    ports = {scanned: {"ports": (7946,)}, sent: {}}
    pages = [fleet(make, 8, NOW + day * 20 * HOUR, monitor, **ports[make]) for day, make in enumerate(order)]
    assert [len(each) for each in pages] == [1, 1]
    assert "critical" not in {each for some in pages for each in some}


@pytest.mark.parametrize(("hosts", "own"), [(1, ["critical"]), (2, ["critical"]), (3, []), (8, [])])
def test_what_a_few_hosts_of_a_role_did_is_no_change_of_the_role(hosts: int, own: list[str]) -> None:
    """One of them that then does something else has an incident of its own, unless the role did the first."""
    monitor = Monitor()
    fleet(sent, hosts, NOW, monitor)
    later = [scanned(f"10.0.1.{number}", ROLE, ports=(7946,)) for number in (60, 61, 62, 10)]
    pages = [page for step, each in enumerate(later) for page in monitor.process([each], NOW + HOUR + step)]
    assert severities(pages) == ["high", *own]


def test_a_container_adds_no_further_hosts_to_a_role_that_is_known_to_have_changed() -> None:
    """A role can have thousands of hosts, and each write is charged for the whole item."""
    evidence, hosts = MemoryEvidence(), Hosts({})
    state = StateCache(evidence)
    for number in range(50):
        found = [sent(f"10.0.1.{number}", ROLE), moved(f"10.0.1.{number}", ROLE)][: 1 + (number == 40)]
        Inhibition("111122223333", 240, NOW).store(found, state.for_batch(), (), hosts)
    ((key, sets),) = [each for each in evidence.items.items() if ROLE in each[0]]
    assert {name: len(numbers) for name, numbers in sets.items()} == {"egress": HOSTS_OF_CHANGE, "access": 1}
    assert evidence.written.count(key) == HOSTS_OF_CHANGE + 1


def test_a_host_that_no_change_explains_has_its_own_incident_whatever_its_role_did() -> None:
    """It tries several services, or logs in elsewhere; its incident names what it did with its role."""
    for make, severity in ((scanned, "critical"), (moved, "medium")):
        monitor = Monitor()
        fleet(sent, 8, NOW, monitor)
        (page,) = monitor.process([make("10.0.1.12", ROLE)], NOW + HOUR)
        assert severities([page]) == [severity]
        assert "egress-volume" in {each["detector"] for each in page.document["same_host"]["events"]}


def test_a_scan_that_begins_with_one_service_stays_one_incident() -> None:
    """The batches of a scan may show one port or several."""
    monitor = Monitor()
    for at, ports in enumerate([(8080,), (80, 443), (22,), (8080,)]):
        pages = monitor.process([scanned(role=ROLE, ports=ports)], NOW + 600 * at)
        assert len(pages) == (at == 0)


def test_a_beacon_of_one_host_belongs_to_what_else_it_does() -> None:
    """A new port that several hosts of the role use is a release."""
    monitor = Monitor()
    pages = [*monitor.process([called(HOST)]), *monitor.process([scanned()], NOW + HOUR)]
    assert severities(pages) == ["medium", "critical"]
    monitor = Monitor()
    pages = [*monitor.process([called(HOST, OTHER)]), *monitor.process([scanned()], NOW + HOUR)]
    assert severities(pages) == ["medium", "high"]


def test_the_incident_ends_with_a_pause() -> None:
    """After a day and the suppression window without a finding, the host begins a new incident."""
    monitor = Monitor()
    monitor.process([scanned()])
    (page,) = monitor.process([moved()], NOW + DAY + 5 * HOUR)
    assert severities([page]) == ["medium"]
    assert len(page.document["same_host"]["events"]) == 1


def test_without_the_table_a_page_is_sent_and_names_its_own_findings() -> None:
    """A superfluous page is better than a missing one."""
    monitor = Monitor()
    monitor.claims.away = {"claim"}
    pages = [*monitor.process([scanned()]), *monitor.process([moved()])]
    assert severities(pages) == ["high", "critical"]
    monitor.evidence.is_away = True
    assert severities(monitor.process([moved()])) == ["medium"]


def test_a_finding_that_came_while_another_container_was_sending_is_in_the_next_page() -> None:
    """It is not sent, because the other page is; any further finding about the host reports both."""
    monitor, other = Monitor(), Owner("another batch", "1")
    (scan,) = Monitor().process([scanned()])
    key = ClaimKey(monitor.pages.name, scan.document["incident"])
    monitor.claims.claim(ClaimRequest(key, other, NOW))
    assert monitor.process([moved()]) == []
    reported = Evidence(gravity=2, members=("scan",), places=("scan",), asks=(("scan",),), combines=2)
    monitor.claims.confirm(ClaimRequest(key, other, NOW, DAY, reported))
    (page,) = monitor.process([scanned()], NOW + 60)
    assert severities([page]) == ["critical"]
