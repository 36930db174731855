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
from local.stack import architecture, build

MACHINES = {"x86_64": 0x3E, "arm64": 0xB7}
"""Lambda's name of an architecture → its number in a library's ELF header."""
ARCHITECTURES = [
    pytest.param(name, marks=() if name == architecture() else pytest.mark.slow) for name in MACHINES
]
"""The build for the other architecture is slow, because no other test needs it."""
LARGEST = 60_000_000
"""Maximum bytes of both layers together, unzipped, because a cold start loads from them."""


@cache
def built(name: str) -> Path:
    """Build the layers, unless the same sources were built before, such as for the tests of the stack."""
    return build(name).parent


def files(name: str, pattern: str) -> list[Path]:
    """The files of both layers whose names match."""
    layers = [built(name) / layer / "python" for layer in ("DependenciesLayer", "FlowwardenLayer")]
    return [path for layer in layers for path in layer.rglob(pattern) if path.is_file()]


@pytest.mark.e2e
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_layer_contains_only_libraries_for_its_architecture(name: str) -> None:
    libraries = files(name, "*.so*")
    assert len(libraries) >= 5, "some of isal, msgspec, numpy and pybase64 are missing"
    assert [path.name for path in libraries if _machine(path) != MACHINES[name]] == []


@pytest.mark.e2e
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_module_of_a_layer_has_unchecked_bytecode(name: str) -> None:
    sources = files(name, "*.py")
    compiled = [Path(cache_from_source(str(path))) for path in sources]
    assert len(sources) > 300
    assert [path.name for path in compiled if not path.exists()] == []
    flags = {int.from_bytes(path.read_bytes()[4:8], "little") for path in compiled}
    # PEP 552: bytecode with a hash, which is not checked. Timestamps would change on the way to Lambda.
    assert flags == {1}


@pytest.mark.e2e
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_layers_are_small_and_contain_nothing_that_a_function_never_runs(name: str) -> None:
    assert sum(path.stat().st_size for path in files(name, "*")) < LARGEST
    assert [path.name for path in files(name, "*.pyi")] == []
    assert [path.name for path in files(name, "test_*.py")] == []
    assert [path.name for path in files(name, "*_tests.*")] == []
    assert [path.name for path in files(name, "*.js")] == []


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
