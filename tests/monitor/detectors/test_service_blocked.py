"""service-blocked: a service of ours that refuses many of our own hosts."""

from __future__ import annotations

from flowwarden.monitor.detectors import blocked_connection, service_blocked
from flowwarden.monitor.findings import Severity
from flowwarden.monitor.render.text import describe
from flowwarden.policy.detection import Thresholds
from flowwarden.policy.policy import Policy
from flowwarden.records.model import Flow
from tests.flows import rejected
from tests.monitor.batches import batch, finding_with, triaged

inspect = finding_with(service_blocked.DETECTOR)
blocked = finding_with(blocked_connection.DETECTOR)

LIMITS = Thresholds()

DATABASE = "10.0.9.30:5432"


def clients(count: int, target: str = DATABASE, packets: int = LIMITS.blocked_packets) -> list[Flow]:
    """So many own hosts, each refused the same."""
    return [
        rejected(f"10.0.{host // 250}.{host % 250 + 1}:50000", target, packets=packets)
        for host in range(count)
    ]


def test_many_shut_out_clients_are_one_finding_about_the_service() -> None:
    """A tightened security group is one page, not five hundred."""
    flows = batch(*clients(500))
    (finding,) = inspect(flows, Policy())
    assert (
        describe(finding).summary == "500 internal hosts are blocked from PostgreSQL (tcp/5432) at 10.0.9.30."
    )
    assert (finding.subject, finding.severity) == ("10.0.9.30", Severity.MEDIUM)
    assert finding.facts.limit == LIMITS.shut_clients
    assert blocked(flows, Policy()) == []


def test_what_a_client_is_refused_besides_is_told_of_it_alone() -> None:
    """Only the shut service is told together."""
    flows = batch(*clients(LIMITS.shut_clients), rejected("10.0.0.1:50000", "10.0.9.31:22"))
    found = [(f.detector, f.subject, str(f.service)) for f in triaged(flows, Policy())]
    assert found == [
        ("blocked-connection", "10.0.0.1", "SSH (tcp/22)"),
        ("service-blocked", "10.0.9.30", "PostgreSQL (tcp/5432)"),
    ]


def test_few_clients_are_told_one_by_one() -> None:
    """Below the threshold each is its own finding."""
    flows = batch(*clients(LIMITS.shut_clients - 1))
    assert inspect(flows, Policy()) == []
    assert len(blocked(flows, Policy())) == LIMITS.shut_clients - 1


def test_stray_packets_of_many_hosts_are_no_shut_service() -> None:
    """Each host's own attempts count, not their sum."""
    assert triaged(batch(*clients(50, packets=LIMITS.blocked_packets - 1)), Policy()) == []


def test_hosts_on_the_internet_shut_nothing_of_ours() -> None:
    """Each client that is refused there is told of itself."""
    flows = batch(*clients(LIMITS.shut_clients, "198.51.100.7:443"))
    assert inspect(flows, Policy()) == []
    assert len(blocked(flows, Policy())) == LIMITS.shut_clients


def test_exempt_hosts_and_probers_are_no_clients() -> None:
    """However many there are: nobody is paged for the first, and the others are told as probers."""
    exempt = batch(*clients(50))
    assert inspect(exempt, Policy(exempt=("10.0.0.0/16",))) == []
    assert not any(f.severity.pages for f in triaged(exempt, Policy(exempt=("10.0.0.0/16",))))
    worm = batch(
        *(rejected(f"10.0.0.{i}:50000", f"10.0.9.30:{port}") for i in range(1, 9) for port in range(20, 60))
    )
    assert {f.detector for f in triaged(worm, Policy())} == {"host-probing"}


def test_a_service_that_is_itself_refused_is_another_finding() -> None:
    """A cluster that is cut off: its members refuse, and are refused."""
    flows = batch(
        *clients(LIMITS.shut_clients, "10.0.9.30:9042"), rejected("10.0.9.30:50000", "10.0.9.31:9042")
    )
    assert {(f.detector, f.subject) for f in triaged(flows, Policy())} == {
        ("service-blocked", "10.0.9.30"),
        ("blocked-connection", "10.0.9.30"),
    }
