"""What a replay saw in the traffic, as plain data of bounded size. Times are Unix seconds."""

from __future__ import annotations

from msgspec import Struct


class Ranked(Struct, frozen=True, kw_only=True):
    """A name with its records, such as a port or an address."""

    name: str
    records: int


class Ranking(Struct, frozen=True, kw_only=True):
    """The names with the most records."""

    rows: list[Ranked]
    """Most records first."""
    missed: int = 0
    """By how many records each count can be too low, because rare names are dropped when there are many."""


class Conversation(Struct, frozen=True, kw_only=True):
    """The connections between the hosts of a role and one class of peers, in one direction."""

    role: str
    direction: str
    """`in` if the peers opened the connections, else `out`."""
    peer: str
    """The peer class, such as `internet`."""
    accepted: int
    """Records."""
    rejected: int
    bytes: int
    services: list[str]
    """Those with the most records, such as `HTTPS (tcp/443)`."""


class Point(Struct, frozen=True, kw_only=True):
    """A connection that a scanning host tried."""

    at: int
    target: str
    port: int | None
    """None if the protocol has no ports."""
    outcome: str
    """`accepted` or `rejected`."""


class ScanPicture(Struct, frozen=True, kw_only=True):
    """What a host did that tried many others."""

    subject: str
    """The host."""
    detectors: list[str]
    targets: int
    """Distinct hosts among the points."""
    ports: int
    """Distinct ports among the points."""
    records: int
    """All records of its connections in the batches with a finding."""
    points: list[Point]
    """Distinct attempts, by time; only the first ones of a host with very many."""


class LearnedRole(Struct, frozen=True, kw_only=True):
    """What was learned as usual for a role."""

    role: str
    first: str
    """The first day with learned connections, such as `2026-01-31`."""
    days: int
    """Days with learned connections."""
    learning: bool
    """Whether it is still being learned at the end."""
    rows: list[str]
    """A line for each service that the report on learning lists."""
    left_out: int = 0
    """Further rows."""


class Interval(Struct, frozen=True, kw_only=True, array_like=True):
    """A time without records."""

    begin: int
    end: int


class InterfaceCoverage(Struct, frozen=True, kw_only=True):
    """When an interface wrote records."""

    interface: str
    first: int
    last: int
    """The end of its last record."""
    missing: list[Interval]
    """Times between them without any record, not even NODATA."""
    skipped: list[Interval]
    """Times with SKIPDATA."""


class CoveredTime(Struct, frozen=True, kw_only=True):
    """How many interfaces wrote what within a time."""

    begin: int
    records: int
    """Interfaces with flows."""
    no_data: int
    """Interfaces with NODATA alone."""
    skipped: int
    """Interfaces with SKIPDATA."""
    missing: int
    """Interfaces within a time without any record."""


class Coverage(Struct, frozen=True, kw_only=True):
    """The records of all interfaces over time."""

    seconds: int
    """The length of each of `times`."""
    times: list[CoveredTime]
    with_gaps: int
    """Interfaces with a time that is missing or skipped."""
    worst: list[InterfaceCoverage]
    """Those with the longest gaps first."""
    left_out: int = 0
    """Interfaces that were not observed, because there are too many."""


class Observed(Struct, frozen=True, kw_only=True):
    """What a replay saw."""

    conversations: list[Conversation]
    """Most records first."""
    rejected_ports: Ranking
    rejected_sources: Ranking
    rejected_targets: Ranking
    scans: list[ScanPicture]
    """Most records first."""
    roles: list[LearnedRole]
    coverage: Coverage
