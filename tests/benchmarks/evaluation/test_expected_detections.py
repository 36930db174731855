"""The evaluation uses the kinds of incidents that each detector declares."""

from __future__ import annotations

from msgspec.structs import replace

from benchmarks.evaluation.expected_detections import (
    ACCEPTABLE,
    DONE_TO,
    NEVER_PAGED,
    OF_MANY,
    about,
    blames_another,
    may_find,
)
from benchmarks.evaluation.generator.incidents import KINDS
from benchmarks.evaluation.generator.model import Incident
from benchmarks.evaluation.subject import Page
from flowwarden.monitor.detectors import DETECTORS


def test_the_generator_has_every_kind_and_every_kind_has_a_detector() -> None:
    """A misspelled kind would silently reduce recall."""
    assert set(ACCEPTABLE) == set(KINDS)
    assert set(ACCEPTABLE) >= DONE_TO
    assert all(ACCEPTABLE.values())


def test_a_detector_is_expected_for_exactly_the_kinds_it_declares() -> None:
    """In its `finds`."""
    for each in DETECTORS:
        assert {kind for kind, names in ACCEPTABLE.items() if each.name in names} == set(each.finds)


def test_all_detectors_but_two_find_a_kind_of_incident() -> None:
    """One of the two only counts background noise, the other one counts records that cannot be judged."""
    names = [each.name for each in DETECTORS if not each.finds]
    assert names == ["unjudged-records", "internet-rejects"]


def test_peers_are_expected_only_for_scans() -> None:
    """Their rules count the targets of a host."""
    assert may_find("zeek-port-scan", "slow-scan")
    assert not may_find("zeek-port-scan", "exfiltration")
    assert not may_find("egress-volume", "slow-scan")


def test_a_page_about_any_host_of_a_change_is_about_the_change() -> None:
    """A page about another host is not, nor is a page about a target of a single actor."""
    hosts = ("10.0.1.1", "10.0.1.2", "10.0.1.3")
    change = Incident("gossip-rollout", hosts[0], "eni-1", hosts, 0, 100)
    single = replace(change, kind="horizontal-scan")
    page = Page(
        at=1, arrived=50, detector="scan", subject=hosts[2], key="k", confidence=1.0, names=frozenset()
    )
    assert change.kind in OF_MANY
    assert about(page, change)
    assert not about(page, single)
    assert not about(replace(page, subject="10.0.1.9"), change)


def test_a_page_that_blames_the_victim_of_an_incident_has_a_wrong_subject() -> None:
    """Scanned hosts, and the clients and servers of tightened rules, did nothing."""
    hosts = ("10.0.1.1", "10.0.1.2", "10.0.1.3")
    page = Page(
        at=1, arrived=50, detector="scan", subject=hosts[1], key="k", confidence=1.0, names=frozenset()
    )
    page = replace(page, names=frozenset(hosts[:2]))
    tightened = Incident("tightened-egress", hosts[0], "eni-1", hosts, 0, 100)
    for kind in ("tightened-egress", "tightened-group", "horizontal-scan", "exfiltration"):
        assert blames_another(page, [replace(tightened, kind=kind)])
    # A host that acts, or a detector that reports victims as victims.
    assert not blames_another(replace(page, subject=hosts[0]), [tightened])
    assert not blames_another(replace(page, detector="blocked-connection"), [tightened])
    assert not blames_another(page, [replace(tightened, kind="gossip-rollout")])


def test_a_page_that_no_incident_has_to_do_with_blames_no_other() -> None:
    """It is a false page; and a count over a day may show the host that acted hours before."""
    scan = Incident("horizontal-scan", "10.0.1.1", "eni-1", ("10.0.1.2",), 0, 100)
    page = Page(
        at=1, arrived=50, detector="scan", subject="10.0.9.9", key="k", confidence=1.0, names=frozenset()
    )
    assert not blames_another(replace(page, names=frozenset({"10.0.9.9"})), [scan])
    late = replace(page, subject=scan.source, arrived=20 * 3600, names=frozenset({scan.source, "10.0.1.7"}))
    other = Incident("exfiltration", "10.0.1.7", "eni-7", (scan.source,), 19 * 3600, 21 * 3600)
    assert not blames_another(late, [scan, other])
    assert blames_another(late, [other])
    # A page about ordinary traffic of a host that an unrelated incident also has as a target.
    assert not blames_another(replace(late, names=frozenset({scan.source, "203.0.113.9"})), [other])


def test_the_detectors_that_never_page_are_known() -> None:
    """The evaluation scores their findings instead of pages."""
    assert {"reject-spike", "ping-sweep"} == NEVER_PAGED
