"""service-blocked: many internal hosts are blocked from an internal service."""

from __future__ import annotations

from flowwarden.monitor.detectors import blocked_connection, egress_denied, service_blocked
from flowwarden.monitor.findings import Severity
from flowwarden.monitor.render.text import describe
from flowwarden.policy.detection import Thresholds
from flowwarden.policy.policy import Policy
from flowwarden.records.model import Flow
from tests.flows import rejected
from tests.monitor.batches import Container, batch, finding_with, table, triaged
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.weeks import OUT, POLICY, TODAY, learned

inspect = finding_with(service_blocked.DETECTOR)
blocked = finding_with(blocked_connection.DETECTOR)
denied = finding_with(egress_denied.DETECTOR)

LIMITS = Thresholds()

DATABASE = "10.0.9.30:5432"


def clients(count: int, target: str = DATABASE, packets: int = LIMITS.blocked_packets) -> list[Flow]:
    """This number of internal hosts, each rejected at the same service."""
    return [
        rejected(f"10.0.{host // 250}.{host % 250 + 1}:50000", target, packets=packets)
        for host in range(count)
    ]


def test_many_blocked_clients_are_one_finding_about_the_service() -> None:
    """A tightened security group is one page, not five hundred."""
    flows = batch(*clients(500))
    (finding,) = inspect(flows, Policy())
    assert (
        describe(finding).summary == "500 internal hosts are blocked from PostgreSQL (tcp/5432) at 10.0.9.30."
    )
    assert (finding.subject, finding.severity) == ("10.0.9.30", Severity.MEDIUM)
    assert finding.facts.limit == LIMITS.service_blocked_clients
    assert blocked(flows, Policy()) == []


def test_other_rejections_of_a_client_are_reported_separately() -> None:
    """Only the blocked service is a common finding."""
    flows = batch(*clients(LIMITS.service_blocked_clients), rejected("10.0.0.1:50000", "10.0.9.31:22"))
    found = [(f.detector, f.subject, str(f.service)) for f in triaged(flows, Policy())]
    assert found == [
        ("blocked-connection", "10.0.0.1", "SSH (tcp/22)"),
        ("service-blocked", "10.0.9.30", "PostgreSQL (tcp/5432)"),
    ]


def test_few_clients_are_reported_individually() -> None:
    """Below the threshold, each is its own finding."""
    flows = batch(*clients(LIMITS.service_blocked_clients - 1))
    assert inspect(flows, Policy()) == []
    assert len(blocked(flows, Policy())) == LIMITS.service_blocked_clients - 1


def test_stray_packets_of_many_hosts_are_not_a_blocked_service() -> None:
    """Each host's own attempts count, not their sum."""
    assert triaged(batch(*clients(50, packets=LIMITS.blocked_packets - 1)), Policy()) == []


def test_internet_servers_are_not_a_blocked_service() -> None:
    """The clients' own rules reject them, which egress-denied reports."""
    flows = batch(*clients(LIMITS.service_blocked_clients, "198.51.100.7:443"))
    assert inspect(flows, Policy()) == []
    assert blocked(flows, Policy()) == []
    assert len(denied(flows, Policy())) == LIMITS.service_blocked_clients


def test_exempt_hosts_and_probers_are_not_clients() -> None:
    """In any number: exempt hosts never page, and probers are reported as probers."""
    exempt = batch(*clients(50))
    assert inspect(exempt, Policy(exempt=("10.0.0.0/16",))) == []
    assert not any(f.severity.pages for f in triaged(exempt, Policy(exempt=("10.0.0.0/16",))))
    worm = batch(
        *(rejected(f"10.0.0.{i}:50000", f"10.0.9.30:{port}") for i in range(1, 9) for port in range(20, 60))
    )
    assert {f.detector for f in triaged(worm, Policy())} == {"host-probing"}


def test_a_blocked_service_that_is_rejected_itself_is_another_finding() -> None:
    """An isolated cluster: its members reject others and are rejected."""
    flows = batch(
        *clients(LIMITS.service_blocked_clients, "10.0.9.30:9042"),
        rejected("10.0.9.30:50000", "10.0.9.31:9042"),
    )
    assert {(f.detector, f.subject) for f in triaged(flows, Policy())} == {
        ("service-blocked", "10.0.9.30"),
        ("blocked-connection", "10.0.9.30"),
    }


def test_while_all_roles_are_learned_a_blocked_service_does_not_page() -> None:
    """The service may have been closed for years; the finding is in the log."""
    flows = clients(LIMITS.service_blocked_clients)
    for evidence, pages in ((MemoryEvidence(), False), (learned(), True)):
        container = Container(POLICY, evidence, FakeDirectory.of(interface("eni-1")))
        at = TODAY + 7200
        moved = [flow_at(each, at) for each in flows]
        about = container.detect(service_blocked.DETECTOR, table(*moved), at)
        assert [each.severity.pages for each in about] == [pages]


def flow_at(one: Flow, at: int) -> Flow:
    """The rejected flow, as its client's interface logs it at a time."""
    ends = f"{one.srcaddr}:{one.srcport}", f"{one.dstaddr}:{one.dstport}"
    return rejected(*ends, packets=one.packets, tcp_flags=2, flow_direction=OUT, start=at, end=at + 9)
