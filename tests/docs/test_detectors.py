"""docs/detectors.md matches what the detectors declare."""

from __future__ import annotations

import re
from types import ModuleType

from flowwarden.monitor.detectors import DETECTORS
from flowwarden.monitor.detectors.base import Need
from flowwarden.monitor.render import rollup
from flowwarden.notify.alert import Route
from flowwarden.notify.notifier import MAX_SINGLE
from local import docs_detectors

PAGE = docs_detectors.page()


def test_the_page_is_up_to_date() -> None:
    """If this fails, run `make docs`."""
    assert docs_detectors.PAGE.read_text() == PAGE


def test_every_detector_is_in_the_table_once_and_in_order() -> None:
    """The roll-up is the last row."""
    rows = re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE)
    assert rows == [*(each.name for each in DETECTORS), rollup.NAME]


def test_a_row_shows_summary_severity_and_route() -> None:
    """Of the detector's own declaration."""
    for each in DETECTORS:
        row = f"| `{each.name}` | {each.summary} | {each.severity}: {docs_detectors.ROUTES[each.route]} |"
        assert row in PAGE.splitlines()


def test_the_page_names_the_limit_of_single_notifications() -> None:
    """Beyond it, the alerts are combined into a roll-up."""
    assert f"more than {MAX_SINGLE} alerts" in PAGE


def test_every_detector_has_its_three_headings_on_the_page() -> None:
    """What, why, and false positives."""
    sections = dict(zip((each.name for each in DETECTORS), PAGE.split("\n## ")[1:], strict=True))
    for name, section in sections.items():
        assert section.startswith(f"`{name}`\n")
        for heading in ("What", "Why", "False positives"):
            assert section.count(f"\n**{heading}:** ") == 1, name


def test_the_page_shows_the_runbook_of_every_detector() -> None:
    """The steps of its runbook, in order, or that nothing is to be done."""
    sections = dict(zip((each.name for each in DETECTORS), PAGE.split("\n## ")[1:], strict=True))
    for each in DETECTORS:
        steps = "".join(f"\n{number}. {step}" for number, step in enumerate(each.runbook, start=1))
        expected = f"\n{steps}\n" if each.runbook else " nothing.\n"
        assert sections[each.name].partition("\n**What to do:**")[2].rstrip() == expected.rstrip(), each.name
    assert {each.name for each in DETECTORS if not each.runbook} == {"internet-rejects"}


def test_every_route_and_need_has_a_text() -> None:
    """Without one, `make docs` would fail when a detector first uses it."""
    assert docs_detectors.ROUTES.keys() == set(Route)
    assert docs_detectors.NEEDS.keys() == set(Need)


def test_the_page_shows_the_part_of_a_docstring_for_users() -> None:
    """Numeric constants get values; headings for developers and text after a blank line are left out."""
    module = ModuleType(
        "x",
        "x: a detector.\n\nWhat: more than `MOST`\n    of it, `other` too.\nWhile it learns: no.\n"
        "Blind: `UNKNOWN`.\nEvents: a.json.\nATT&CK: none.\n\nHow it counts.\n",
    )
    module.__dict__["MOST"] = 4_000
    assert docs_detectors.paragraphs_of(module) == [
        "**What:** more than `MOST` (4,000) of it, `other` too.", "While it learns: no.",
        "**Blind:** `UNKNOWN`.",
    ]  # fmt: skip


def test_no_value_is_stated_twice() -> None:
    """The generator must not add a value that the docstring already states."""
    assert re.findall(r"\(([0-9.,]+)\)\s+\(\1\)", PAGE) == []
