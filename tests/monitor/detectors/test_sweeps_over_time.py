"""Scans whose packets show no opening: FIN, NULL and UDP scans, and scans from the port of a server."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from flowwarden.monitor.detectors import DETECTORS
from flowwarden.notify.alert import Route
from flowwarden.records.model import Flow
from tests.flows import flow, rejected
from tests.monitor.batches import Container
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.weeks import CLIENT, IN, OUT, TODAY, learned

TARGET = "10.0.9.1"
AT = TODAY + 3600
SCANNERS = {"scan", "host-probing"}


def found(flows: Sequence[Flow]) -> set[str]:
    """The detectors that page about the client of the flows, in a batch of its own or of the target."""
    directory = FakeDirectory.of(interface("eni-1"))
    paging = [each for each in DETECTORS if each.route is Route.PAGES]
    findings = Container(evidence=learned(), directory=directory).found(flows, AT + 60, paging)
    return {each.detector for each in findings if each.subject == CLIENT and each.severity.pages}


def refused(
    ports: Sequence[int], flags: int | None, protocol: int = 6, source_port: int | None = None
) -> list[Flow]:
    """Packets of the client to ports of the target, which rejects them, as the target logs it."""
    usual = {"flow_direction": IN, "packets": 1, "bytes": 40, "start": AT, "end": AT + 9}
    usual |= {"tcp_flags": flags, "protocol": protocol}
    return [
        rejected(f"{CLIENT}:{source_port or 40_000 + number}", f"{TARGET}:{port}", **usual)
        for number, port in enumerate(ports)
    ]


@pytest.mark.parametrize("flags", [0, 1, 2, None])
def test_a_scan_of_ports_is_found_whatever_its_flags(flags: int | None) -> None:
    """FIN, NULL, SYN, and a format without flags."""
    assert found(refused(range(20, 80), flags)) & SCANNERS


def test_a_scan_of_udp_ports_is_found() -> None:
    """The security group of the target rejects it."""
    assert found(refused(range(20, 80), None, protocol=17)) & SCANNERS


@pytest.mark.parametrize("flags", [0, 1])
def test_late_packets_of_expired_connections_are_no_scan(flags: int) -> None:
    """A server answers many ports of a client, and a client sends to one port, or a few, of a server."""
    to_client = refused(range(33_000, 33_200), flags, source_port=443)
    behind_nat = refused(range(1024, 1224), flags, source_port=443)
    to_server = refused([443] * 100, flags)
    of_nfs = refused([2049] * 60 + [*range(700, 710)], flags)
    for flows in (to_client, behind_nat, to_server, of_nfs):
        assert found(flows) == set()


def swept(
    hosts: Sequence[int], source_port: int, port: int, *, answered: bool = False, flags: int | None = None
) -> list[Flow]:
    """Packets of the client from one port to one port of many hosts, as the client logs it."""
    times = {"start": AT, "end": AT + 9, "tcp_flags": flags}
    sent = [
        flow(f"{CLIENT}:{source_port}", f"10.0.9.{host}:{port}", flow_direction=OUT, **times)
        for host in hosts
    ]
    back = [
        flow(f"10.0.9.{host}:{port}", f"{CLIENT}:{source_port}", flow_direction=IN, **times) for host in hosts
    ]
    return [*sent, *(back if answered else ())]


@pytest.mark.parametrize("port", [8080, 22, 7777])
def test_a_sweep_from_the_port_of_a_server_is_found_without_flags(port: int) -> None:
    """Ports alone would make the scanner a server that answers."""
    assert "scan" in found(swept(range(1, 40), 443, port))


def test_a_server_that_answers_is_no_scanner() -> None:
    """Its clients have different ports, or have sent something; some share a port by chance."""
    clients = [each for number in range(60) for each in swept([number], 443, 20_000 + number)]
    alike = swept(range(1, 4), 443, 20_000)
    assert found([*clients, *alike]) == set()
    assert found(swept(range(1, 60), 443, 20_000, answered=True)) == set()
    assert found([*swept(range(1, 60), 443, 50_000)]) == set()
