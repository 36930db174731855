"""The table of detectors."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import flowwarden.detection
from flowwarden.detection import detectors
from flowwarden.detection.detectors import DETECTORS, INHIBITS, inspect
from flowwarden.policy import Policy
from tests.flows import directed, rejected

HELPERS = {"detectors", "findings", "selection"}


def modules() -> dict[str, object]:
    """Every module of the room that is a detector, by its NAME."""
    names = {info.name for info in pkgutil.iter_modules(flowwarden.detection.__path__)} - HELPERS
    found = [importlib.import_module(f"flowwarden.detection.{name}") for name in names]
    return {module.NAME: module for module in found}


def test_no_detector_is_forgotten_in_the_table() -> None:
    """A file with a detector is in the table, under its own name."""
    assert set(DETECTORS) == set(modules())


def test_every_detector_documents_itself_and_is_tested() -> None:
    """What, why, false positives, what to do, ATT&CK; and a test file of its own."""
    for name, module in modules().items():
        text = module.__doc__ or ""
        assert text.startswith(f"{name}:")
        for heading in ("What:", "Why:", "False positives:", "What to do:", "ATT&CK:"):
            assert heading in text, f"{name} lacks {heading}"
        assert Path(__file__).with_name(f"test_{name.replace('-', '_')}.py").exists()


def test_inhibition_names_detectors_that_exist() -> None:
    """A misspelt name would inhibit nothing, silently."""
    for name, silenced in INHIBITS.items():
        assert {name, *silenced} <= set(DETECTORS)


def test_probing_silences_the_blocked_connections_of_the_same_host_only() -> None:
    """One page for the prober; the application next to it keeps its own."""
    flows = directed(
        *(rejected("10.0.1.66:50000", f"10.0.2.30:{port}") for port in (22, 135, 445, 3306, 3389)),
        rejected("10.0.1.20:50000", "10.0.2.30:5432"),
    )
    found = {(finding.detector, finding.subject) for finding in detectors.inspect(flows, Policy())}
    assert found == {("probing", "10.0.1.66"), ("blocked-connection", "10.0.1.20")}


def test_an_empty_batch_has_no_findings() -> None:
    """Nothing comes of nothing."""
    assert inspect([], Policy()) == []
