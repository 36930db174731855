"""If containers cannot run, the message contains the recommended action."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_without_a_docker_command_the_message_names_the_alternatives(tmp_path: Path) -> None:
    """Podman works with the command from podman-docker."""
    output = subprocess.run(
        [sys.executable, "-c", "from local import engine; print(engine.why_no_engine())"],
        env={"PATH": str(tmp_path), "PYTHONPATH": f"{ROOT}:{ROOT}/layers/flowwarden"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "no `docker` command on PATH" in output
    assert "podman-docker" in output
