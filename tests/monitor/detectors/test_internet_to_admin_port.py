"""internet-to-admin-port: administration and database ports that the internet reaches for the first time."""

from __future__ import annotations

import pytest

from flowwarden.monitor.detectors import DETECTORS, internet_to_admin_port
from flowwarden.monitor.findings import Severity, TrafficFinding
from flowwarden.monitor.triage import triage
from flowwarden.policy.policy import Policy
from flowwarden.records.model import Flow
from tests.flows import flow
from tests.monitor.batches import Container, finding_with
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.weeks import CLIENT, DAY, IN, OUT, TODAY, VISITOR, learned, look, visit

NAME = internet_to_admin_port.DETECTOR.name


def of_it(found: list[TrafficFinding]) -> list[TrafficFinding]:
    """Its findings among those of all detectors."""
    return [each for each in found if each.detector == NAME]


@pytest.mark.parametrize("port", sorted(internet_to_admin_port.PORTS))
def test_a_first_answered_connection_pages(port: int) -> None:
    """On every administration and database port, of a role that is learned."""
    (found,) = of_it(look(visit(port), learned()))
    assert (found.subject, found.severity) == (CLIENT, Severity.HIGH)
    assert found.main_service.port == port
    assert found.tally.clients == ((VISITOR, 2),)


@pytest.mark.parametrize("port", [80, 443, 8080])
def test_other_ports_are_not_reported(port: int) -> None:
    """A public web server is reached by the internet."""
    assert of_it(look(visit(port), learned())) == []


def test_an_unanswered_connection_is_not_reported() -> None:
    """An ACCEPT alone shows only that the rules allow it; a reset is no answer."""
    request, answer = visit(22)
    reset = flow(
        f"{CLIENT}:22",
        f"{VISITOR}:50001",
        tcp_flags=4,
        flow_direction=OUT,
        start=answer.start,
        end=answer.end,
    )
    assert of_it(look([request], learned())) == []
    assert of_it(look([request, reset], learned())) == []


def test_a_connection_from_inside_is_not_reported() -> None:
    """Other detectors report administration within the VPC."""
    times = {"start": TODAY + 5400, "end": TODAY + 5409}
    inside = [
        flow("10.0.7.7:50001", f"{CLIENT}:22", tcp_flags=2, flow_direction=IN, **times),
        flow(f"{CLIENT}:22", "10.0.7.7:50001", tcp_flags=18, flow_direction=OUT, **times),
    ]
    assert of_it(look(inside, learned())) == []


def usual_sftp() -> MemoryEvidence:
    """A role that the internet reached by SSH on two days."""
    evidence = learned()
    for ago in (2, 1):
        at = TODAY - ago * DAY + 5400
        assert of_it(look(visit(22, at), evidence, at + 60))
    return evidence


def test_a_reported_port_becomes_usual_after_two_days() -> None:
    """On that port only."""
    evidence = usual_sftp()
    assert of_it(look(visit(22), evidence)) == []
    assert of_it(look(visit(3389), evidence))


def test_while_a_role_is_learned_a_connection_does_not_page() -> None:
    """It is a row of the digest, also for a host that EC2 does not describe."""
    (found,) = of_it(look(visit(5432), learned(days=3)))
    assert found.severity is Severity.INFO
    (unknown,) = finding_with(internet_to_admin_port.DETECTOR)(visit(5432))
    assert unknown.severity is Severity.INFO


def test_an_exempt_host_is_not_reported() -> None:
    """By its address."""
    assert of_it(look(visit(22), learned(), policy=Policy(exempt=(CLIENT,)))) == []


def test_many_visitors_of_one_port_are_one_finding() -> None:
    """Repeated records do not count twice."""
    visits: list[Flow] = [each for host in range(1, 30) for each in visit(3306, visitor=f"198.51.100.{host}")]
    (found,) = of_it(look([*visits, *visits], learned()))
    assert (found.tally.connections, found.tally.records) == (29, 58)


def test_a_subnet_declared_private_is_reported_once() -> None:
    """By internet-to-private, which is more specific."""
    policy = Policy(private_subnets=(f"{CLIENT}/32",))
    directory = FakeDirectory.of(interface("eni-1"))
    found = Container(policy, learned(), directory).found(visit(22), TODAY + 7200, DETECTORS)
    assert {each.detector for each in found} >= {NAME, "internet-to-private"}
    assert NAME not in {each.detector for each in triage(found, policy).remaining}
