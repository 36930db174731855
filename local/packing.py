"""Packs a build once, so that each `sam deploy` of it only uploads: code as zip files, the template as JSON.

`sam deploy` otherwise compresses 60 MiB, and parses the template seven times as YAML: most of its CPU time.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile

import yaml

FOLDER: Final = "packed"
"""The folder in that of the build."""
CODE: Final = ("CodeUri", "ContentUri")
"""The properties of functions and layers that name a folder of the build."""
LEVEL: Final = 1
"""Of compression: what is uploaded stays on this machine."""


def pack(built: Path) -> Path:
    """The packed template of a built one; it exists already if the build was packed before.

    Only one process may pack a build at a time.
    """
    folder = built.parent / FOLDER
    packed = folder / "template.json"
    if not packed.exists():
        folder.mkdir(exist_ok=True)
        template = yaml.load(built.read_text(), Loader=yaml.CSafeLoader)
        for resource in template["Resources"].values():
            _pack_code(resource.get("Properties", {}), built.parent, folder)
        partial = packed.with_suffix(".partial")
        partial.write_text(json.dumps(template, default=str))  # an unquoted date is one for YAML
        partial.rename(packed)
    return packed


def _pack_code(properties: dict[str, Any], source: Path, target: Path) -> None:
    """Compress the code of one resource, and name the zip file instead of the folder."""
    for name in CODE:
        code = properties.get(name)
        if isinstance(code, str) and (source / code).is_dir():
            path = target / f"{code}.zip"
            _compress(source / code, path)
            properties[name] = path.name


def _compress(source: Path, target: Path) -> None:
    """Write all files of a folder into a zip file; their permissions are kept."""
    # Files that a package contains may be older than zip files can express.
    with ZipFile(target, "w", ZIP_DEFLATED, compresslevel=LEVEL, strict_timestamps=False) as archive:
        for path in sorted(each for each in source.rglob("*") if each.is_file()):
            archive.write(path, path.relative_to(source))
