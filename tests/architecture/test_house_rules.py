"""Rules for all files of the project. import-linter checks the imports between packages, in `make lint`."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from tests.architecture import source

LONGEST_FUNCTION = 40
LONGEST_MODULE = 300
"""Limits in lines. Test modules may be longer, because they are tables of cases."""

# Written in parts, so that this file does not contain the forbidden texts.
LEFT_OPEN = re.compile(
    r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK", "NotImplemented" + "Error")) + r")\b"
)
REGISTRIES = re.compile(
    r"\b("
    + "|".join(
        re.escape(host.replace(" ", ""))
        for host in (
            "py pi.org",
            "python hosted.org",
            "conda. anaconda.org",
            "npm js.org",
            "npm js.com",
            "crates .io",
            "ruby gems.org",
            "proxy .golang.org",
        )
    )
    + r")\b"
)
THIS_MACHINE = re.compile(r"(?<![\w.}$])/(?:wo" + "rk|ro" + r"ot)/")


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    """The files and lines in which a pattern occurs."""
    return [
        f"{source.name(path)}:{number}: {line.strip()[:100]}"
        for path in source.files()
        for number, line in enumerate(source.text(path).splitlines(), 1)
        if pattern.search(line)
    ]


@pytest.mark.parametrize("pattern", [LEFT_OPEN, REGISTRIES, THIS_MACHINE], ids=["left open", "host", "path"])
def test_no_file_contains_forbidden_text(pattern: re.Pattern[str]) -> None:
    assert lines_with(pattern) == []


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (LEFT_OPEN, "# TO" + "DO: later"),
        (LEFT_OPEN, "raise NotImplemented" + "Error"),
        (REGISTRIES, "--index-url https://py" + "pi.org/simple"),
        (REGISTRIES, "https://files.python" + "hosted.org/packages/aa"),
        (THIS_MACHINE, "see /ro" + "ot/notes"),
        (THIS_MACHINE, '"/wo' + 'rk/shared"'),
    ],
)
def test_the_patterns_find_forbidden_text(pattern: re.Pattern[str], line: str) -> None:
    assert pattern.search(line)


@pytest.mark.parametrize(
    "line", ["todos", "arn:aws:iam::111122223333:root", "../data/homework/x", "HACKING.md"]
)
def test_the_patterns_do_not_match_other_text(line: str) -> None:
    assert not any(pattern.search(line) for pattern in (LEFT_OPEN, REGISTRIES, THIS_MACHINE))


def test_no_function_is_too_long() -> None:
    long = [
        f"{source.name(path)}: {each.name} has {length} lines"
        for path in source.python()
        for each in source.functions(_tree(path))
        if (length := (each.end_lineno or each.lineno) - each.lineno + 1) > LONGEST_FUNCTION
    ]
    assert long == []


def _tree(path: Path) -> ast.Module:
    """The syntax tree of a file; only those of the package are cached, because several rules use them."""
    return source.tree(path) if path.is_relative_to(source.PACKAGE) else ast.parse(source.text(path))


def test_no_module_is_too_long() -> None:
    long = [
        f"{source.name(path)} has {length} lines"
        for path in source.python()
        if not path.is_relative_to(source.PROJECT / "tests")
        if (length := len(source.text(path).splitlines())) > LONGEST_MODULE
    ]
    assert long == []


def offenders(offends: Callable[[ast.Module], bool], *but: Path) -> list[str]:
    """The package's files that violate a rule, except those below `but`."""
    return [
        source.name(path)
        for path in source.python("layers/flowwarden")
        if not any(path.is_relative_to(each) for each in but)
        if offends(source.tree(path))
    ]


def imports_the_sdk(module: ast.Module) -> bool:
    """Whether a module imports boto3 or botocore."""
    return any(name.split(".")[0] in {"boto3", "botocore"} for name in source.imports(module))


def reads_the_environment(module: ast.Module) -> bool:
    """Whether a module uses `os.environ` or `os.getenv`."""
    used = {
        each.attr if isinstance(each, ast.Attribute) else each.name
        for each in source.nodes(module)
        if isinstance(each, ast.Attribute | ast.alias)
    }
    return bool(used & {"environ", "getenv"})


def last_name(node: ast.expr) -> str:
    """`c` of `c` and of `a.b.c`; '' of another expression."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def reads_the_clock(module: ast.Module) -> bool:
    """Whether a module imports `time`, or gets the current time from `datetime`."""
    called = {
        each.func.attr
        for each in source.nodes(module)
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute)
    }
    of_class = {
        each.attr
        for each in source.nodes(module)
        if isinstance(each, ast.Attribute) and last_name(each.value) in {"datetime", "date"}
    }
    return "time" in source.imports(module) or bool((called | of_class) & {"now", "utcnow", "today"})


def test_only_aws_imports_the_sdk() -> None:
    assert offenders(imports_the_sdk, source.PACKAGE / "aws") == []
    assert offenders(imports_the_sdk), "the check does not find the imports in aws/"


def test_the_package_reads_neither_environment_nor_clock() -> None:
    assert offenders(reads_the_environment) == []
    assert offenders(reads_the_clock) == []


@pytest.mark.parametrize(
    ("offends", "code"),
    [
        (imports_the_sdk, "from botocore.config import Config"),
        (imports_the_sdk, "def f():\n    import boto3"),
        (reads_the_environment, "import os\nos.environ['X']"),
        (reads_the_environment, "from os import getenv"),
        (reads_the_clock, "import time"),
        (reads_the_clock, "from datetime import datetime\ndatetime.now()"),
        (reads_the_clock, "import datetime\nclock = datetime.datetime.now"),
        (reads_the_clock, "def f(clock):\n    return clock.today()"),
    ],
)
def test_the_checks_find_violations(offends: Callable[[ast.Module], bool], code: str) -> None:
    assert offends(ast.parse(code))


def packages() -> list[Path]:
    """The folders of the package, including itself."""
    return sorted({path.parent for path in source.python("layers/flowwarden")})


@pytest.mark.parametrize("package", packages(), ids=source.name)
def test_a_package_has_a_docstring_and_at_least_one_module(package: Path) -> None:
    assert ast.get_docstring(source.tree(package / "__init__.py"))
    assert [path for path in package.glob("*.py") if path.name != "__init__.py"]


def test_no_file_is_empty() -> None:
    assert [source.name(path) for path in source.files() if not path.stat().st_size] == []


def test_the_error_tree_in_the_docstring_is_complete() -> None:
    errors = source.tree(source.PACKAGE / "errors.py")
    drawn = ast.get_docstring(errors) or ""
    classes = [each.name for each in errors.body if isinstance(each, ast.ClassDef)]
    assert classes
    assert [name for name in classes if name not in drawn] == []


def test_module_names_are_unique_across_functions() -> None:
    names = sorted(path.name for path in source.python("functions"))
    assert all(one != other for one, other in pairwise(names))
