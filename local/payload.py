"""Turns a readable event of `events/` into the payload that the function gets.

`python -m local.payload events/monitor/reject-burst.json | sam local invoke MonitorFunction -e -`
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from flowwarden.records.subscription import encode

MONITOR, ENFORCER = "MonitorFunction", "EnforcerFunction"
"""Logical ids of the functions in the template."""

FOLDERS = ("events/monitor/", "events/enforcer/")

type VpcId = Annotated[str, Meta(pattern="^vpc-[0-9a-z]+$")]
type FlowLogId = Annotated[str, Meta(pattern="^fl-[0-9a-z]+$")]
type Account = Annotated[str, Meta(pattern="^[0-9]{12}$")]
type LogGroup = Annotated[str, Meta(pattern="^[A-Za-z0-9_/.#-]{1,512}$")]
type Variable = Annotated[str, Meta(pattern="^[A-Za-z_][A-Za-z0-9_]*$")]
type Value = Annotated[str, Meta(pattern="^[^\\x00]*$")]


class NotAnEvent(Exception):
    """A file that is no readable event; the message says what is wrong with it, and where."""


class WorldVpc(Struct, frozen=True, kw_only=True):
    """A VPC that is there before the event."""

    vpc_id: VpcId
    owner_id: Account


class WorldFlowLog(Struct, frozen=True, kw_only=True):
    """A flow log that is there before the event; without a log group it writes into the stack's."""

    flow_log_id: FlowLogId
    resource_id: str
    traffic_type: Literal["ACCEPT", "REJECT", "ALL"] = "ALL"
    log_group_name: LogGroup | None = None


class World(Struct, frozen=True, kw_only=True):
    """What EC2 holds, for the enforcer; members that only the tests know are left out."""

    vpcs: tuple[WorldVpc, ...] = ()
    flow_logs: tuple[WorldFlowLog, ...] = ()


class ReadableEvent(Struct, frozen=True, kw_only=True):
    """One file of `events/`."""

    event: dict[str, Any]
    title: str = ""
    settings: dict[Variable, Value] = {}
    """Environment variables that differ from the template's for this event."""
    world: World = World()

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
        NotAnEvent: there is no such file, it is not JSON, it holds no event, or a member of it is not
            what it has to be.
    """
    name = os.fsencode(path).decode(errors="replace")
    folders = " and ".join(FOLDERS)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise NotAnEvent(f"{name}: {error.strerror}; the events stand in {folders}") from error
    event = _decode(name, content)
    if not {"messageType", "detail-type"} & event.event.keys():
        raise NotAnEvent(
            f"{name}: the `event` has neither `messageType`, for the monitor, nor `detail-type`, for the "
            f"enforcer; write it like those in {folders}"
        )
    return event


def _decode(name: str, content: bytes) -> ReadableEvent:
    """The event with every member of the type that is declared, and nothing in it that cannot be sent."""
    try:
        event = msgspec.json.decode(content, type=ReadableEvent)
        json.dumps(event.payload)
    except msgspec.ValidationError as error:
        raise NotAnEvent(f"{name}: {error}; write it like those in {' and '.join(FOLDERS)}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotAnEvent(f"{name}: not JSON in UTF-8: {error}") from error
    except RecursionError as error:
        raise NotAnEvent(f"{name}: nested too deeply for JSON's readers") from error
    return event


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
