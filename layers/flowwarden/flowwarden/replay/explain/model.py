"""An explanation, as plain data that every renderer uses. Times are Unix seconds."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from msgspec import Struct

from flowwarden.replay.result import Happening

VERSION: Final = "1"
"""Raised when a member of the JSON document is removed or changes its meaning."""


class Outcome(StrEnum):
    """What became of a finding."""

    NOTHING = ""
    """There is none."""
    SENT = "sent"
    """Its batch sent a notification about its incident."""
    REPEAT = "repeat"
    """Suppressed: its incident was notified before."""
    ROLLED_UP = "rolled-up"
    """One notification of its batch stands for it and others."""
    HELD = "held"
    """Not sent singly, because the budget for pages is spent."""
    UNSENT = "unsent"
    """Not sent, because the sink or the state did not answer."""
    MUTED = "muted"
    """Suppressed by a mute."""
    INHIBITED = "inhibited"
    """Suppressed by a graver finding."""
    EXEMPT = "exempt"
    """The policy exempts its subject."""
    REPORT_ONLY = "report-only"
    """The policy lists its detector in `report_only`; it is a row of the digest."""
    LEARNING = "learning"
    """Does not notify while a role is learned."""
    WAITING = "waiting"
    """Does not notify with the evidence so far."""
    NOISE = "noise"
    """Internet noise, which is only counted."""
    LISTED = "listed"
    """Its detector never notifies; it is a row of the digest, or of the log."""


class Context(StrEnum):
    """What the detectors saw beside the record."""

    ARCHIVE = "archive"
    """The archive, which contains it."""
    ADDED = "added"
    """The archive, to which it was added at its time."""
    ALONE = "alone"
    """Nothing: no archive was given."""


class Amount(Struct, frozen=True, kw_only=True):
    """What a detector measured, against its limit."""

    what: str
    value: float
    limit: float
    reached: bool
    """Whether the value is on the side of the limit on which the detector reports."""
    threshold: str
    """The threshold of the policy that sets the limit; empty if none does."""
    below: bool = False
    """Whether the detector reports below the limit, not from it on."""
    needed: bool = False
    """Whether the amount is a condition: all conditions must hold, those whose text ends with `for a page`
    only for a page. Of other amounts, one is enough."""


class Judgment(Struct, frozen=True, kw_only=True):
    """What a detector says of a record."""

    detector: str
    flagged: bool
    """Whether a finding of the detector is about the record."""
    outcome: Outcome
    subject: str = ""
    """The subject of the finding; empty if there is none."""
    summary: str = ""
    """The finding in words."""
    because: str = ""
    """The evidence for it, and the rule."""
    severity: str = ""
    incident: str = ""
    """The key of its incident; empty if it does not notify."""
    suppressed_by: str = ""
    """What keeps it from notifying; empty if nothing does."""
    mute: dict[str, Any] | None = None
    """The mute that matches it."""
    measured: list[Amount] = []
    """What the detector measured about the subject of the record."""
    why_not: str = ""
    """Why the record did not count; empty if it is flagged, or only the amounts decide."""


class Step(Struct, frozen=True, kw_only=True):
    """A rule for the initiator."""

    rule: str
    decides: bool
    says: str = ""
    """Its verdict, if it decides."""


class InitiatorPart(Struct, frozen=True, kw_only=True):
    """Which end opened the connection."""

    initiator: str
    """`source`, `destination` or `unknown`."""
    confidence: float
    basis: str
    steps: list[Step]
    """The rules in their order, up to the first that decides."""


class End(Struct, frozen=True, kw_only=True):
    """An end of the connection."""

    address: str
    port: int | None
    peer_class: str
    interface: str
    """Its network interface; empty if it is not known."""
    role: str
    """Empty if the end is not one of your hosts."""
    learning: bool
    """Whether the role is unknown, or too young for new behavior to be unusual."""
    days_learned: int
    """Days on which the role was learned."""


class BaselinePart(Struct, frozen=True, kw_only=True):
    """Whether such connections are usual."""

    role: str
    """Of the host at the interface that logged the record."""
    connection: str
    """The kind of connection that is compared, in words."""
    days_seen: int
    """Earlier days with such a connection."""
    days_needed: int
    """Days from which on it is usual."""
    usual: bool


class Traffic(Struct, frozen=True, kw_only=True):
    """A flow, and how the monitor reads it."""

    source: str
    """Address and port."""
    destination: str
    protocol: str
    action: str
    packets: int | None
    bytes: int | None
    start: int | None
    end: int | None
    interface: str
    side: str
    """`ingress`, `egress` or `unknown`."""
    side_basis: str
    initiator: InitiatorPart
    client: End
    server: End
    service: str
    baseline: BaselinePart | None
    """None if the record lacks protocol or port."""


class RecordExplanation(Struct, frozen=True, kw_only=True):
    """Why a record was flagged, or not."""

    where: str
    """File and line; `the record` if it was given as a text."""
    line: str
    kind: str
    """`flow`, `gap` or `malformed`."""
    reason: str
    """Why the line is malformed, or what a gap means; empty for a flow."""
    context: Context
    at: int | None
    """When the monitor processed it in the replay."""
    batch: int
    """Flows in its batch."""
    flagged: bool
    verdict: str
    """In a sentence."""
    suppressed: list[str]
    """What kept its findings from notifying."""
    traffic: Traffic | None
    """None if it is no flow."""
    judgments: list[Judgment]
    """Of all detectors."""


class Evidence(Struct, frozen=True, kw_only=True):
    """The first finding of a detector in an incident."""

    at: int
    judgment: Judgment
    example: Traffic | None
    """A flow behind it; None if it is not about flows."""


class IncidentExplanation(Struct, frozen=True, kw_only=True):
    """What an incident rests on."""

    incident: str
    """Its key."""
    route: str
    severity: str
    subject: str
    summary: str
    batches: int
    """Batches with a finding of the incident."""
    repeats: int
    """Those for which nothing was sent."""
    timeline: list[Happening]
    evidence: list[Evidence]


class Explanation(Struct, frozen=True, kw_only=True):
    """The document: one of its members is set."""

    version: str = VERSION
    record: RecordExplanation | None = None
    incident: IncidentExplanation | None = None
