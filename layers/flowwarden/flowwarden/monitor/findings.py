"""Findings: one detector's statement about one subject."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct

from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.services import Service
from flowwarden.records.columnar.tokenizer import ABSENT
from flowwarden.records.log_format import LogFormat


class Severity(StrEnum):
    """How soon somebody should look."""

    INFO = "info"
    """Counted and reported; never wakes anybody."""
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def pages(self) -> bool:
        """Whether a finding of this severity notifies on-call."""
        return self is not Severity.INFO


class Tally(Struct, frozen=True, kw_only=True):
    """How much traffic a finding stands on; sums over records, in the batch alone."""

    records: int
    connections: int
    """Distinct (client, client port, server, server port, protocol)."""
    packets: int
    bytes: int
    first: int | None
    """Unix seconds of the earliest packet, None where the log does not say."""
    last: int | None
    clients: tuple[tuple[str, int], ...]
    """Addresses that opened connections, with their records, most first."""
    servers: tuple[tuple[str, int], ...]
    services: tuple[tuple[tuple[int | None, int | None], int], ...]
    """(protocol, port) of the servers, with their records, most first."""

    @classmethod
    def of(cls, flows: Iterable[DirectedFlow]) -> Tally:
        """Sum up some flows of a batch."""
        flows = list(flows)
        starts = [d.flow.start for d in flows if d.flow.start is not None]
        ends = [d.flow.end for d in flows if d.flow.end is not None]
        return cls(
            records=len(flows),
            connections=len({connection(directed) for directed in flows}),
            # A record stands for a packet at least, also where the log format leaves the count out.
            packets=sum(1 if d.flow.packets is None else d.flow.packets for d in flows),
            bytes=sum(d.flow.bytes or 0 for d in flows),
            first=min(starts, default=None),
            last=max(ends, default=None),
            clients=_counted(d.client for d in flows),
            servers=_counted(d.server for d in flows),
            services=_counted((d.flow.protocol, d.service_port) for d in flows),
        )


class FlowSample(Struct, frozen=True):
    """The flows behind a finding: what they add up to, and the one that stands for them."""

    tally: Tally
    example: DirectedFlow

    @classmethod
    def of(cls, flows: Sequence[DirectedFlow]) -> FlowSample:
        """Of some flows of a batch, at least one."""
        return cls(Tally.of(flows), representative(flows))


class Finding[F = Any](Struct, frozen=True, kw_only=True):
    """What one detector says about one subject in one batch: facts, which `Detector.text` puts into words."""

    detector: str
    severity: Severity
    subject: str
    """What it is about: a host, a subnet, an interface, a VPC or a log group."""
    facts: F
    """What was measured, and the limit it passed: a struct of the detector's own; None if there is no more to
    say than the other members do."""


class TrafficFinding[F = Any](Finding[F], frozen=True, kw_only=True):
    """A finding about flows.

    `subject` is the host that the finding is about: who probes, who is refused, who was reached; never an
    ephemeral port, never one of many internet peers. `service` and `aspect` narrow it.
    """

    peer_class: PeerClass
    service: Service | None = None
    """Where the detector groups by what the connection was for."""
    aspect: str = ""
    """Narrows the subject otherwise: `inbound` or `outbound`, the rules of a network ACL."""
    tally: Tally
    example: DirectedFlow
    """A flow behind the finding: where it was seen."""

    @property
    def main_server(self) -> str:
        """The server with most records."""
        return self.tally.servers[0][0]

    @property
    def main_client(self) -> str:
        """The client with most records."""
        return self.tally.clients[0][0]

    @property
    def main_service(self) -> Service:
        """What the detector groups by, or else the service with most records."""
        return self.service or Service(*self.tally.services[0][0])


class InterfaceFinding[F = Any](Finding[F], frozen=True, kw_only=True):
    """A finding about flow records that are missing. Nothing is claimed about traffic."""

    interfaces: tuple[str, ...]
    """Ids of the interfaces whose records are missing."""
    first: int
    """Unix seconds from which on records are missing, as far as it is known."""
    last: int
    """Unix seconds of the last moment that is known to lack records."""


class UnparsedFinding(Finding[None], frozen=True, kw_only=True):
    """A finding about lines that could not be read."""

    facts: None = None
    lines: int
    """Lines that should hold a record: header lines and blank ones are left out."""
    unreadable: int
    reasons: tuple[tuple[str, int], ...]
    """The most frequent reasons, with their lines."""
    samples: tuple[str, ...]
    """The first unreadable lines, whole."""
    formats: tuple[LogFormat, ...]
    """The log formats that were tried."""


def identity(finding: Finding) -> tuple[str, ...]:
    """What makes two findings of a detector statements about the same thing; no part is a text for people."""
    if not isinstance(finding, TrafficFinding):
        return finding.detector, finding.subject
    service = finding.service.identity if finding.service else ""
    return finding.detector, finding.subject, finding.peer_class.value, service, finding.aspect


def connection(directed: DirectedFlow) -> tuple[object, ...]:
    """What makes two records parts of one connection: both directions share it."""
    return (
        directed.client,
        directed.client_port,
        directed.server,
        directed.service_port,
        directed.flow.protocol,
    )


def representative(flows: Iterable[DirectedFlow]) -> DirectedFlow:
    """The flow that stands for the others: the surest, the earliest; the same in whatever order they come."""
    ranks = [(_rank(directed), directed) for directed in flows]
    first = min(rank for rank, _ in ranks)
    # Writing a record out is dear, and hardly ever two of them are alike until then.
    return min((directed for rank, directed in ranks if rank == first), key=lambda d: repr(d.flow))


def _rank(directed: DirectedFlow) -> tuple[float, int, str, str, int, int]:
    client_port, service_port = (
        ABSENT if port is None else port for port in (directed.client_port, directed.service_port)
    )
    start = directed.flow.start or 0
    return -directed.confidence, start, directed.server, directed.client, client_port, service_port


def ranked[T](counts: Mapping[T, int]) -> tuple[tuple[T, int], ...]:
    """What is counted with how many there are, most first."""
    # Two plain sorts: tuples as keys take twice as long, and there may be thousands of clients.
    names = sorted(counts, key=str)
    names.sort(key=counts.__getitem__, reverse=True)
    return tuple((name, counts[name]) for name in names)


def _counted[T](values: Iterable[T]) -> tuple[tuple[T, int], ...]:
    return ranked(Counter(values))
