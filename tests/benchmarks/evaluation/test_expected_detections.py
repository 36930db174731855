"""The evaluation expects what each detector says that it finds."""

from __future__ import annotations

from benchmarks.evaluation.expected_detections import ACCEPTABLE, DONE_TO, NEVER_PAGED, may_find
from benchmarks.evaluation.generator.incidents import KINDS
from flowwarden.monitor.detectors import DETECTORS, internet_rejects


def test_every_kind_of_incident_is_the_generators_and_has_a_detector() -> None:
    """A misspelt kind would find nothing, and cost recall in silence."""
    assert set(ACCEPTABLE) == set(KINDS)
    assert set(ACCEPTABLE) >= DONE_TO
    assert all(ACCEPTABLE.values())


def test_a_detector_is_expected_for_each_kind_that_it_finds() -> None:
    """And for no other."""
    for each in DETECTORS:
        assert {kind for kind, names in ACCEPTABLE.items() if each.name in names} == set(each.finds)


def test_every_detector_finds_something() -> None:
    """All but the one that only counts what no incident stands behind."""
    assert [each for each in DETECTORS if not each.finds] == [internet_rejects.DETECTOR]


def test_peers_are_expected_for_scans_alone() -> None:
    """Their rules count places that a host asks."""
    assert may_find("zeek-port-scan", "slow-scan")
    assert not may_find("zeek-port-scan", "exfiltration")
    assert not may_find("egress-volume", "slow-scan")


def test_what_goes_to_the_log_alone_is_judged_by_what_is_reported() -> None:
    """It never pages."""
    assert {"reject-spike"} == NEVER_PAGED
