"""The layers, built by the real `sam build` for both architectures."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from local.environment import PROJECT
from local.stack import build

MACHINES = {"x86_64": 0x3E, "arm64": 0xB7}
"""Lambda's name of an architecture → its number in a library's ELF header."""
LARGEST = 64_000_000
"""Maximum bytes of both layers together, unzipped, because a cold start loads from them."""


@cache
def built(architecture: str) -> Path:
    """Build the layers, unless the same sources were built before, such as for the tests of the stack."""
    return build(architecture).parent


def files(architecture: str, pattern: str) -> list[Path]:
    """The files of both layers whose names match."""
    layers = [built(architecture) / name / "python" for name in ("DependenciesLayer", "FlowwardenLayer")]
    return [path for layer in layers for path in layer.rglob(pattern) if path.is_file()]


@pytest.mark.e2e
@pytest.mark.parametrize(("architecture", "machine"), MACHINES.items())
def test_a_layer_contains_only_libraries_for_its_architecture(architecture: str, machine: int) -> None:
    libraries = files(architecture, "*.so*")
    assert len(libraries) >= 5, "some of isal, msgspec, numpy and pybase64 are missing"
    assert [path.name for path in libraries if _machine(path) != machine] == []


@pytest.mark.e2e
@pytest.mark.parametrize("architecture", MACHINES)
def test_every_module_of_a_layer_has_unchecked_bytecode(architecture: str) -> None:
    sources = files(architecture, "*.py")
    compiled = [Path(cache_from_source(str(path))) for path in sources]
    assert len(sources) > 300
    assert [path.name for path in compiled if not path.exists()] == []
    flags = {int.from_bytes(path.read_bytes()[4:8], "little") for path in compiled}
    # PEP 552: bytecode with a hash, which is not checked. Timestamps would change on the way to Lambda.
    assert flags == {1}


@pytest.mark.e2e
@pytest.mark.parametrize("architecture", MACHINES)
def test_the_layers_are_small_and_contain_nothing_that_a_function_never_runs(architecture: str) -> None:
    assert sum(path.stat().st_size for path in files(architecture, "*")) < LARGEST
    assert [path.name for path in files(architecture, "*.pyi")] == []
    assert [path.name for path in files(architecture, "test_*.py")] == []


@pytest.mark.parametrize("layer", ["dependencies", "flowwarden"])
def test_pyenv_finds_the_python_of_a_layer_where_sam_copies_it(layer: str, tmp_path: Path) -> None:
    """SAM builds a layer from a copy, so the `.python-version` of the project's folder is not found."""
    if shutil.which("python3.13") is None:
        pytest.skip("there is no python3.13 on the PATH")
    copied = shutil.copytree(PROJECT / "layers" / layer, tmp_path / layer)
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYENV_")}
    done = subprocess.run(
        ["python3.13", "-c", ""],
        cwd=copied,
        env=variables | {"PWD": str(copied)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()


def _machine(library: Path) -> int:
    return int.from_bytes(library.read_bytes()[18:20], "little")
