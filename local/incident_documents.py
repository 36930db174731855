"""The types of the documents about incidents: what machines get when one is opened, updated or resolved.

The code builds these documents as plain dictionaries, so the types are only for the schemas. Tests compare
the two, in both directions.
"""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from msgspec import Meta

from local.host_documents import End, Interfaces

type Severity = Literal["info", "medium", "high", "critical"]
type Version = Literal["1"]


class Named(TypedDict):
    """A host or service with its records."""

    name: str
    records: int


class Ranked(TypedDict):
    """Those with most records."""

    distinct: int
    top: list[Named]


class Initiator(TypedDict):
    """How certain it is which end opened the connection."""

    confidence: float
    evidence: str


class Window(TypedDict):
    """What was counted over a longer time than the batch; Unix seconds."""

    begin: int
    end: int
    counted: str


class Range(TypedDict):
    """Unix seconds."""

    begin: int
    end: int


class Component(TypedDict):
    """What denies a packet, or was examined."""

    component: str
    direction: str
    reply: bool
    at: str
    ids: list[str]
    names: list[str]
    code: str | None
    packet: str
    rule: str | None
    closest: str | None
    closest_in: str | None


class Change(TypedDict):
    """A change of rules."""

    call: str
    resource: str
    at: int
    by: str
    what: str
    id: str


class BlockedBy(TypedDict):
    """What blocks the traffic."""

    outcome: str
    summary: str
    as_of: int | None
    by: Component | None
    also: list[Component]
    undetermined_because: list[str]
    changes: list[Change]
    changes_missing_because: str | None


class Links(TypedDict):
    """Addresses of the AWS console."""

    interface: NotRequired[str | None]
    logs: str | None


class SameCause(TypedDict):
    """Other findings with the same cause."""

    cause: str
    distinct: int
    members: list[str]
    joined: list[str]
    listed: list[str]


class CourseEvent(TypedDict):
    """What a host did."""

    since: int
    detector: str
    severity: Severity
    summary: str


class SameHost(TypedDict):
    """What one host did, in order."""

    host: str
    events: list[CourseEvent]


class NotSent(TypedDict):
    """Findings of the batch that are not sent; the inhibited ones by the detector that inhibits them."""

    inhibited: dict[str, int]
    muted: int
    exempt: int
    report_only: int


class Reason(TypedDict):
    """Why lines cannot be read."""

    reason: str
    lines: int


class Limit(TypedDict):
    """The budget for pages that was reached; Unix seconds."""

    pages: int
    seconds: int
    until: int


IncidentDocument = TypedDict(
    "IncidentDocument",
    {
        "version": Version,
        "kind": str,
        "incident": str,
        "event": Literal["opened", "updated", "reopened"],
        "detector": str,
        "severity": Severity,
        "summary": str,
        "subject": NotRequired[str],
        "peer_class": NotRequired[str],
        "service": NotRequired[str],
        "aspect": NotRequired[str],
        "because": NotRequired[str],
        "likely": NotRequired[str],
        "advice": list[str],
        "runbook": str | None,
        "technique": NotRequired[str],
        "initiator": NotRequired[Initiator],
        "from": NotRequired[End],
        "to": NotRequired[End],
        "account": str,
        "account_alias": NotRequired[str | None],
        "region": str,
        "vpc": NotRequired[str | None],
        "vpc_name": NotRequired[str | None],
        "subnet": NotRequired[str | None],
        "interface": NotRequired[str | None],
        "instance": NotRequired[str | None],
        "side": NotRequired[str | None],
        "names_unavailable": NotRequired[str | None],
        "first": NotRequired[int | None],
        "last": NotRequired[int | None],
        "window": NotRequired[Window | None],
        "records": NotRequired[int],
        "connections": NotRequired[int | None],
        "packets": NotRequired[int | None],
        "bytes": NotRequired[int | None],
        "clients": NotRequired[Ranked],
        "servers": NotRequired[Ranked],
        "services": NotRequired[Ranked],
        "blocked_by": NotRequired[BlockedBy | None],
        "log_group": NotRequired[str],
        "log_stream": NotRequired[str | None],
        "query": NotRequired[str],
        "console": NotRequired[Links],
        "query_range": NotRequired[Range | None],
        "same_cause": NotRequired[SameCause | None],
        "same_host": NotRequired[SameHost | None],
        "not_sent": NotRequired[NotSent],
        "mutes": NotRequired[str],
        "suppressed_batches": NotRequired[int],
        "last_sent": NotRequired[int | None],
        "lines": NotRequired[int],
        "unreadable": NotRequired[int],
        "reasons": NotRequired[list[Reason]],
        "samples": NotRequired[list[str]],
        "formats": NotRequired[list[str]],
        "interfaces": NotRequired[Interfaces],
        "reopened": NotRequired[int],
        "findings": NotRequired[int],
        "listed": NotRequired[list[str]],
        "limit": NotRequired[Limit],
        "text": str,
    },
)


class Resolved(TypedDict):
    """An incident that is resolved; Unix seconds."""

    version: Version
    kind: str
    event: Literal["resolved"]
    incident: str
    summary: str
    subject: str
    severity: Severity
    detectors: list[str]
    account: str | None
    region: str | None
    log_group: str
    opened_at: int | None
    last_seen: int
    last_sent: int | None
    reason: str
    suppressed_batches: int
    joined: list[str]
    held: bool
    reopened: NotRequired[int]


class ResolvedDocument(Resolved):
    """An incident that is resolved, with its text."""

    text: str


class SeveralResolvedDocument(TypedDict):
    """Several incidents that are resolved. What they have in common is a member of its own."""

    version: Version
    kind: str
    account: NotRequired[str]
    region: NotRequired[str]
    vpc: NotRequired[str]
    detector: NotRequired[str]
    event: Literal["resolved"]
    severity: Severity
    incidents: Annotated[list[Resolved], Meta(min_length=1)]
    more: int
    text: str


class TestDocument(TypedDict):
    """The test page of `flowwarden test-page`."""

    version: Version
    incident: str
    event: Literal["opened"]
    summary: str
    subject: str
    kind: Literal["test"]
    severity: Severity
    detector: str
    account: str
    region: str
    text: str
