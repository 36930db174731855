"""The golden requests: exactly what each sink sends for each kind of notification, in `golden/`.

`make golden` rewrites them. Differences are changes to what people and machines get.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from flowwarden.sinks.table import BY_NAME, SINKS
from tests.sinks.examples import EXAMPLES
from tests.sinks.recorded import requests_of

FOLDER: Final = Path(__file__).parent / "golden"


def path_of(sink: str, example: str) -> Path:
    """The golden file of a sink and an example."""
    return FOLDER / sink / f"{example}.json"


def request_of(sink: str, example: str) -> str:
    """What the sink sends for the example."""
    sent = requests_of(BY_NAME[sink], EXAMPLES[example]()).requests
    return json.dumps(sent, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write all golden files."""
    for sink in SINKS:
        for example in EXAMPLES:
            path = path_of(sink.name, example)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(request_of(sink.name, example))


if __name__ == "__main__":
    main()
