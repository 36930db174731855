"""The script that decides whether a change is accepted: it fails if any of its steps fails."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.architecture import source

STEPS = ("setup", "lint", "eval", "test ", "test-slow")


def run(folder: Path, failing: str) -> int:
    """The exit status of the script if every call of make succeeds but those with this text in them."""
    (folder / "clone/.ci").mkdir(parents=True)
    (folder / "bin").mkdir()
    shutil.copy(source.PROJECT / ".ci/run", folder / "clone/.ci/run")
    make = folder / "bin/make"
    make.write_text(f'#!/bin/sh\ncase " $* " in *"{failing}"*) exit 2 ;; esac\n')
    make.chmod(0o755)
    for browser in ("chromium", "chromedriver"):  # so that the script installs none
        shutil.copy(make, folder / "bin" / browser)
    environment = os.environ | {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "PYENV_VERSION": "3.13"}
    script = ["bash", str(folder / "clone/.ci/run")]
    return subprocess.run(script, env=environment, capture_output=True, check=False).returncode


def test_it_succeeds_if_all_steps_do(tmp_path: Path) -> None:
    """The negative case: the stand-in for make fails only where it should."""
    assert run(tmp_path, "no such step") == 0


@pytest.mark.parametrize("failing", STEPS)
def test_it_fails_if_a_step_fails(tmp_path: Path, failing: str) -> None:
    """Also if it is the last one, which runs beside others."""
    assert run(tmp_path, failing) != 0
