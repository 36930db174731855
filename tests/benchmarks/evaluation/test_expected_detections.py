"""The evaluation uses the kinds of incidents that each detector declares."""

from __future__ import annotations

from msgspec.structs import replace

from benchmarks.evaluation.expected_detections import (
    ACCEPTABLE,
    DONE_TO,
    NEVER_PAGED,
    OF_MANY,
    about,
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
    """For no other kind."""
    for each in DETECTORS:
        assert {kind for kind, names in ACCEPTABLE.items() if each.name in names} == set(each.finds)


def test_every_detector_finds_something() -> None:
    """Except the one that only counts background noise, and the one about records that none can judge."""
    names = [each.name for each in DETECTORS if not each.finds]
    assert names == ["unjudged-records", "internet-rejects"]


def test_peers_are_expected_only_for_scans() -> None:
    """Their rules count the targets of a host."""
    assert may_find("zeek-port-scan", "slow-scan")
    assert not may_find("zeek-port-scan", "exfiltration")
    assert not may_find("egress-volume", "slow-scan")


def test_a_page_about_any_of_many_hosts_is_about_their_change() -> None:
    """Not about another host, and not about one of the targets of a single actor."""
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


def test_detectors_that_only_log_are_scored_by_their_findings() -> None:
    """They never page."""
    assert {"reject-spike", "ping-sweep"} == NEVER_PAGED
