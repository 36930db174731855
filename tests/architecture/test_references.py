"""Modules and files that docstrings, comments and pages mention exist, so renames leave no stale names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.architecture import source

DOTTED = re.compile(r"`([a-z_]+(?:\.[a-z_]+)+)`")
FILE = re.compile(r"`((?:[a-z_]+/)*[a-z_]+\.py)`")
MODULES = {
    source.name(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    for path in source.python("layers/flowwarden", "cli")
}
FORMER = {
    "alerting",
    "compliance",
    "detection",
    "services",
    "last_seen",
    "places",
    "rows",
    "upkeep",
    "wishes",
}
"""First words of names that existed before and may still be used by mistake."""


def is_module(dotted: str) -> bool:
    """Whether the path of a module ends with this name."""
    return any(each == dotted or each.endswith(f".{dotted}") for each in MODULES)


def stale(text: str) -> list[str]:
    """Dotted names in the text that begin with a former package, or with a module that lacks the name."""
    found = []
    for dotted in DOTTED.findall(text):
        owner, _, attribute = dotted.rpartition(".")
        defined = is_module(dotted) or (is_module(owner) and defines(owner, attribute))
        if not defined and (dotted.partition(".")[0] in FORMER or is_module(owner)):
            found.append(dotted)
    return found


def defines(owner: str, attribute: str) -> bool:
    """Whether a module whose path ends with `owner` defines the name at its top level."""
    paths = [path for path in source.python("layers/flowwarden", "cli") if _ends(path, owner)]
    return any(
        re.search(rf"^(?:def |class |type )?{attribute}\b", source.text(each), re.MULTILINE) for each in paths
    )


def _ends(path: Path, owner: str) -> bool:
    return f"/{source.name(path)}".removesuffix(".py").endswith("/" + owner.replace(".", "/"))


def missing(text: str, names: Iterable[str]) -> list[str]:
    """Python files that the text mentions but the project does not contain."""
    known = [f"/{each}" for each in names]
    return [each for each in FILE.findall(text) if not any(name.endswith(f"/{each}") for name in known)]


def test_every_mentioned_module_exists() -> None:
    """In docstrings and comments."""
    paths = source.python("layers/flowwarden", "cli", "functions", "local")
    assert {source.name(path): each for path in paths if (each := stale(source.text(path)))} == {}


def test_every_mentioned_python_file_exists() -> None:
    """In sources and pages; CHANGELOG can mention former files."""
    names = [source.name(path) for path in source.files()]
    texts = [path for path in source.files() if path.suffix in {".py", ".md"} and path.name != "CHANGELOG.md"]
    found = {source.name(path): each for path in texts if (each := missing(source.text(path), names))}
    assert found == {}


@pytest.mark.parametrize(
    "named", ["compliance.activity", "last_seen.number_of", "state.heartbeats_of", "line_decoder.flow_types"]
)
def test_a_stale_name_is_found(named: str) -> None:
    """A former package, and a module without this name."""
    assert stale(f"see `{named}`") == [named]


@pytest.mark.parametrize("named", ["state.heartbeats", "heartbeats.number_of", "os.environ", "self.parts"])
def test_existing_and_external_names_are_not_reported(named: str) -> None:
    """Modules by the end of their path, names that they define, and names outside the project."""
    assert stale(f"see `{named}`") == []


def test_a_stale_file_is_found() -> None:
    """A file exists if the path of a file of the project ends with its name."""
    assert missing("`look" + "ing.py` and `state/sets.py`", ["x/state/sets.py"]) == ["looking.py"]


def described_packages(page: str) -> set[str]:
    """The packages in the source tree of a page: words after the folder, up to the next folder."""
    described = re.search(r"^layers/flowwarden/ +(.*\n(?: {10,}.*\n)*)", page, re.MULTILINE)
    words = re.findall(r"[a-z]+", described[1]) if described else []
    return set(words) - {"the", "package", "and", "which", "all", "use"}


def test_the_source_tree_in_the_docs_lists_exactly_the_existing_packages() -> None:
    """In docs/design.md."""
    folders = {each.parent.name for each in (source.PACKAGE).glob("*/__init__.py")}
    assert described_packages(source.text(source.PROJECT / "docs" / "design.md")) == folders


def test_the_packages_in_the_source_tree_of_a_page_are_found() -> None:
    """Stale names too; words of the description are not packages."""
    assert described_packages("layers/flowwarden/   the package: alerting, records\n\n") == {
        "alerting",
        "records",
    }
