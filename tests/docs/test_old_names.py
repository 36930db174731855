"""No name that the changelog replaces still occurs in the documentation or in the template."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
CHANGELOG: Final = (ROOT / "CHANGELOG.md").read_text()
READ: Final = (
    *(path for path in sorted(ROOT.glob("*.md")) if path.name != "CHANGELOG.md"),
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "template.yaml",
    ROOT / "samconfig.toml",
    ROOT / "Makefile",
)
STILL_A_NAME: Final = {"enforcer"}
"""An old key of the state table; also a folder and a function."""
_CODE: Final = re.compile(r"`([^`]+)`")
_RENAMED: Final = re.compile(r"`([^`]+)` is\s+`[^`]+`")


def old_names(changelog: str) -> set[str]:
    """The names in the column Old of each table, and those of sentences such as "`A` is `B`"."""
    found = {name for name in _RENAMED.findall(changelog) if " " not in name}
    column = None
    for line in changelog.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.strip().startswith("|"):
            column = None
        elif "Old" in cells:
            column = cells.index("Old")
        elif column is not None:
            found |= {*_CODE.findall(cells[column])}
    return found - STILL_A_NAME


def occurs(old: str, text: str) -> bool:
    """Whether an old name occurs in a text; an English word counts only as code, and only whole."""
    if re.fullmatch("[A-Z]?[a-z]+", old):
        return bool(re.search(rf"`(?:<stack>/)?{old}`", text))
    return bool(re.search(rf"(?<![\w-]){re.escape(old)}{'' if old.endswith('#') else r'(?![\w-])'}", text))


def findings(names: set[str]) -> Iterator[str]:
    """Each old name with the file that contains it."""
    for path in READ:
        text = path.read_text()
        yield from (f"{path.relative_to(ROOT)}: {name}" for name in sorted(names) if occurs(name, text))


def test_no_old_name_occurs_in_the_docs_or_the_template() -> None:
    """A reader would look for a parameter, an alarm or a detector that no longer exists."""
    assert [*findings(old_names(CHANGELOG))] == []


def test_the_changelog_has_old_names_of_every_kind() -> None:
    """So the test above compares something: parameters, alarms, detectors, settings and so on."""
    wanted = {
        "LookRate",
        "look-lost",
        "SightLost",
        "scan-hit",
        "shut_clients",
        "foreign",
        "held_back",
        "lost#",
    }
    assert wanted <= old_names(CHANGELOG)
    assert "LayoutsUnavailable" in old_names(CHANGELOG)


@pytest.mark.parametrize(
    ("old", "text", "expected"),
    [
        ("storm", "A `storm` of alerts", True),
        ("storm", "the alarm `<stack>/storm`", True),
        ("storm", "after a storm", False),
        ("look-lost", "the alarm flow-warden/look-lost reports", True),
        ("look-lost", "`outlook-lost`", False),
        ("look-lost", "`look-lost-again`", False),
        ("LookRate", "with LookRate=5", True),
        ("LookRate", "with LookRates", False),
        ("lost#", "keys `lost#eni`", True),
    ],
)
def test_names_are_found_as_a_whole(old: str, text: str, expected: bool) -> None:  # noqa: FBT001 - a table
    """English words are found only as code."""
    assert occurs(old, text) is expected


def test_only_tables_of_old_and_new_names_and_sentences_of_renaming_count() -> None:
    """Other tables and other code do not count."""
    changelog = (
        "| A | B |\n|---|---|\n| `x_y` | `z` |\n\n| | Old | New |\n|---|---|---|\n| k | `a-b`: `c` | `d` |\n"
    )
    assert old_names(changelog + "The metric `P` is `Q`, and `R` stays.") == {"a-b", "c", "P"}
