"""Writes the JSON schemas of the documents that the command prints, from their types.

Run `make docs` after a change of a type. A test compares the files with the types.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import msgspec

from flowwarden.replay.comparison import Comparison
from flowwarden.replay.explain.model import Explanation
from flowwarden.replay.interface_file import InterfaceFile
from flowwarden.replay.result import ReplayResult

FOLDER: Final = Path(__file__).parents[1] / "docs" / "schemas"
TYPES: Final[dict[str, Any]] = {
    "replay-1": ReplayResult,
    "replay-comparison-1": Comparison,
    "explain-1": Explanation,
    "interfaces-1": InterfaceFile,
}
"""By the name of the file, which ends with the version: the type of the document."""


def path_of(name: str) -> Path:
    """The file of a schema."""
    return FOLDER / f"{name}.json"


def schema(name: str) -> str:
    """The schema of a document, as the text of its file."""
    return json.dumps(msgspec.json.schema(TYPES[name]), indent=1) + "\n"


def main() -> None:
    """Write all schemas."""
    for name in TYPES:
        path_of(name).write_text(schema(name))


if __name__ == "__main__":
    main()
