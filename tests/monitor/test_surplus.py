"""Findings that a batch only counts: they page as far as they would one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from flowwarden.monitor.detectors import (
    blocked_connection,
    egress_denied,
    host_probing,
    internet_to_admin_port,
    internet_to_private,
    scan,
    scanner_connected,
    service_blocked,
    unexpected_egress,
)
from flowwarden.monitor.detectors.base import Detector
from flowwarden.monitor.findings import Finding, Severity, SurplusFinding
from flowwarden.monitor.traffic.active_hosts import HOSTS_OF_BATCH
from flowwarden.monitor.traffic.row_groups import MOST_FINDINGS
from flowwarden.monitor.triage import triage
from flowwarden.policy.detection import Thresholds
from flowwarden.policy.policy import Policy
from flowwarden.records.model import Flow
from flowwarden.state.schema import MOST_REFUSED
from tests.flows import flow, rejected
from tests.monitor.batches import Container, table
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.weeks import CLIENT, IN, OUT, POLICY, TODAY, learned, visit

LIMITS = Thresholds()
ONE = FakeDirectory.of(interface("eni-1"))
NONE = FakeDirectory()
AT: Any = {"start": TODAY + 3600, "end": TODAY + 3609}
BEYOND = 60
LOUD = MOST_FINDINGS + BEYOND


def found(
    detector: Detector,
    flows: Sequence[Flow],
    evidence: MemoryEvidence,
    directory: FakeDirectory = ONE,
    policy: Policy = POLICY,
) -> list[Finding]:
    """The findings of one detector in a batch, after triage."""
    container = Container(policy, MemoryEvidence(dict(evidence.items)), directory)
    return triage(container.detect(detector, table(*flows), TODAY + 7200), policy).remaining


def counts(findings: Sequence[Finding]) -> tuple[int, int]:
    """How many of those that are only counted page, and how many do not."""
    surplus = [each for each in findings if isinstance(each, SurplusFinding)]
    assert len(surplus) == len({each.severity for each in surplus})
    paging = sum(each.count for each in surplus if each.severity.pages)
    return paging, sum(each.count for each in surplus) - paging


def singles(findings: Sequence[Finding]) -> set[bool]:
    """Whether the findings that are made page."""
    return {each.severity.pages for each in findings if not isinstance(each, SurplusFinding)}


PORTS = range(2000, 2000 + LOUD)


def refused(number: int, port: int) -> Flow:
    """A rejection that the server logs: of one of many hosts at one of many ports."""
    client, server = f"10.0.9.{number // 4 + 1}:40000", f"{CLIENT}:{port}"
    return rejected(client, server, tcp_flags=2, flow_direction=IN, **AT)


def serving(ports: Sequence[int]) -> MemoryEvidence:
    """A role that usually answers hosts of that network on these ports."""
    served = [
        each
        for port in ports
        for each in (
            flow("10.0.9.1:40000", f"{CLIENT}:{port}", tcp_flags=2, flow_direction=IN),
            flow(f"{CLIENT}:{port}", "10.0.9.1:40000", tcp_flags=18, flow_direction=OUT),
        )
    ]
    return learned(*served, days=10)


REFUSED = [refused(number, port) for number, port in enumerate(PORTS)]
PARTLY = [*REFUSED[:-20], *(refused(number, number + 9000) for number in range(LOUD - 20, LOUD))]
"""The last 20 are at other ports."""


SOME = Policy(exempt=tuple(f"10.0.9.{host}" for host in range(139, 144)))
ALL = Policy(exempt=("10.0.9.0/24",))


@pytest.mark.matrix(3)
@pytest.mark.parametrize(
    ("usual", "directory", "policy", "flows", "expected"),
    [
        pytest.param([], ONE, POLICY, REFUSED, (0, BEYOND), id="new"),
        pytest.param(PORTS, ONE, POLICY, REFUSED, (BEYOND, 0), id="usual"),
        pytest.param(PORTS, ONE, POLICY, PARTLY, (BEYOND - 20, 20), id="partly usual"),
        pytest.param(None, NONE, POLICY, REFUSED, (BEYOND, 0), id="nothing is known"),
        pytest.param(None, ONE, POLICY, REFUSED, (0, BEYOND), id="the account is learned"),
        pytest.param(PORTS, ONE, ALL, REFUSED, (0, BEYOND), id="exempt"),
        pytest.param(PORTS, ONE, SOME, REFUSED, (BEYOND - 20, 20), id="partly exempt"),
    ],
)
def test_blocked_connections(
    usual: Sequence[int] | None,
    directory: FakeDirectory,
    policy: Policy,
    flows: Sequence[Flow],
    expected: tuple[int, int],
) -> None:
    """Only usual connections, and those of which nothing is known, page at once."""
    evidence = MemoryEvidence() if usual is None else serving(usual)
    assert counts(found(blocked_connection.DETECTOR, flows, evidence, directory, policy)) == expected


def denied(roles: int, ports: Sequence[int]) -> list[Flow]:
    """The outbound rules of several roles deny services on the internet."""
    return [
        rejected(
            f"10.0.1.{role}:40000", f"203.0.113.9:{port}", tcp_flags=2, flow_direction=OUT,
            interface_id=f"eni-{role}", **AT,
        )
        for role in range(roles)
        for port in ports
    ]  # fmt: skip


def test_denied_services() -> None:
    """Only a usual service pages at once; hosts of which nothing is known never do."""
    unknown = denied(MOST_REFUSED + 7, [443])
    for evidence in (MemoryEvidence(), learned()):
        findings = found(egress_denied.DETECTOR, unknown, evidence, NONE)
        assert (singles(findings), counts(findings)) == ({False}, (0, 7))
    roles, ports = 8, [443, 587, 993, 8443]
    directory = FakeDirectory.of(*(interface(f"eni-{role}", f"r{role}") for role in range(roles)))
    usual = [each for port in ports[:2] for each in got_of_role(port)]
    web = learned(*usual)
    evidence = MemoryEvidence(
        {key.replace("=web", f"=r{role}"): sets for key, sets in web.items.items() for role in range(roles)}
    )
    flows = denied(roles, ports[:2]) + denied(roles, ports[2:]) + denied(1, [25])
    assert counts(found(egress_denied.DETECTOR, flows, evidence, directory)) == (0, 1)
    flows = denied(roles, ports[2:]) + denied(roles, [25]) + denied(roles, ports[:2])
    findings = found(egress_denied.DETECTOR, flows, evidence, directory)
    assert (singles(findings), counts(findings)) == ({False, True}, (roles, 0))


def got_of_role(port: int) -> list[Flow]:
    """An answered request to the internet."""
    return [
        flow(f"{CLIENT}:40000", f"203.0.113.9:{port}", tcp_flags=2, flow_direction=OUT),
        flow(f"203.0.113.9:{port}", f"{CLIENT}:40000", tcp_flags=18, flow_direction=IN),
    ]


def entered(ports: Sequence[int], hosts: int, *, answered: bool = True) -> list[Flow]:
    """Internet hosts connect to many services of many hosts."""
    flows = []
    for host in range(1, hosts + 1):
        for port in ports:
            client, server = "198.51.100.66:50001", f"10.0.1.{host}:{port}"
            flows.append(flow(client, server, tcp_flags=2, flow_direction=IN, **AT))
            if answered:
                flows.append(flow(server, client, tcp_flags=18, flow_direction=OUT, **AT))
    return flows


@pytest.mark.parametrize(
    ("days", "expected"), [(21, (BEYOND, 0)), (3, (0, BEYOND))], ids=["known role", "new role"]
)
def test_administration_ports_that_the_internet_reaches(days: int, expected: tuple[int, int]) -> None:
    """While a role is learned, none pages."""
    hosts = LOUD // len(internet_to_admin_port.PORTS)
    flows = entered(sorted(internet_to_admin_port.PORTS), hosts)
    findings = found(internet_to_admin_port.DETECTOR, flows, learned(days=days))
    assert singles(findings) == {expected[0] > 0}
    beyond = hosts * len(internet_to_admin_port.PORTS) - MOST_FINDINGS
    assert counts(findings) == ((beyond, 0) if expected[0] else (0, beyond))


def test_private_subnets_that_the_internet_reaches() -> None:
    """What was not answered is no finding; exempt hosts do not page."""
    policy = Policy(private_subnets=("10.0.1.0/24",), exempt=("10.0.1.4",))
    ports = range(3000, 3000 + LOUD // 4)
    answered, silent = entered(ports, 4), entered(ports, 4, answered=False)
    assert found(internet_to_private.DETECTOR, silent, MemoryEvidence(), policy=policy) == []
    assert counts(found(internet_to_private.DETECTOR, answered, MemoryEvidence(), policy=policy)) == (
        0,
        BEYOND,
    )
    allowed = Policy(private_subnets=("10.0.1.0/24",))
    findings = found(internet_to_private.DETECTOR, [*silent, *answered], MemoryEvidence(), policy=allowed)
    assert counts(findings) == (BEYOND, 0)


def test_services_that_block_many_hosts() -> None:
    """None pages while all roles are learned; an exempt service never does."""
    clients = range(1, LIMITS.service_blocked_clients + 1)
    pairs = [(client, f"10.1.{n // 200}.{n % 200 + 1}") for n in range(LOUD) for client in clients]
    flows = [
        rejected(f"10.0.9.{client}:40000", f"{server}:443", flow_direction=IN, tcp_flags=2, **AT)
        for client, server in pairs
    ]
    exempt = Policy(exempt=("10.1.0.0/16",))
    thresholds = Thresholds(probing_destinations=1000)
    for evidence, given, expected in (
        (MemoryEvidence(), Policy(thresholds=thresholds), (0, BEYOND)),
        (learned(), Policy(thresholds=thresholds), (BEYOND, 0)),
        (learned(), Policy(thresholds=thresholds, exempt=exempt.exempt), (0, BEYOND)),
    ):
        assert counts(found(service_blocked.DETECTOR, flows, evidence, ONE, given)) == expected


def test_hosts_that_probe() -> None:
    """Exempt ones do not page."""
    servers = range(1, LIMITS.probing_destinations + 1)
    pairs = [(f"10.0.{n // 200}.{n % 200 + 1}", server) for n in range(LOUD) for server in servers]
    flows = [
        rejected(f"{client}:40000", f"10.3.0.{server}:22", flow_direction=OUT, tcp_flags=2, **AT)
        for client, server in pairs
    ]
    assert counts(found(host_probing.DETECTOR, flows, MemoryEvidence(), NONE)) == (BEYOND, 0)
    exempt = Policy(exempt=("10.0.2.0/24",))
    assert counts(found(host_probing.DETECTOR, flows, MemoryEvidence(), NONE, exempt)) == (0, BEYOND)


def test_listeners_that_connect_to_the_internet() -> None:
    """Exempt ones do not page."""
    flows = [tried_by(f"10.0.{n // 200}.{n % 200 + 1}") for n in range(LOUD)]
    listeners = Policy(listener_only=("10.0.0.0/16",))
    assert counts(found(unexpected_egress.DETECTOR, flows, MemoryEvidence(), policy=listeners)) == (BEYOND, 0)
    exempt = Policy(listener_only=("10.0.0.0/16",), exempt=("10.0.2.0/24",))
    assert counts(found(unexpected_egress.DETECTOR, flows, MemoryEvidence(), policy=exempt)) == (0, BEYOND)


def tried_by(client: str) -> Flow:
    """A request to the internet."""
    return flow(f"{client}:40000", "203.0.113.9:443", tcp_flags=2, flow_direction=OUT, **AT)


@pytest.mark.parametrize("answered", [False, True])
def test_hosts_that_may_scan(*, answered: bool) -> None:
    """Only hosts count whose contacts fail; those of a new role need more of them."""
    hosts, least = HOSTS_OF_BATCH + 4, LIMITS.scan_hour
    flows = []
    for host in range(hosts):
        for to in range(least + 2):
            client, server, eni = f"10.0.1.{host + 1}:40000", f"10.0.9.{to + 1}:8080", f"eni-{host}"
            flows.append(flow(client, server, tcp_flags=2, flow_direction=OUT, interface_id=eni, **AT))
            if answered:
                flows.append(flow(server, client, tcp_flags=18, flow_direction=IN, interface_id=eni, **AT))
    directory = FakeDirectory.of(*(interface(f"eni-{host}") for host in range(hosts)))
    assert counts(found(scan.DETECTOR, flows, learned(), directory)) == (0 if answered else 4, 0)
    assert counts(found(scan.DETECTOR, flows, learned(days=3), directory)) == (0, 0)


def test_interfaces_that_are_not_compared_with_scanners() -> None:
    """Nothing shows that a scanner is among their visitors."""
    interfaces = [interface(f"eni-{number}") for number in range(40)]
    flows = [
        flow(f"{each.srcaddr}:{each.srcport}", f"{each.dstaddr}:{each.dstport}", tcp_flags=each.tcp_flags,
             flow_direction=each.flow_direction, interface_id=name.interface_id, **AT)
        for name in interfaces for each in visit(8081)
    ]  # fmt: skip
    findings = found(scanner_connected.DETECTOR, flows, learned(), FakeDirectory.of(*interfaces))
    assert (singles(findings), counts(findings)) == (set(), (0, 8))


def test_both_numbers_remain_after_triage() -> None:
    """That of the findings that would page, and that of the others."""
    both = egress_denied.DETECTOR.surplus(3, 4)
    assert [(each.severity, each.count) for each in both] == [(Severity.MEDIUM, 3), (Severity.INFO, 4)]
    assert triage(both, POLICY).remaining == both
    assert egress_denied.DETECTOR.surplus(0) == []
