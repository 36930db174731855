"""The golden digests, in `golden/`. `make golden` rewrites them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from tests.dispatcher.digests.examples import EXAMPLES

FOLDER: Final = Path(__file__).parent / "golden"


def path_of(name: str) -> Path:
    """The golden file of an example."""
    return FOLDER / f"{name}.txt"


def digest_of(name: str) -> str:
    """Subject, text, attributes and JSON document."""
    sent = EXAMPLES[name]()
    document = json.dumps(sent.document, indent=1, ensure_ascii=False)
    return f"{sent.subject}\n\n{sent.text}\n{json.dumps(sent.attributes)}\n{document}\n"


def main() -> None:
    """Write all golden files."""
    FOLDER.mkdir(exist_ok=True)
    for name in EXAMPLES:
        path_of(name).write_text(digest_of(name))


if __name__ == "__main__":
    main()
