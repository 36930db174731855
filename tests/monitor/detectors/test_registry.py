"""DETECTORS: the one registry, compared with the files of detectors."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest
from msgspec.structs import replace

import flowwarden.monitor.detectors
from flowwarden.monitor.detectors import DETECTORS, base, reject_spike, scan
from flowwarden.monitor.detectors.base import Detector
from flowwarden.notify.alert import Route
from flowwarden.policy.detection import Thresholds
from flowwarden.state.schema import CONTACTS_DAY, ITEMS

NAMES = {each.name for each in DETECTORS}


def modules() -> dict[str, ModuleType]:
    """Every detector module, by its detector name according to its file."""
    files = {info.name for info in pkgutil.iter_modules(flowwarden.monitor.detectors.__path__)}
    found = [importlib.import_module(f"flowwarden.monitor.detectors.{name}") for name in files - {"base"}]
    return {module.__name__.rpartition(".")[2].replace("_", "-"): module for module in found}


def values(module: ModuleType) -> list[Detector]:
    """The detectors that a module defines."""
    return [each for each in vars(module).values() if isinstance(each, Detector)]


def unknown(detectors: Sequence[Detector]) -> list[str]:
    """Names that detectors use and nothing defines: other detectors, thresholds and stored items."""
    thresholds = set(Thresholds.__struct_fields__)
    return [
        *(name for each in detectors for name in each.inhibits if name not in NAMES - {each.name}),
        *(name for each in detectors for name in each.thresholds if name not in thresholds),
        *(item.name for each in detectors for item in each.state if item not in ITEMS),
    ]


def test_every_file_defines_one_registered_detector() -> None:
    """Under the name of its file, and once."""
    found = modules()
    for name, module in found.items():
        (detector,) = values(module)
        assert detector is module.DETECTOR
        assert detector.name == name
    assert sorted(each.name for each in DETECTORS) == sorted(found)


def test_a_file_without_a_detector_is_detected() -> None:
    """`base` defines no detector."""
    assert values(base) == []


def test_detectors_refer_to_existing_names() -> None:
    """A misspelled name would silently inhibit nothing."""
    assert unknown(DETECTORS) == []


@pytest.mark.parametrize(
    ("detector", "name"),
    [
        (replace(scan.DETECTOR, inhibits=("probing",)), "probing"),
        (replace(scan.DETECTOR, inhibits=("scan",)), "scan"),
        (replace(scan.DETECTOR, thresholds=("scan_week",)), "scan_week"),
        (replace(scan.DETECTOR, state=(replace(CONTACTS_DAY, name="week"),)), "week"),
    ],
)
def test_an_unknown_name_is_detected(detector: Detector, name: str) -> None:
    """Of another detector, of itself, of a threshold, of a stored item."""
    assert unknown([detector]) == [name]


def test_every_threshold_belongs_to_a_detector() -> None:
    """A threshold that no detector reads has no effect."""
    assert {name for each in DETECTORS for name in each.thresholds} == set(Thresholds.__struct_fields__)


def test_paging_detectors_have_a_paging_severity() -> None:
    """Detectors that only log have none."""
    for each in DETECTORS:
        assert each.severity.pages == (each.route not in {Route.LOG, Route.DIGEST}), each.name
        assert each.unpaged in {Route.LOG, Route.DIGEST}
    assert not reject_spike.DETECTOR.severity.pages


def test_every_detector_documents_itself_and_is_tested() -> None:
    """What, why, false positives, ATT&CK, and a test file."""
    for name, module in modules().items():
        text = module.__doc__ or ""
        assert text.startswith(f"{name}:")
        for heading in ("What:", "Why:", "False positives:", "Events:", "ATT&CK:"):
            assert heading in text, f"{name} lacks {heading}"
        tests = Path(__file__).parent / f"test_{module.__name__.rpartition('.')[2]}.py"
        assert tests.exists()


def test_notifying_detectors_have_a_runbook() -> None:
    """Detectors that only log may need none."""
    assert [each.name for each in DETECTORS if not each.runbook and each.route is not Route.LOG] == []


def test_every_detector_names_its_events() -> None:
    """The files exist. If a single event can show nothing, it names the tests instead."""
    root = Path(__file__).parents[3]
    for name, module in modules().items():
        events = re.search(r"^Events: ([^\n]+)", module.__doc__ or "", re.MULTILINE)
        assert events, name
        named = re.findall(r"[a-z_/-]+\.(?:json|py)", events[1])
        files = [root / ("events/monitor" if each.endswith(".json") else "") / each for each in named]
        assert files, name
        assert all(each.is_file() for each in files), f"{name} names {named}"
