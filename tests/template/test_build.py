"""The layers, built by the real `sam build` for both architectures."""

from __future__ import annotations

import subprocess
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from local.environment import BUILD, PROJECT, environment, tool

MACHINES = {"x86_64": 0x3E, "arm64": 0xB7}
"""By Lambda's word for an architecture: the number that the header of a library has for it (ELF)."""
LARGEST = 60_000_000
"""Bytes of both layers together, unzipped: what a cold start has to load from."""


@cache
def built(architecture: str) -> Path:
    """Build the layers; what was built before and has not changed is taken again."""
    folder = BUILD / "layers" / architecture
    base = environment()
    sam = tool("sam", "sam")
    done = subprocess.run(
        [
            sam,
            "build",
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
    return folder / "built"


def files(architecture: str, pattern: str) -> list[Path]:
    """The files of both layers whose names fit."""
    layers = [built(architecture) / name / "python" for name in ("DependenciesLayer", "FlowwardenLayer")]
    return [path for layer in layers for path in layer.rglob(pattern) if path.is_file()]


@pytest.mark.e2e
@pytest.mark.parametrize(("architecture", "machine"), MACHINES.items())
def test_a_layer_holds_libraries_for_its_architecture_alone(architecture: str, machine: int) -> None:
    libraries = files(architecture, "*.so*")
    assert len(libraries) >= 5, "isal, msgspec, numpy and pybase64 are compiled"
    assert [path.name for path in libraries if _machine(path) != machine] == []


@pytest.mark.e2e
@pytest.mark.parametrize("architecture", MACHINES)
def test_all_of_a_layer_has_bytecode_that_lambda_need_not_check(architecture: str) -> None:
    sources = files(architecture, "*.py")
    compiled = [Path(cache_from_source(str(path))) for path in sources]
    assert len(sources) > 300
    assert [path.name for path in compiled if not path.exists()] == []
    flags = {int.from_bytes(path.read_bytes()[4:8], "little") for path in compiled}
    assert flags == {1}, "PEP 552: by hash, and unchecked; times change on the way to Lambda"


@pytest.mark.e2e
@pytest.mark.parametrize("architecture", MACHINES)
def test_the_layers_are_small_and_hold_nothing_that_a_function_never_runs(architecture: str) -> None:
    assert sum(path.stat().st_size for path in files(architecture, "*")) < LARGEST
    assert [path.name for path in files(architecture, "*.pyi")] == []
    assert [path.name for path in files(architecture, "test_*.py")] == []


def _machine(library: Path) -> int:
    return int.from_bytes(library.read_bytes()[18:20], "little")
