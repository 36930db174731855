"""Access to the project's files, for the tests of the project rules."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PACKAGE = PROJECT / "layers" / "flowwarden" / "flowwarden"

type Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def files() -> tuple[Path, ...]:
    """Every file that is committed or not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    paths = (PROJECT / name for name in listed.split("\0") if name)
    return tuple(path for path in paths if path.is_file())


@cache
def python(*folders: str) -> tuple[Path, ...]:
    """The Python files below these folders of the project; without folders, all Python files."""
    roots = tuple(f"{PROJECT / folder}/" for folder in folders or (".",))
    return tuple(path for path in files() if path.suffix == ".py" and str(path).startswith(roots))


@cache
def text(path: Path) -> str:
    """The content of a file; '' if it is not text."""
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return ""


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a Python file."""
    return ast.parse(text(path))


def name(path: Path) -> str:
    """The path relative to the project's folder."""
    return str(path.relative_to(PROJECT))


def statements(inside: ast.AST) -> Iterator[ast.stmt]:
    """Every statement inside a node, at any depth; expressions contain none, and are most of a tree."""
    for each in (child for part in _BLOCKS for child in getattr(inside, part, ())):
        if isinstance(each, ast.stmt):
            yield each
        yield from statements(each)


_BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")
"""The parts of a node that consist of statements, or of `except` and `case` with theirs."""


def functions(module: ast.Module) -> Iterator[Function]:
    """Every function of a module, including methods and inner functions."""
    return (each for each in statements(module) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))


@cache
def nodes(module: ast.Module) -> tuple[ast.AST, ...]:
    """Every node of a module: several rules look at all of them."""
    return tuple(ast.walk(module))


def imports(module: ast.Module) -> Iterator[str]:
    """The modules that a module imports."""
    for each in statements(module):
        if isinstance(each, ast.Import):
            yield from (alias.name for alias in each.names)
        elif isinstance(each, ast.ImportFrom):
            yield each.module or ""
