"""A fingerprint of the sources of a build, so that unchanged sources are not built again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from local.environment import PROJECT

SOURCES = ("template.yaml", "functions", "layers", "requirements/sam.txt")
"""Everything that `sam build` reads, and the version of sam itself."""
NOT_SOURCES = ("__pycache__", ".mypy_cache", ".ruff_cache")


def fingerprint(folder: Path = PROJECT, sources: Sequence[str] = SOURCES) -> str:
    """A hash of the names and contents of all source files; it changes if any of them does.

    Args:
        folder: the project.
        sources: files, and folders with all their contents. A missing one counts as empty.
    """
    found = sha256()
    for path in sorted(_files(folder, sources)):
        content = path.read_bytes()
        # With the length, so that moving text from one file to the next changes the hash.
        found.update(f"{path.relative_to(folder)}\0{len(content)}\0".encode())
        found.update(content)
    return found.hexdigest()


def _files(folder: Path, sources: Sequence[str]) -> Iterator[Path]:
    for name in sources:
        path = folder / name
        inside = path.rglob("*") if path.is_dir() else iter([path])
        yield from (each for each in inside if each.is_file() and not set(NOT_SOURCES) & set(each.parts))
