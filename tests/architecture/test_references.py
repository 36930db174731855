"""What docstrings, comments and pages name in the tree is there: a move leaves no old name behind."""

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
"""First words of names that a reader of older notes may still write."""


def is_module(dotted: str) -> bool:
    """Whether some module's path ends so."""
    return any(each == dotted or each.endswith(f".{dotted}") for each in MODULES)


def stale(text: str) -> list[str]:
    """Dotted names of the text that begin with a former package, or with a module that lacks the name."""
    found = []
    for dotted in DOTTED.findall(text):
        owner, _, attribute = dotted.rpartition(".")
        defined = is_module(dotted) or (is_module(owner) and defines(owner, attribute))
        if not defined and (dotted.partition(".")[0] in FORMER or is_module(owner)):
            found.append(dotted)
    return found


def defines(owner: str, attribute: str) -> bool:
    """Whether a module whose path ends with `owner` has the name at its top level."""
    paths = [path for path in source.python("layers/flowwarden", "cli") if _ends(path, owner)]
    return any(
        re.search(rf"^(?:def |class |type )?{attribute}\b", source.text(each), re.MULTILINE) for each in paths
    )


def _ends(path: Path, owner: str) -> bool:
    return f"/{source.name(path)}".removesuffix(".py").endswith("/" + owner.replace(".", "/"))


def missing(text: str, names: Iterable[str]) -> list[str]:
    """Python files that the text names and the project does not have."""
    known = [f"/{each}" for each in names]
    return [each for each in FILE.findall(text) if not any(name.endswith(f"/{each}") for name in known)]


@pytest.mark.parametrize(
    "path", source.python("layers/flowwarden", "cli", "functions", "local"), ids=source.name
)
def test_a_module_that_is_named_is_there(path: Path) -> None:
    """In docstrings and comments."""
    assert stale(source.text(path)) == []


def test_every_python_file_that_is_named_is_there() -> None:
    """In sources and pages; CHANGELOG may name what was."""
    names = [source.name(path) for path in source.files()]
    texts = [path for path in source.files() if path.suffix in {".py", ".md"} and path.name != "CHANGELOG.md"]
    found = {source.name(path): each for path in texts if (each := missing(source.text(path), names))}
    assert found == {}


@pytest.mark.parametrize(
    "named", ["compliance.activity", "last_seen.number_of", "state.heartbeats_of", "line_decoder.flow_types"]
)
def test_a_name_that_is_gone_is_noticed(named: str) -> None:
    """A former package, and a module without such a name."""
    assert stale(f"see `{named}`") == [named]


@pytest.mark.parametrize("named", ["state.heartbeats", "heartbeats.number_of", "os.environ", "self.parts"])
def test_a_name_that_is_there_or_of_others_is_left_alone(named: str) -> None:
    """Modules by the end of their path, what they define, and what is not of the project."""
    assert stale(f"see `{named}`") == []


def test_a_file_that_is_gone_is_noticed() -> None:
    """By its whole path or the end of it."""
    assert missing("`look" + "ing.py` and `state/sets.py`", ["x/state/sets.py"]) == ["looking.py"]


def described_packages(page: str) -> set[str]:
    """The packages that the source tree on a page names: words behind the folder, up to the next folder."""
    described = re.search(r"^layers/flowwarden/ +(.*\n(?: {10,}.*\n)*)", page, re.MULTILINE)
    words = re.findall(r"[a-z]+", described[1]) if described else []
    return set(words) - {"the", "package", "and", "which", "both", "use"}


def test_the_source_tree_in_the_docs_names_every_package_and_no_other() -> None:
    """In docs/design.md."""
    folders = {each.parent.name for each in (source.PACKAGE).glob("*/__init__.py")}
    assert described_packages(source.text(source.PROJECT / "docs" / "design.md")) == folders


def test_a_removed_package_is_detected_in_the_source_tree() -> None:
    """By its former name."""
    assert described_packages("layers/flowwarden/   the package: alerting, records\n\n") == {
        "alerting",
        "records",
    }
