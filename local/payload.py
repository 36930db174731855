"""Converts an example event of `events/` into the function's payload.

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

from flowwarden.enforcer.triggers.trigger import RECORD_AS_MANAGED
from flowwarden.notify.incident import Incident
from flowwarden.notify.pending import StoredNotification
from flowwarden.records.subscription import encode
from local.environment import ACCOUNT_ID

MONITOR, ENFORCER, DISPATCHER = "MonitorFunction", "EnforcerFunction", "DispatcherFunction"
"""Logical ids of the functions in the template."""

DISPATCH = {"run": "dispatch"}
"""The `detail` of the dispatcher's schedule."""

FOLDERS = ("events/monitor/", "events/enforcer/", "events/dispatcher/")

type VpcId = Annotated[str, Meta(pattern="^vpc-[0-9a-z]+$")]
type FlowLogId = Annotated[str, Meta(pattern="^fl-[0-9a-z]+$")]
type Account = Annotated[str, Meta(pattern="^[0-9]{12}$")]
type LogGroup = Annotated[str, Meta(pattern="^[A-Za-z0-9_/.#-]{1,512}$")]
type Variable = Annotated[str, Meta(pattern="^[A-Za-z_][A-Za-z0-9_]*$")]
type Value = Annotated[str, Meta(pattern="^[^\\x00]*$")]


class NotAnEvent(Exception):
    """The file is not an example event; the message contains the problem and its position."""


class ExistingVpc(Struct, frozen=True, kw_only=True):
    """A VPC that exists before the event."""

    vpc_id: VpcId
    owner_id: Account


class ExistingFlowLog(Struct, frozen=True, kw_only=True):
    """A flow log that exists before the event; without a log group, it writes to the stack's."""

    flow_log_id: FlowLogId
    resource_id: str
    traffic_type: Literal["ACCEPT", "REJECT", "ALL"] = "ALL"
    log_group_name: LogGroup | None = None


class ExistingSubscription(Struct, frozen=True, kw_only=True):
    """A subscription filter. On the emulator it sends to the monitor, whatever `destination_arn` contains."""

    name: str
    destination_arn: str = ""
    pattern: str = ""


class ExistingLogGroup(Struct, frozen=True, kw_only=True):
    """A log group that exists before the event. If the list lacks the stack's log group, that is missing."""

    name: LogGroup
    retention_days: int | None = None
    subscriptions: tuple[ExistingSubscription, ...] = ()


class ExistingIncident(Struct, frozen=True, kw_only=True):
    """An incident that exists before the event."""

    key: str
    topic: Literal["pages", "operations"] = "pages"
    claimed_at: int
    """Unix seconds: when the monitor claimed it, and sent its notification unless that is pending."""
    incident: Incident
    pending: StoredNotification | None = None
    """Its notification, if the monitor ended before it sent that."""


class AccountState(Struct, frozen=True, kw_only=True):
    """The resources of the account before the event, for the enforcer and the dispatcher."""

    vpcs: tuple[ExistingVpc, ...] = ()
    flow_logs: tuple[ExistingFlowLog, ...] = ()
    log_groups: tuple[ExistingLogGroup, ...] | None = None
    """None: the stack's log group as it was deployed."""
    pending: tuple[dict[str, Any], ...] = ()
    """The work queue, as `work_queue.WorkItem`."""
    incidents: tuple[ExistingIncident, ...] = ()
    watermarks: dict[LogGroup, int] = {}
    """Up to when the records of log groups were processed (Unix seconds)."""
    refuses: dict[str, Any] = {}
    late: tuple[Any, ...] = ()
    deleted_but_listed: tuple[Any, ...] = ()
    interfaces: tuple[Any, ...] = ()
    role: Any = None
    """This member and those above, from `refuses` on, work only with the fakes of the tests."""


class ReadableEvent(Struct, frozen=True, kw_only=True):
    """One file of `events/`."""

    event: dict[str, Any]
    title: str = ""
    settings: dict[Variable, Value] = {}
    """Environment variables that override the template's for this event."""
    account: AccountState = AccountState()
    seconds_later: int = 30
    """The time from the event to the run."""
    log_formats: tuple[str | None, ...] = ()
    """The log formats that EC2 returns for the flow logs of the log group."""

    @property
    def unsupported(self) -> tuple[str, ...]:
        """The members of the event that the AWS emulator does not support, so that the outcome may differ."""
        names = ("refuses", "late", "deleted_but_listed", "interfaces", "role")
        found = [f"account.{each}" for each in names if getattr(self.account, each)]
        if any(each.owner_id != ACCOUNT_ID for each in self.account.vpcs):
            found.append("account.vpcs (one of another account)")
        if self.account.flow_logs:
            found.append("account.flow_logs (they are new there, without format, tags and status)")
        return (*found, "log_formats") if self.log_formats else tuple(found)

    @property
    def function(self) -> str:
        """Logical id of the event's function."""
        if "messageType" in self.event:
            return MONITOR
        return DISPATCHER if self.event.get("detail") == DISPATCH else ENFORCER

    @property
    def payload(self) -> dict[str, Any]:
        """The function's payload; for the monitor, encoded like a subscription event."""
        return dict(encode(self.event)) if self.function == MONITOR else self.event


def read(path: Path) -> ReadableEvent:
    """Read a file of `events/`.

    Raises:
        NotAnEvent: the file does not exist, is not JSON, contains no event, or has an invalid member.
    """
    name = os.fsencode(path).decode(errors="replace")
    folders = _folders()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise NotAnEvent(f"{name}: {error.strerror}; the events are in {folders}") from error
    event = _decode(name, content)
    if not {"messageType", "detail-type", RECORD_AS_MANAGED} & event.event.keys():
        raise NotAnEvent(
            f"{name}: the `event` has neither `messageType`, for the monitor, nor `detail-type`, for the "
            f"enforcer and the dispatcher; see the examples in {folders}"
        )
    return event


class Expectation(Struct, frozen=True):
    """The outcome that a file of `events/` expects."""

    expected: dict[str, Any] | None = None


def read_expected(path: Path) -> dict[str, Any] | None:
    """The expected outcome in a file that `read` accepts; None if it states none. Raises NotAnEvent."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Expectation).expected
    except (OSError, msgspec.DecodeError) as error:
        raise NotAnEvent(f"{os.fsencode(path).decode(errors='replace')}: {error}") from error


def _folders() -> str:
    *some, last = FOLDERS
    return f"{', '.join(some)} and {last}"


def _decode(name: str, content: bytes) -> ReadableEvent:
    """Decode the event; all members must have their declared types and be serializable."""
    try:
        event = msgspec.json.decode(content, type=ReadableEvent)
        json.dumps(event.payload)
    except msgspec.ValidationError as error:
        raise NotAnEvent(f"{name}: {error}; see the examples in {_folders()}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotAnEvent(f"{name}: not JSON in UTF-8: {error}") from error
    except RecursionError as error:
        raise NotAnEvent(f"{name}: nested too deeply") from error
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
