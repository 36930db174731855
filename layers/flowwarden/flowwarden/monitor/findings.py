"""Findings: one detector's statement about one subject."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct

from flowwarden.network.addresses import CLASSES, PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.services import Service, has_ports
from flowwarden.records.columnar.tokenizer import ABSENT
from flowwarden.records.log_format import LogFormat


class Severity(StrEnum):
    """The urgency of a finding; `CRITICAL` only of an incident, see `notify/evidence.py`."""

    INFO = "info"
    """Counted and logged or listed in a digest; never notifies."""
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def pages(self) -> bool:
        """Whether a finding of this severity notifies: on-call or operations, by its detector's route."""
        return self is not Severity.INFO

    @property
    def rank(self) -> int:
        """A sort key, lower for higher severity."""
        return -[*Severity].index(self)


class Tally(Struct, frozen=True, kw_only=True):
    """The traffic behind a finding: sums over records, in one batch."""

    records: int
    connections: int | None
    """Distinct (client, client port, server, server port, protocol); None if a record lacks a port."""
    packets: int | None
    """None if a record lacks the count: no other number would be true."""
    bytes: int | None
    """None if a record lacks the count."""
    first: int | None
    """Unix seconds of the earliest packet; None if the log does not contain it."""
    last: int | None
    clients: tuple[tuple[str, int], ...]
    """Addresses that initiated connections, with their record counts, most first."""
    servers: tuple[tuple[str, int], ...]
    client_classes: tuple[PeerClass, ...]
    """The peer classes of the clients, in the order of `CLASSES`."""
    server_classes: tuple[PeerClass, ...]
    services: tuple[tuple[tuple[int | None, int | None], int], ...]
    """(protocol, port) of the servers, with their record counts, most first."""

    @classmethod
    def of(cls, flows: Iterable[DirectedFlow]) -> Tally:
        """Sum up some flows of a batch."""
        flows = list(flows)
        starts = [d.flow.start for d in flows if d.flow.start is not None]
        ends = [d.flow.end for d in flows if d.flow.end is not None]
        return cls(
            records=len(flows),
            connections=_connections(flows),
            packets=_total(d.flow.packets for d in flows),
            bytes=_total(d.flow.bytes for d in flows),
            first=min(starts, default=None),
            last=max(ends, default=None),
            clients=_counted(d.client for d in flows),
            servers=_counted(d.server for d in flows),
            client_classes=in_order({d.client_class for d in flows}),
            server_classes=in_order({d.server_class for d in flows}),
            services=_counted((d.flow.protocol, d.service_port) for d in flows),
        )


class Window(Struct, frozen=True):
    """A time in which a finding counted something, over several batches."""

    begin: int
    """Unix seconds."""
    end: int
    """Unix seconds; not in the window."""
    in_batch: int = 0
    """How much of it is certainly in the batch, counted exactly."""
    error: float = 0
    """By how much an estimate of that number can be too high."""

    @property
    def span(self) -> int:
        """Seconds."""
        return self.end - self.begin


class FlowSample(Struct, frozen=True):
    """The flows behind a finding: their totals and one representative flow."""

    tally: Tally
    example: DirectedFlow
    window: Window | None = None
    """When the facts of the finding were counted; None if that was in the batch."""

    @classmethod
    def of(cls, flows: Sequence[DirectedFlow]) -> FlowSample:
        """The sample of some flows of a batch, at least one."""
        return cls(Tally.of(flows), representative(flows))


class Finding[F = Any](Struct, frozen=True, kw_only=True):
    """One detector's statement about one subject in one batch, as facts.

    `Detector.text` puts the facts into words.
    """

    detector: str
    severity: Severity
    subject: str
    """The subject: a host, a subnet, an interface, a VPC or a log group."""
    silenced: bool = False
    """Whether it does not page only because its host is exempt, because it is muted, or because a page of
    another batch explains it."""
    muted: str = ""
    """The reason of the policy's mute that keeps it from notifying; empty if there is none."""
    inhibited: str = ""
    """The detector whose finding, in any batch, keeps it from notifying; empty if there is none."""
    report_only: bool = False
    """Whether the policy lists its detector in `report_only`, which keeps it from notifying."""
    facts: F
    """The measurements and the limit that they passed, as a struct of the detector; None if the other members
    suffice."""


class TrafficFinding[F = Any](Finding[F], frozen=True, kw_only=True):
    """A finding about flows.

    `subject` is the host that the finding is about: the prober, the rejected client, the reached server. It
    never contains an ephemeral port and never is one of many internet peers. `service` and `aspect` narrow
    it.
    """

    peer_class: PeerClass
    service: Service | None = None
    """Set if the detector groups by service."""
    aspect: str = ""
    """Narrows the subject further: `inbound` or `outbound`, the rules of a network ACL."""
    tally: Tally
    """The traffic of the batch, also if the finding counted over a longer time."""
    example: DirectedFlow
    """A flow behind the finding; shows where it was logged."""
    window: Window | None = None
    """When what the facts claim was counted; None if that was in the batch."""
    mostly: str = ""
    """The server that most bytes were sent to; empty if the finding is not about bytes."""

    @property
    def main_server(self) -> str:
        """The server with the most records."""
        return self.tally.servers[0][0]

    @property
    def main_client(self) -> str:
        """The client with the most records."""
        return self.tally.clients[0][0]

    @property
    def main_service(self) -> Service:
        """The service that the detector groups by, otherwise the one with the most records."""
        return self.service or Service(*self.tally.services[0][0])


