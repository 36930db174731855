"""The layer with compiled packages, built by the real `sam build` for both architectures."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from local.surroundings import BUILD, PROJECT, environment, tool

MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
"""Lambda's word for an architecture, and the one in the names of compiled Python modules."""


def built(architecture: str) -> Path:
    """Build the dependencies' layer; what was built before and has not changed is taken again."""
    folder = BUILD / "layers" / architecture
    base = environment()
    sam = tool("sam", "sam")
    done = subprocess.run(
        [
            sam,
            "build",
            "DependenciesLayer",
            f"--template-file={PROJECT / 'template.yaml'}",
            f"--build-dir={folder / 'built'}",
            f"--cache-dir={folder / 'cache'}",
            "--cached",
            "--parameter-overrides",
            f"Architecture={architecture}",
        ],
        # sam wants a python3.13 that has pip first on PATH.
        env=base | {"PATH": f"{sam.parent}:{base['PATH']}"},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "built" / "DependenciesLayer" / "python"


@pytest.mark.e2e
@pytest.mark.parametrize(("architecture", "machine"), MACHINES.items())
def test_a_layer_holds_libraries_for_its_architecture_alone(architecture: str, machine: str) -> None:
    libraries = [each.name for each in built(architecture).rglob("*.so")]
    assert len(libraries) >= 2, "msgspec and isal are compiled"
    assert [name for name in libraries if f"-{machine}-" not in name] == []
