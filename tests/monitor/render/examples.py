"""One fixed finding of each detector, for the golden pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from flowwarden.monitor.baseline.profile import RoleProfile
from flowwarden.monitor.detectors import (
    blocked_connection,
    brute_force,
    database_egress,
    egress_denied,
    egress_volume,
    host_probing,
    interface_silent,
    internet_rejects,
    internet_to_private,
    lateral_movement,
    nacl_blocks_replies,
    records_skipped,
    reject_spike,
    scan,
    scanner_connected,
    service_blocked,
    unexpected_egress,
    unjudged_records,
    unparsed_lines,
)
from flowwarden.monitor.findings import Finding, FlowSample, Window
from flowwarden.monitor.traffic.contact import ContactOutcome
from flowwarden.monitor.traffic.host_uploads import Sources
from flowwarden.monitor.traffic.interface_index import InterfaceIndex
from flowwarden.monitor.traffic.upload_sums import Sent
from flowwarden.monitor.traffic.uploads import counted, uploads
from flowwarden.network.host_set import host_set
from flowwarden.network.services import Service
from flowwarden.policy.detection import Thresholds
from flowwarden.policy.policy import Policy
from flowwarden.records.columnar.flow_table import FlowTable, Table
from flowwarden.records.columnar.reader import ColumnarReader
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, LogFormat
from flowwarden.records.model import FlowDirection, Gap, GapKind
from flowwarden.state.heartbeats import SLOT
from flowwarden.state.sets import DAY, HOUR
from tests.flows import START, directed, directions, flow, rejected
from tests.monitor.batches import NOW, Container, finding_with, of_traffic, table
from tests.monitor.detectors import test_internet_brute_force as guessing
from tests.monitor.detectors import test_ping_sweep as sweeping
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.suspicion import contact, suspect
from tests.monitor.weeks import got, learned, look, visit

IN, OUT = FlowDirection.INGRESS, FlowDirection.EGRESS
OK: Final = ContactOutcome.ANSWERED
LIMITS: Final = Thresholds()
PLACE: Final = {"vpc_id": "vpc-1", "subnet_id": "subnet-1", "instance_id": "i-1"}


def _of_scan() -> Finding:
    return scan.inspect(suspect(*(contact(f"10.0.9.{host}", 8080) for host in range(1, 21))), LIMITS)[0]


def _of_lateral_movement() -> Finding:
    asked = (contact(f"10.0.9.{host}", 22, OK) for host in (1, 2, 3))
    return lateral_movement.inspect(suspect(*asked), LIMITS)[0]


def _of_brute_force() -> Finding:
    logins = contact("10.0.9.1", 22, OK, client_ports=range(40_000, 40_060))
    return brute_force.inspect(suspect(logins), LIMITS)[0]


def _of_database_egress() -> Finding:
    web = contact("203.0.113.9", 443, OK)
    return database_egress.inspect(suspect(web, databases=frozenset({5432, 6379})), LIMITS)[0]


def _of_scanner_connected() -> Finding:
    hits = directed(
        flow("203.0.113.9:40000", "10.0.1.5:8081", tcp_flags=2, **PLACE),
        flow("10.0.1.5:8081", "203.0.113.9:40000", tcp_flags=18, **PLACE),
    )
    return scanner_connected.report("tag:Role=web", hits, 10, Service(6, 8081))


def _of_blocked_connection() -> Finding:
    asked = [rejected("10.0.1.20:50000", f"10.0.2.{host}:5432", tcp_flags=2, **PLACE) for host in (30, 31)]
    return finding_with(blocked_connection.DETECTOR)(asked)[0]


def _of_host_probing() -> Finding:
    asked = [rejected("10.0.1.66:50000", f"10.0.2.30:{port}", flow_direction=OUT) for port in range(20, 33)]
    return finding_with(host_probing.DETECTOR)(asked)[0]


def _of_service_blocked() -> Finding:
    asked = [rejected(f"10.0.1.{host}:50000", "10.0.2.30:6379", flow_direction=IN) for host in range(20, 29)]
    return finding_with(service_blocked.DETECTOR)(asked)[0]


def _of_egress_denied() -> Finding:
    given = {"tcp_flags": 2, "flow_direction": OUT, **PLACE}
    asked = [
        rejected(f"10.0.1.{host}:50000", f"198.51.100.{server}:443", **given)
        for host in range(20, 25)
        for server in (7, 8, 9)
    ]
    directory = FakeDirectory.of(interface("eni-1"))
    (finding,) = of_traffic(Container(directory=directory).detect(egress_denied.DETECTOR, table(*asked)))
    return replace(finding, severity=egress_denied.DETECTOR.severity)


def _of_nacl_blocks_replies() -> Finding:
    ends = [(f"10.0.1.7:4000{each}", "10.0.2.60:443") for each in range(3)]
    requests = [flow(*each, tcp_flags=2, flow_direction=IN, subnet_id="subnet-1") for each in ends]
    answers = [rejected(*each[::-1], tcp_flags=18, flow_direction=OUT, subnet_id="subnet-1") for each in ends]
    return finding_with(nacl_blocks_replies.DETECTOR)([*requests, *answers])[0]


def _of_egress_volume() -> Finding:
    given = {"tcp_flags": 2, "flow_direction": OUT}
    batch = directions(
        flow("10.0.1.5:40000", "203.0.113.9:443", bytes=900_000_000, **given),
        flow("10.0.1.5:40001", "198.51.100.7:443", bytes=90_000_000, **given),
    )
    profile = RoleProfile(NOW // DAY, interface("eni-1"), "tag:Role=web")
    sources = Sources(batch, InterfaceIndex(batch.traffic.flows), {0: profile}, NOW)
    rows, _ = uploads(batch)
    (upload,) = sources.largest(counted(batch, rows), host_set(()))
    facts = egress_volume.Facts("tag:Role=web", 990_000_000, 64_000_000)
    sent = Sent(facts.sent, (NOW // HOUR + 1) * HOUR)
    return egress_volume.report(egress_volume.Unusual(upload, sent, facts), batch, rows)


def _of_internet_to_private() -> Finding:
    asked, answered = ("203.0.113.9:51000", "10.0.2.40:22"), ("10.0.2.40:22", "203.0.113.9:51000")
    policy = Policy(private_subnets=("subnet-1",))
    return finding_with(internet_to_private.DETECTOR)(
        [flow(*asked, **PLACE), flow(*answered, **PLACE)], policy
    )[0]


def _of_unexpected_egress() -> Finding:
    policy = Policy(listener_only=("10.0.2.30",))
    calls = [flow("10.0.2.30:49800", f"198.51.100.{host}:443", tcp_flags=2) for host in (77, 78, 79)]
    return finding_with(unexpected_egress.DETECTOR)(calls, policy)[0]


def _of_internet_to_admin_port() -> Finding:
    (found,) = (each for each in look(visit(22), learned()) if each.detector == "internet-to-admin-port")
    return found


def _of_internet_brute_force() -> Finding:
    (found,) = guessing.look(guessing.guesses(80), guessing.learned())
    return found


def _of_ping_sweep() -> Finding:
    (found,) = sweeping.look(sweeping.pings(range(1, 40)))
    return found


def _of_new_egress_port() -> Finding:
    (found,) = look(got("203.0.113.9", 445), learned(*got("198.51.100.7", 443)))
    return found


def _of_unparsed_lines() -> Finding:
    lines = ["not a flow record"] * 6 + ["10.0.1.20 10.0.2.30 443"]
    records = ColumnarReader((DEFAULT_LOG_FORMAT,)).read(lines)
    return Container().detect(unparsed_lines.DETECTOR, records)[0]


def _of_unjudged_records() -> Finding:
    layout = LogFormat.parse("${tgw-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${start} ${end}")
    lines = [f"tgw-1 10.1.0.5 10.2.0.{host} 40000 22 {START} {START + 58}" for host in range(1, 41)]
    return Container().detect(unjudged_records.DETECTOR, ColumnarReader((layout,)).read(lines))[0]


def _of_records_skipped() -> Finding:
    gaps = [Gap(kind=GapKind.SKIPDATA, interface_id="eni-1", start=NOW - 60 * each) for each in range(5)]
    return Container().detect(records_skipped.DETECTOR, Table(FlowTable.of([]), gaps, []), NOW)[0]


def _of_interface_silent() -> Finding:
    silent = {f"eni-{number}": "vpc-1" for number in range(interface_silent.TOGETHER)}
    return interface_silent.inspect(START // SLOT, silent)[0]


def _of_internet_rejects() -> Finding:
    noise = [
        rejected(f"198.51.100.{host}:40000", f"10.0.0.9:{port}") for host in (1, 2, 3) for port in (22, 23)
    ]
    return finding_with(internet_rejects.DETECTOR)(noise)[0]


def _of_reject_spike() -> Finding:
    noise = [rejected(f"203.0.113.{host}:40000", "10.0.0.10:22") for host in range(1, 41)]
    (about,) = finding_with(internet_rejects.DETECTOR)(noise)
    slot = START // reject_spike.SLOT * reject_spike.SLOT
    refused = FlowSample(about.tally, about.example, Window(slot, slot + reject_spike.SLOT, 40))
    return reject_spike.report(about.subject, refused, 812.4, LIMITS.spike_factor)


EXAMPLES: Final[dict[str, Callable[[], Finding]]] = {
    "scan": _of_scan,
    "lateral-movement": _of_lateral_movement,
    "brute-force": _of_brute_force,
    "database-egress": _of_database_egress,
    "scanner-connected": _of_scanner_connected,
    "blocked-connection": _of_blocked_connection,
    "host-probing": _of_host_probing,
    "service-blocked": _of_service_blocked,
    "egress-denied": _of_egress_denied,
    "nacl-blocks-replies": _of_nacl_blocks_replies,
    "egress-volume": _of_egress_volume,
    "internet-to-private": _of_internet_to_private,
    "internet-to-admin-port": _of_internet_to_admin_port,
    "ping-sweep": _of_ping_sweep,
    "internet-brute-force": _of_internet_brute_force,
    "unexpected-egress": _of_unexpected_egress,
    "new-egress-port": _of_new_egress_port,
    "unparsed-lines": _of_unparsed_lines,
    "unjudged-records": _of_unjudged_records,
    "records-skipped": _of_records_skipped,
    "interface-silent": _of_interface_silent,
    "internet-rejects": _of_internet_rejects,
    "reject-spike": _of_reject_spike,
}
"""A function for each detector's name that makes an example of its findings."""
