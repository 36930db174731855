"""The Makefile starts modules with a path on which all that they import is found."""

from __future__ import annotations

import os
import re
import subprocess
import sys

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
