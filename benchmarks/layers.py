"""The size of the layers after Lambda has unzipped them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from msgspec import Struct

_PROJECT: Final = Path(__file__).parents[1]
_BUILDS: Final = ".aws-sam/build", "build/sam/*/*"
_SOURCES: Final = "layers/flowwarden"


class Layers(Struct, frozen=True):
    """Bytes of the files built by `sam build`, including bytecode."""

    flowwarden: int
    """The package; only its sources if the newest build does not contain it."""
    dependencies: int
    """The third-party packages."""
    built: str
    """The folder, relative to the project's folder."""

    @property
    def together(self) -> int:
        """The size that counts against Lambda's limit of 250 MB."""
        return self.flowwarden + self.dependencies


def measure() -> Layers | None:
    """The layers of the newest build, or None if there is no build."""
    built = [path for build in _BUILDS for path in _PROJECT.glob(f"{build}/DependenciesLayer")]
    if not built:
        return None
    newest = max(built, key=lambda path: path.stat().st_mtime)
    package = newest.with_name("FlowwardenLayer")
    return Layers(
        _size(package if package.is_dir() else _PROJECT / _SOURCES),
        _size(newest),
        str(newest.relative_to(_PROJECT)),
    )


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
