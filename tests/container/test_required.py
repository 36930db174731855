"""Without a container engine, container tests are skipped, or fail if they are required."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from local.environment import environment

ROOT = Path(__file__).parents[2]


def run_without_engine(tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the container tests in an environment without `docker`."""
    bare = {**environment(), "PATH": str(tmp_path), **variables}
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-m",
            "container",
            "tests/container",
        ],
        env=bare,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_an_engine_they_are_skipped(tmp_path: Path) -> None:
    """With the reason, and the run succeeds; an empty variable counts as not set."""
    done = run_without_engine(tmp_path, REQUIRE_CONTAINERS="")
    assert "`sam local invoke` cannot run" in done.stdout
    assert done.returncode == pytest.ExitCode.OK


def test_if_they_are_required_they_fail(tmp_path: Path) -> None:
    """With the same reason."""
    done = run_without_engine(tmp_path, REQUIRE_CONTAINERS="1")
    assert "REQUIRE_CONTAINERS is set" in done.stdout
    assert "`sam local invoke` cannot run" in done.stdout
    assert "skipped" not in done.stdout.splitlines()[-1]
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
