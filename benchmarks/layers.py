"""How large the layers are when Lambda has unzipped them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from msgspec import Struct

_PROJECT: Final = Path(__file__).parents[1]
_BUILDS: Final = ".aws-sam/build", "build/layers/*/built", "build/sam/*"
_SOURCES: Final = "layers/flowwarden"


class Layers(Struct, frozen=True):
    """Bytes of the files as `sam build` left them, bytecode among them."""

    flowwarden: int
    """The package; its sources alone where the newest build left it out."""
    dependencies: int
    """The third-party packages."""
    built: str
    """Where, from the project's folder."""

    @property
    def together(self) -> int:
        """What counts against Lambda's 250 MB."""
        return self.flowwarden + self.dependencies


def measure() -> Layers | None:
    """The layers of the newest build, or None if nothing was built."""
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
