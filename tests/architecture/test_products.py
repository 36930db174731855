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


def loaded(function: str) -> list[str]:
    """The modules of the package that a function's handler loads, in a separate process."""
    path = os.pathsep.join(
        str(source.PROJECT / each) for each in ("layers/flowwarden", f"functions/{function}")
    )
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(function=function)],
        env={"PYTHONPATH": path, "POWERTOOLS_METRICS_NAMESPACE": "FlowWarden", "AWS_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


@pytest.mark.parametrize(("function", "other"), [("monitor", "enforcer"), ("enforcer", "monitor")])
def test_a_function_does_not_load_the_other_product(function: str, other: str) -> None:
    """It does load its own, which proves that the check works."""
    modules = loaded(function)
    assert [name for name in modules if name.startswith(f"flowwarden.{other}.")] == []
    assert [name for name in modules if name.startswith(f"flowwarden.{function}.")]
