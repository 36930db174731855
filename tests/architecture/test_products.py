"""A function loads only its own product, because each import adds to the cold start."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.architecture import source

LOADED = (
    "import sys, {function}; print(*sorted(name for name in sys.modules if name.startswith('flowwarden.')))"
)
HAS_DOCSTRINGS = "print(bool(numpy.ndarray.__doc__), bool(numpy.argsort.__doc__))"
"""Prints whether a compiled type of numpy has a docstring, and whether a Python function has one."""


def loaded(function: str) -> list[str]:
    """The modules of the package that a function's handler loads."""
    return printed(function, LOADED.format(function=function)).split()


def printed(function: str, program: str) -> str:
    """What a program prints in a separate process, which can import a function's handler."""
    path = os.pathsep.join(
        str(source.PROJECT / each) for each in ("layers/flowwarden", f"functions/{function}")
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": path, "POWERTOOLS_METRICS_NAMESPACE": "FlowWarden", "AWS_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.parametrize(("function", "other"), [("monitor", "enforcer"), ("enforcer", "monitor")])
def test_a_function_does_not_load_the_other_product(function: str, other: str) -> None:
    """It loads its own, which shows that the check works."""
    modules = loaded(function)
    assert [name for name in modules if name.startswith(f"flowwarden.{other}.")] == []
    assert [name for name in modules if name.startswith(f"flowwarden.{function}.")]


def test_the_monitor_loads_numpy_without_the_docstrings_of_its_compiled_part() -> None:
    """Adding them takes a tenth of a cold start. Without the monitor, numpy adds them."""
    assert printed("monitor", f"import monitor, numpy; {HAS_DOCSTRINGS}") == "False True"
    assert printed("monitor", f"import numpy; {HAS_DOCSTRINGS}") == "True True"
