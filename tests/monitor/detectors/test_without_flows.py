"""Batches without flows: only some detectors run, and the others would find and store nothing."""

from __future__ import annotations

import pytest

from flowwarden.monitor.detectors import DETECTORS, detected
from flowwarden.monitor.detectors.base import Detector
from flowwarden.policy.detection import Thresholds
from flowwarden.records.columnar.flow_table import Table
from flowwarden.records.model import Gap, GapKind
from tests.flows import START, rejected
from tests.monitor.batches import Container, table
from tests.monitor.fakes_state import MemoryEvidence

ABOUT_FLOWS = [each for each in DETECTORS if each.about_flows]


def without_flows() -> Table:
    """Records of times without data, and of times that AWS skipped."""
    gaps = [
        Gap(kind=kind, interface_id="eni-1", start=START + 60 * number, end=START + 60 * number + 59)
        for kind in GapKind
        for number in range(5)
    ]
    return Table(table().flows, gaps, [])


@pytest.mark.parametrize("detector", ABOUT_FLOWS, ids=lambda each: each.name)
def test_a_detector_about_flows_finds_and_stores_nothing_without_flows(detector: Detector) -> None:
    """So the monitor need not run it."""
    evidence = MemoryEvidence()
    view, state = Container(evidence=evidence).begin(without_flows())
    assert [*detector.detect(view, state, Thresholds())] == []
    assert not evidence.written


def test_the_other_detectors_run_without_flows() -> None:
    """Three windows without records within an hour are a finding."""
    view, state = Container().begin(without_flows())
    assert {each.detector for each in detected(view, state)} == {"records-skipped"}


def test_all_detectors_run_if_there_are_flows() -> None:
    """One flow is enough."""
    view, state = Container().begin(table(rejected("198.51.100.7:40000", "10.0.0.1:22")))
    assert "internet-rejects" in {each.detector for each in detected(view, state)}
