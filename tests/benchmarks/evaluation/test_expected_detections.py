"""The evaluation expects detectors that exist, or the rules of peers."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.evaluation.expected_detections import ACCEPTABLE, DONE_TO, NEVER_PAGED
from benchmarks.evaluation.generator.incidents import KINDS
from benchmarks.evaluation.peers import PEERS
from flowwarden.monitor.detectors import DETECTORS, internet_rejects
from flowwarden.notify.alert import Route

NAMES = {each.name for each in DETECTORS}
OF_PEERS = {rule.name for rules in PEERS.values() for rule in rules}
EXPECTED = frozenset[str]().union(*ACCEPTABLE.values())


def unknown(names: Iterable[str]) -> set[str]:
    """Those that are neither a detector's nor a peer's."""
    return set(names) - NAMES - OF_PEERS


def test_what_is_expected_exists() -> None:
    """A misspelt name would find nothing, and cost recall in silence."""
    assert unknown(EXPECTED) == set()


def test_a_name_that_no_detector_has_is_noticed() -> None:
    """An old name, for one."""
    assert unknown([*EXPECTED, "probing"]) == {"probing"}


def test_every_detector_is_expected_somewhere() -> None:
    """All but the one that only counts what no incident stands behind."""
    assert {internet_rejects.DETECTOR.name} == NAMES - EXPECTED


def test_what_goes_to_the_log_alone_is_never_paged() -> None:
    """Its findings are judged by what is reported."""
    to_log = {each.name for each in DETECTORS if each.route is Route.LOG}
    assert to_log & EXPECTED == NEVER_PAGED


def test_every_kind_of_incident_is_the_generators() -> None:
    """No expectation stands for a kind that never happens."""
    assert set(ACCEPTABLE) == set(KINDS)
    assert set(ACCEPTABLE) >= DONE_TO
