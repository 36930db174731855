"""README.md and docs/detectors.md say what the detectors declare."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from flowwarden.monitor.detectors import DETECTORS
from flowwarden.monitor.detectors.base import Need
from flowwarden.notify.alert import Route
from local import docs_detectors

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PAGE = (ROOT / "docs" / "detectors.md").read_text()


def test_the_table_in_the_readme_is_up_to_date() -> None:
    """If not: `make docs`."""
    assert docs_detectors.with_table(README) == README


def test_the_page_is_up_to_date() -> None:
    """If not: `make docs`."""
    assert docs_detectors.page() == PAGE


@pytest.mark.parametrize("changed", ["a new summary", "| `scan-all` | more |"])
def test_a_stale_table_is_noticed_and_written_anew(changed: str) -> None:
    """A changed word and another row; the rest of the README stays."""
    row = docs_detectors.table().splitlines()[2]
    stale = README.replace(row, changed)
    assert stale != README
    assert docs_detectors.with_table(stale) == README


def test_every_detector_has_its_three_headings_on_the_page() -> None:
    """What, why, and what it may be wrong about."""
    sections = dict(zip((each.name for each in DETECTORS), PAGE.split("\n## ")[1:], strict=True))
    for name, section in sections.items():
        assert section.startswith(f"`{name}`\n")
        for heading in ("What", "Why", "False positives"):
            assert section.count(f"\n**{heading}:** ") == 1, name


def test_every_detector_says_on_the_page_what_to_do() -> None:
    """The steps of its runbook, in order; or that there is nothing to do."""
    sections = dict(zip((each.name for each in DETECTORS), PAGE.split("\n## ")[1:], strict=True))
    for each in DETECTORS:
        steps = "".join(f"\n{number}. {step}" for number, step in enumerate(each.runbook, start=1))
        expected = f"\n{steps}\n" if each.runbook else " nothing.\n"
        assert sections[each.name].partition("\n**What to do:**")[2].rstrip() == expected.rstrip(), each.name
    assert {each.name for each in DETECTORS if not each.runbook} == {"internet-rejects"}


def test_every_route_and_need_has_words() -> None:
    """One without would stop the writer when a detector first uses it."""
    assert docs_detectors.ROUTES.keys() == set(Route)
    assert docs_detectors.NEEDS.keys() == set(Need)


def test_the_page_takes_the_users_part_of_a_docstring() -> None:
    """Names of numbers get their values; headings for developers and what follows a blank line stay out."""
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
