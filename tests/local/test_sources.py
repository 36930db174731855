"""The fingerprint of the sources: a build is repeated if, and only if, something that it reads changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from local.environment import PROJECT
from local.sources import SOURCES, fingerprint


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project."""
    for name in ("template.yaml", "functions/monitor/monitor.py", "layers/a/b.py", "layers/a/Makefile"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def write(name: str, text: str = "new") -> Callable[[Path], object]:
    """A change: write a file."""

    def change(project: Path) -> None:
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return change


@pytest.mark.parametrize(
    "change",
    [
        write("template.yaml"),
        write("functions/monitor/monitor.py"),
        write("layers/a/Makefile"),
        write("layers/a/new.py"),
        write("requirements/sam.txt"),
        lambda project: (project / "layers/a/b.py").unlink(),
        lambda project: (project / "layers/a/b.py").rename(project / "layers/a/c.py"),
    ],
)
def test_every_change_of_a_source_changes_the_fingerprint(
    project: Path, change: Callable[[Path], object]
) -> None:
    """Changed content, and a new, deleted or renamed file."""
    before = fingerprint(project)
    change(project)
    assert fingerprint(project) != before


@pytest.mark.parametrize(
    "change",
    [
        write("template.yaml", "template.yaml"),
        write("docs/design.md"),
        write("tests/test_x.py"),
        write("layers/a/__pycache__/b.pyc"),
        lambda project: (project / "layers/a/empty").mkdir(),
    ],
)
def test_nothing_else_changes_the_fingerprint(project: Path, change: Callable[[Path], object]) -> None:
    """A file rewritten without a change, other folders, bytecode."""
    before = fingerprint(project)
    change(project)
    assert fingerprint(project) == before


def test_text_that_moves_from_one_file_to_the_next_changes_the_fingerprint(project: Path) -> None:
    """Even if all bytes stay in the same order."""
    write("layers/a/x.py", "ab")(project)
    write("layers/a/y.py", "c")(project)
    before = fingerprint(project)
    write("layers/a/x.py", "a")(project)
    write("layers/a/y.py", "bc")(project)
    assert fingerprint(project) != before


def test_the_sources_exist() -> None:
    """A renamed folder would otherwise never be built again."""
    assert [each for each in SOURCES if not (PROJECT / each).exists()] == []