class InterfaceFinding[F = Any](Finding[F], frozen=True, kw_only=True):
    """A finding about missing flow records. It claims nothing about traffic."""

    interfaces: tuple[str, ...]
    """Ids of the interfaces whose records are missing."""
    first: int | None
    """Unix seconds of the first known moment without records; None if no record shows it."""
    last: int | None
    """Unix seconds of the last known moment without records; None if no record shows it."""


class UnparsedFinding(Finding[None], frozen=True, kw_only=True):
    """A finding about lines that cannot be parsed."""

    facts: None = None
    lines: int
    """Lines that should contain a record; header lines and blank lines are excluded."""
    unreadable: int
    reasons: tuple[tuple[str, int], ...]
    """The most frequent reasons, with their line counts."""
    samples: tuple[str, ...]
    """The first unparsed lines, in full."""
    formats: tuple[LogFormat, ...]
    """The log formats that were tried."""


class SurplusFinding(Finding[None], frozen=True, kw_only=True):
    """The findings of a detector in a batch that are only counted, because there are too many."""

    facts: None = None
    subject: str = ""
    count: int
    """The number of findings; an upper bound, since those that another finding explains count too."""


def counted(findings: Iterable[Finding]) -> int:
    """The number of findings, including those that are only counted."""
    return sum(each.count if isinstance(each, SurplusFinding) else 1 for each in findings)


def identity(finding: Finding) -> tuple[str, ...]:
    """The identity of a finding: equal for findings about the same thing. No part is display text."""
    if isinstance(finding, SurplusFinding) and not finding.severity.pages:
        return finding.detector, finding.subject, finding.severity.value
    if not isinstance(finding, TrafficFinding):
        return finding.detector, finding.subject
    service = finding.service.identity if finding.service else ""
    return finding.detector, finding.subject, finding.peer_class.value, service, finding.aspect


def vpc_of(finding: Finding) -> str:
    """The VPC that the records behind a finding name; '' if they name none. Addresses are unique in a VPC."""
    return (finding.example.flow.vpc_id or "") if isinstance(finding, TrafficFinding) else ""


def gravity(finding: Finding) -> tuple[object, ...]:
    """A sort key: the most severe first, then those with most records. Every container sorts alike."""
    records = finding.tally.records if isinstance(finding, TrafficFinding) else 0
    return finding.severity.rank, -records, vpc_of(finding), identity(finding)


def connection(directed: DirectedFlow) -> tuple[object, ...]:
    """The identity of a connection: equal for records of both directions."""
    return (
        directed.client,
        directed.client_port,
        directed.server,
        directed.service_port,
        directed.flow.protocol,
    )


def representative(flows: Iterable[DirectedFlow]) -> DirectedFlow:
    """The flow with the most certain direction, then the earliest, in any order. Takes at least one."""
    flows = [*flows]
    if len(flows) == 1:
        return flows[0]
    ranks = [(_rank(directed), directed) for directed in flows]
    first = min(rank for rank, _ in ranks)
    # Formatting a record is expensive, and ties up to this point are rare.
    return min((directed for rank, directed in ranks if rank == first), key=lambda d: repr(d.flow))


def _rank(directed: DirectedFlow) -> tuple[float, int, str, str, int, int]:
    client_port, service_port = (
        ABSENT if port is None else port for port in (directed.client_port, directed.service_port)
    )
    start = directed.flow.start or 0
    return -directed.confidence, start, directed.server, directed.client, client_port, service_port


def in_order(classes: Collection[PeerClass]) -> tuple[PeerClass, ...]:
    """Distinct peer classes in the order of `CLASSES`."""
    return tuple(each for each in CLASSES if each in classes)


def ranked[T](counts: Mapping[T, int]) -> tuple[tuple[T, int], ...]:
    """Counted items with their counts, most first."""
    if len(counts) <= 1:
        return (*counts.items(),)
    # Two plain sorts: tuple keys take twice as long, and there can be thousands of clients.
    names = sorted(counts, key=str)
    names.sort(key=counts.__getitem__, reverse=True)
    return tuple(zip(names, map(counts.__getitem__, names), strict=True))


def _connections(flows: Sequence[DirectedFlow]) -> int | None:
    """The number of connections; None if two of them may look alike, because a record lacks a port."""
    if any(has_ports(d.flow.protocol) and None in {d.client_port, d.service_port} for d in flows):
        return None
    return len({connection(directed) for directed in flows})


def _total(counts: Iterable[int | None]) -> int | None:
    """The sum; None if one of the counts is missing."""
    values = [*counts]
    known = [each for each in values if each is not None]
    return sum(known) if len(known) == len(values) else None


def _counted[T](values: Iterable[T]) -> tuple[tuple[T, int], ...]:
    counts: dict[T, int] = {}
    for value in values:  # of few flows, for which a Counter takes longer
        counts[value] = counts.get(value, 0) + 1
    return ranked(counts)
