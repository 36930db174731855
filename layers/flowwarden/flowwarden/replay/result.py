"""The result of a replay, as plain data that every renderer uses. Times are Unix seconds."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct, field

from flowwarden.replay.observed import Observed

VERSION: Final = "1"
"""Raised when a member of the JSON document is removed or changes its meaning."""


class Records(Struct, frozen=True, kw_only=True):
    """The lines of the archive, each counted in exactly one of the first five."""

    accepted: int = 0
    rejected: int = 0
    """Flows with the action REJECT."""
    other: int = 0
    """Flows without an action."""
    gaps: int = 0
    """NODATA and SKIPDATA records."""
    malformed: int = 0
    late: int = 0
    """Lines that came too late for their slice, and were processed in a later one."""

    @property
    def flows(self) -> int:
        """Records with traffic."""
        return self.accepted + self.rejected + self.other

    @property
    def all(self) -> int:
        """All lines."""
        return self.flows + self.gaps + self.malformed

    def __add__(self, more: Records) -> Records:
        """The sum."""
        return Records(**{name: getattr(self, name) + getattr(more, name) for name in self.__struct_fields__})


class Happening(Struct, frozen=True, kw_only=True):
    """A notification about an incident."""

    at: int
    """When it would have been sent."""
    event: str
    """`opened`, `updated`, `reopened` or `resolved`."""
    severity: str
    summary: str


class IncidentHistory(Struct, frozen=True, kw_only=True):
    """An incident, with all its notifications."""

    incident: str
    """Its key."""
    route: str
    """`pages` or `operations`."""
    severity: str
    """The gravest that a notification had."""
    detectors: list[str]
    subject: str
    summary: str
    """That of the first notification."""
    timeline: list[Happening]
    repeats: int
    """Batches with the same finding for which nothing was sent."""
    document: dict[str, Any]
    """The JSON document of the first notification."""
    text: str
    """The text of the first notification."""

    @property
    def is_open(self) -> bool:
        """Whether it was open at the end of the archive."""
        return self.timeline[-1].event != "resolved"


class DayOfDetector(Struct, frozen=True, kw_only=True):
    """What a detector sent on a day. A notification counts for its first detector."""

    day: str
    """Such as `2026-01-31`, in UTC."""
    detector: str
    pages: int = 0
    """Incidents that were paged for the first time, or again after they were resolved."""
    updates: int = 0
    """Further pages about open incidents."""
    resolved: int = 0
    operations: int = 0
    """Notifications to operations."""
    digest_rows: int = 0
    """Rows of the hourly digests."""


class Noisy(Struct, frozen=True, kw_only=True):
    """A subject that caused pages, and what would have prevented them."""

    detector: str
    subject: str
    findings: int
    """Batches in which the detector found something about the subject that notifies."""
    pages: int
    """Incidents of the detector about the subject that were paged, and their updates."""
    mutes: list[dict[str, Any]]
    """Entries of the policy's `mutes`; all of them together silence the detector about the subject."""
    thresholds: dict[str, int]
    """Values of the policy's `thresholds` above all that the detector measured about the subject, all of them
    needed; empty if no allowed value is high enough, or none is known."""


class ReportOnly(Struct, frozen=True, kw_only=True):
    """What a report-only detector found about a subject, without a notification."""

    detector: str
    subject: str
    summary: str
    """That of the first finding."""
    findings: int
    """Batches with such a finding."""
    first: int
    """When the first of them was processed."""
    last: int


class NotJudged(Struct, frozen=True, kw_only=True):
    """Records or findings that could not be judged."""

    what: str
    count: int
    why: str


class Bucket(Struct, frozen=True, kw_only=True):
    """The traffic of a time."""

    begin: int
    accepted: int
    """Records."""
    rejected: int


class Other(Struct, frozen=True, kw_only=True):
    """A notification about no single incident, such as a roll-up or a digest."""

    at: int
    route: str
    kind: str
    subject: str


class ReplayResult(Struct, frozen=True, kw_only=True):
    """What the stack would have sent."""

    version: str = VERSION
    begin: int | None
    """When the first record ended; None if no line has a time."""
    end: int | None
    records: Records
    sources: int
    sources_failed: int
    """Sources that could not be read to their end."""
    interfaces: int
    """Interfaces that wrote records."""
    interfaces_learned: int
    """Those among them that were learned from the lines."""
    pages: int
    """All pages: incidents, updates and roll-ups."""
    incidents: list[IncidentHistory]
    """By the time of their first notification."""
    days: list[DayOfDetector]
    noisiest: list[Noisy]
    """Those that were found in most batches first."""
    report_only: list[ReportOnly]
    """What the detectors found that the policy lists in `report_only`, by the time of the first finding."""
    not_judged: list[NotJudged]
    bucket_seconds: int
    traffic: list[Bucket]
    """Only buckets with records, by time."""
    others: list[Other] = field(default_factory=list)
    as_delivered: bool = False
    observed: Observed | None = None
    """What was seen in the traffic; None if it was not asked for."""
