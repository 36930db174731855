"""Turns a readable event of `events/` into the payload that the function gets.

`python -m local.payload events/monitor/reject-burst.json | sam local invoke MonitorFunction -e -`
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from msgspec import Struct

from flowwarden.records.subscription import encode

MONITOR, ENFORCER = "MonitorFunction", "EnforcerFunction"
"""Logical ids of the functions in the template."""


class NotAnEvent(Exception):
    """A file that is no readable event; the message says what is wrong with it."""


class ReadableEvent(Struct, frozen=True, kw_only=True):
    """One file of `events/`."""

    title: str
    event: dict[str, Any]
    settings: dict[str, str] = {}
    """Environment variables that differ from the template's for this event."""
    world: dict[str, list[Any]] = {}
    """What EC2 holds, for the enforcer."""

    @property
    def function(self) -> str:
        """Logical id of the function that the event belongs to."""
        return MONITOR if "messageType" in self.event else ENFORCER

    @property
    def payload(self) -> dict[str, Any]:
        """What the function is invoked with: for the monitor, packed as a subscription does."""
        return dict(encode(self.event)) if self.function == MONITOR else self.event


def read(path: Path) -> ReadableEvent:
    """Read a file of `events/`.

    Raises:
        NotAnEvent: there is no such file, it is not JSON, or it holds no event.
    """
    try:
        document = json.loads(path.read_text())
    except OSError as error:
        raise NotAnEvent(f"{path}: {error.strerror}; the events stand in {' and '.join(FOLDERS)}") from error
    except ValueError as error:
        raise NotAnEvent(f"{path}: not JSON: {error}") from error
    event = document.get("event") if isinstance(document, dict) else None
    if not isinstance(event, dict) or not {"messageType", "detail-type"} & event.keys():
        raise NotAnEvent(
            f"{path}: no `event` that a function knows; write it like those in {' and '.join(FOLDERS)}"
        )
    return ReadableEvent(
        title=str(document.get("title", path.stem)),
        event=event,
        settings=document.get("settings", {}),
        world=document.get("world", {}),
    )


FOLDERS = ("events/monitor/", "events/enforcer/")


def main(arguments: list[str]) -> int:
    """Print the payload of the event; return the exit code."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        print(json.dumps(read(Path(arguments[0])).payload))
    except NotAnEvent as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
