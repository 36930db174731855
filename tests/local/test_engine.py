"""Where containers cannot run, the reason says what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_without_a_docker_command_it_is_said_which_would_do(tmp_path: Path) -> None:
    """Podman does, with the command that podman-docker brings."""
    told = subprocess.run(
        [sys.executable, "-c", "from local import engine; print(engine.why_no_engine())"],
        env={"PATH": str(tmp_path), "PYTHONPATH": f"{ROOT}:{ROOT}/layers/flowwarden"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "no `docker` command on PATH" in told
    assert "podman-docker" in told
