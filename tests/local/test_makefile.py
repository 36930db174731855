"""The Makefile starts modules with a path on which all that they import is found."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from local.environment import PROJECT

MAKEFILE = (PROJECT / "Makefile").read_text()
IMPORTS = """
import sys
from importlib import import_module
from importlib.util import find_spec
for name in sys.argv[1:]:
    import_module(f"{name}.__main__" if find_spec(name).submodule_search_locations else name)
"""
"""Imports modules as `python -m` would find them, without running them."""


def test_every_module_that_a_task_starts_can_be_imported() -> None:
    """With the path of the Makefile only, because pytest adds its own."""
    modules = sorted(set(re.findall(r"\$\(BIN\)/python -m ([\w.]+)", MAKEFILE)))
    assert len(modules) > 10
    (path,) = re.findall(r"^export PYTHONPATH := (\S+)$", MAKEFILE, re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS, *modules],
        cwd=PROJECT, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def python_check(name: str) -> subprocess.CompletedProcess[str]:
    """The check with which every environment begins, with a Python of this name."""
    return subprocess.run(
        ["make", "--no-print-directory", "python", f"PYTHON={name}"],
        cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["no-such-python3.13", "false"])
def test_without_python_3_13_the_message_says_what_to_install(name: str) -> None:
    """If there is none, or if the program is another one."""
    done = python_check(name)
    assert done.returncode != 0
    assert f"{name} is not a Python 3.13 with pip and venv" in done.stderr
    assert "python3.13-venv" in done.stderr
    assert "PYTHON=/path/to/python3.13" in done.stderr


def test_with_python_3_13_nothing_is_said() -> None:
    """The Python of the tests is one."""
    done = python_check(sys.executable)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_environment_begins_with_the_check() -> None:
    """Each recipe that creates one."""
    recipes = [each for each in re.split(r"\n(?=\S)", MAKEFILE) if "$(PYTHON) -m venv" in each]
    assert len(recipes) == 3
    assert all("@$(require_python)\n" in each for each in recipes)
