"""The texts of notifications change only on purpose."""

from __future__ import annotations

import pytest

from flowwarden.monitor.detectors import DETECTORS
from tests.monitor.render.examples import EXAMPLES
from tests.monitor.render.golden import (
    CONTEXTS,
    FOLDER,
    HELD,
    ONE_HOST,
    PAIRS,
    page_of,
    page_of_held,
    page_of_one_host,
    page_of_pair,
    page_with_rules,
    path_of,
)
from tests.monitor.render.named_interfaces import KINDS
from tests.monitor.render.rule_pages import PAGES


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_page_equals_its_golden_page(name: str) -> None:
    """Word for word. If the change is intended, run `make golden` and review the difference."""
    assert page_of(name) == path_of(name).read_text()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_with_rules_equals_its_golden_page(name: str) -> None:
    """Which rule blocks the connection, what else would, and what was changed."""
    assert page_with_rules(name) == path_of(name).read_text()


def test_the_update_about_one_host_equals_its_golden_page() -> None:
    """It names what the host did in two batches."""
    assert page_of_one_host() == path_of(ONE_HOST).read_text()


def test_the_page_about_held_pages_equals_its_golden_page() -> None:
    """It lists them, and says until when pages are held."""
    assert page_of_held() == path_of(HELD).read_text()


@pytest.mark.parametrize("name", [*KINDS, *CONTEXTS])
def test_a_page_about_an_interface_equals_its_golden_page(name: str) -> None:
    """One for each kind of interface, for each missing part of a description, and without names."""
    assert page_of_pair(name) == (PAIRS / f"{name}.txt").read_text()


def test_every_golden_page_about_an_interface_has_its_example() -> None:
    """None is left of a removed one."""
    assert {each.stem for each in PAIRS.iterdir()} == {*KINDS, *CONTEXTS}


def test_every_detector_has_a_golden_page_and_every_golden_page_a_detector() -> None:
    """None is missing, and none is left of a removed detector; two are about several."""
    names = {each.name for each in DETECTORS}
    assert names == EXAMPLES.keys()
    assert {each.name for each in FOLDER.iterdir() if each != PAIRS} == {
        path_of(name).name for name in (*names, *PAGES, ONE_HOST, HELD)
    }


def test_an_example_is_a_finding_of_its_detector() -> None:
    """Otherwise a golden page would show another detector's text."""
    assert {name: make().detector for name, make in EXAMPLES.items()} == {name: name for name in EXAMPLES}
