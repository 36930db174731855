"""Flow Warden from an event to findings and notifications, with the monitor's own service.

All detectors are on. EC2 describes the interfaces and thus their roles; most of their traffic is in the
roles' baselines, as on any day after the first two weeks. Tables, EC2 and sinks are in memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from benchmarks import interfaces
from benchmarks.evaluation.memory import Claims, Evidence, Formats
from benchmarks.generator import lines
from benchmarks.interfaces import VPC_CIDRS
from benchmarks.ways.project import MAX_BYTES
from benchmarks.ways.way import Event, Way
from flowwarden.bootstrap.monitor_service import MonitorPorts, build
from flowwarden.memory.formats import MemoryFormatStore
from flowwarden.memory.sink import MemorySink
from flowwarden.monitor.baseline.baseline import EDGES, Edge
from flowwarden.monitor.pipeline import Invocation, MonitoringService
from flowwarden.monitor.report import BatchReport
from flowwarden.monitor.traffic.contacts import Contacts
from flowwarden.monitor.traffic.interface_index import InterfaceIndex
from flowwarden.network.addresses import AddressClassifier
from flowwarden.network.direction import Directions
from flowwarden.network.interface import NetworkInterface
from flowwarden.network.traffic import Traffic
from flowwarden.notify.claims import ClaimTerms
from flowwarden.policy.policy import Policy
from flowwarden.records.columnar.reader import ColumnarReader
from flowwarden.records.log_format import LogFormat
from flowwarden.records.subscription import ControlMessage, decode
from flowwarden.state.schema import BASELINES
from flowwarden.state.sets import Sets, fingerprint

NOW: Final = 1_800_000_000
"""Unix seconds, later than all records."""
POLICY: Final = Policy(private_subnets=("10.2.0.0/16",), listener_only=("10.3.0.0/16",), exempt=("10.4.0.1",))
"""A policy that gives every detector something to check; the traffic does not contain these places."""
_DAYS_BEFORE: Final = range(900_001, 900_004)
"""Seeds of payloads that are not measured: they define the baselines."""
_RECORDS: Final = 10_000


class Remembered(Evidence):
    """The state table, with the same baseline for every role and day."""

    def __init__(self, usual: frozenset[int]) -> None:
        super().__init__()
        self._usual: Sets = {EDGES: usual}

    def read(self, keys: Sequence[str]) -> Mapping[str, Sets]:
        """See the port."""
        return {key: self._usual for key in keys if key.startswith(BASELINES.prefix)}


class _Directory:
    """EC2 that describes every interface."""

    def describe(self, interface_ids: Sequence[str]) -> Mapping[str, NetworkInterface]:
        """See the port."""
        return {each: _described(interfaces.interface(each)) for each in interface_ids}


def make(layout: LogFormat) -> Way:
    """Reuses the service for all events, as in a warm container."""
    service = _service(layout)
    invocation = Invocation("one", lambda: 60.0)

    def run(event: Event) -> BatchReport:
        batch = decode(event["awslogs"]["data"], MAX_BYTES)
        if isinstance(batch, ControlMessage):
            raise TypeError("the generator creates no control messages")
        return service.process(batch, invocation, NOW)

    return Way(run=run, aggregates=None)


def _service(layout: LogFormat) -> MonitoringService:
    ports = MonitorPorts(
        formats=Formats(layout.to_log_format()),
        format_store=MemoryFormatStore(),
        interfaces=_Directory(),
        state=Remembered(_usual(layout)),
        claims=Claims(ClaimTerms(suppression=3600, lease=50)),
        pages=MemorySink("memory:pages"),
        operations=MemorySink("memory:operations"),
    )
    return build(ports, POLICY, (layout,), region="eu-west-1", suppression_minutes=60)


def _usual(layout: LogFormat) -> frozenset[int]:
    """The baseline: fingerprints of the edges of earlier payloads."""
    reader, classifier = ColumnarReader((layout,)), AddressClassifier((*POLICY.own_cidrs, *VPC_CIDRS))
    found: set[Edge] = set()
    for seed in _DAYS_BEFORE:
        flows = reader.read(lines(layout, _RECORDS, seed)).flows
        found |= {*Contacts(Directions(Traffic(flows), classifier), InterfaceIndex(flows)).edges.keys}
    return frozenset(fingerprint(*edge) for edge in found)


def _described(known: interfaces.Interface) -> NetworkInterface:
    return NetworkInterface(
        interface_id=known.interface_id,
        addresses=(known.ipv4, known.ipv6),
        subnet_id=known.fields["subnet-id"],
        vpc_id=known.fields["vpc-id"],
        security_groups=(known.security_group,),
        kind="interface",
        instance_id=known.fields["instance-id"],
        tags={},
        vpc_cidrs=VPC_CIDRS,
    )
