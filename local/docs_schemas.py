"""Writes the JSON schemas in docs/schemas, from the types of the documents.

Run `make docs` after a change of a type. A test compares the files with the types.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import msgspec

from flowwarden.replay.comparison import Comparison
from flowwarden.replay.interface_file import InterfaceFile
from flowwarden.replay.result import ReplayResult

FOLDER: Final = Path(__file__).parents[1] / "docs" / "schemas"
TYPES: Final[dict[str, Any]] = {
    "replay": ReplayResult,
    "replay-comparison": Comparison,
    "interfaces": InterfaceFile,
}
"""By the name of the file: the type of the document."""


def schema(name: str) -> str:
    """The schema of a document, as the text of its file."""
    return json.dumps(msgspec.json.schema(TYPES[name]), indent=1) + "\n"


def main() -> None:
    """Write all schemas."""
    FOLDER.mkdir(exist_ok=True)
    for name in TYPES:
        (FOLDER / f"{name}.schema.json").write_text(schema(name))


if __name__ == "__main__":
    main()
