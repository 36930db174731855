"""new-egress-port: TCP ports of the internet that are new for a role."""

from __future__ import annotations

import pytest

from flowwarden.monitor.detectors import new_egress_port
from flowwarden.monitor.findings import Severity, TrafficFinding
from flowwarden.policy.policy import Policy
from flowwarden.records.model import Flow
from tests.flows import flow
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.weeks import CLIENT, DAY, IN, OUT, TODAY, got, learned, look, tried

NAME = new_egress_port.DETECTOR.name
OUTSIDE = "203.0.113.9"
WEB = got("198.51.100.7", 443)
"""What the role usually does: it is not listener-only."""


def of_it(found: list[TrafficFinding]) -> list[TrafficFinding]:
    """Its findings among those of all detectors."""
    return [each for each in found if each.detector == NAME]


def beacon(evidence: MemoryEvidence, port: int, times: range) -> list[Severity]:
    """The severities of the findings about a connection at these times, each in a batch of its own."""
    found = [of_it(look(got(OUTSIDE, port, at), evidence, at + 60)) for at in times]
    return [each.severity for batch in found for each in batch]


def test_a_first_use_is_a_row_of_the_digest() -> None:
    """With the role as its subject and the host as its client."""
    (found,) = of_it(look(got(OUTSIDE, 8443), learned(*WEB)))
    assert (found.severity, found.subject) == (Severity.INFO, "tag:Role=web")
    assert found.main_client == CLIENT
    assert found.main_service.port == 8443


def test_it_pages_once_the_use_continues() -> None:
    """In twelve slots of ten minutes: a connection that lasts, or a beacon that returns each hour."""
    for seconds in (600, 3600):
        severities = beacon(learned(*WEB), 4444, range(TODAY + 300, TODAY + 300 + 13 * seconds, seconds))
        assert severities == [Severity.INFO] * 11 + [Severity.MEDIUM] * 2


def test_midnight_does_not_restart_the_count() -> None:
    """Slots of the evening count in the night."""
    begin = TODAY + DAY - 6 * 600 + 300
    severities = beacon(learned(*WEB), 4444, range(begin, begin + 12 * 600, 600))
    assert severities == [Severity.INFO] * 11 + [Severity.MEDIUM]


def test_slots_of_the_day_before_do_not_count() -> None:
    """Ten on one day and two on the next but one are less than twelve within a day."""
    evidence = learned(*WEB)
    beacon(evidence, 4444, range(TODAY + 300, TODAY + 300 + 11 * 600, 600))
    assert beacon(evidence, 4444, range(TODAY + DAY + 7500, TODAY + DAY + 8000, 600)) == [Severity.INFO]


def test_repeated_and_reordered_batches_change_nothing() -> None:
    """Slots are a set."""
    times = [TODAY + 300 + slot * 600 for slot in range(11)]
    evidence = learned(*WEB)
    for at in [*reversed(times), *times]:
        (found,) = of_it(look(got(OUTSIDE, 4444, at), evidence, TODAY + 7200))
        assert found.severity is Severity.INFO


@pytest.mark.parametrize("port", sorted(new_egress_port.GRAVE_PORTS))
def test_a_grave_port_pages_at_once(port: int) -> None:
    """Worms and spam use it."""
    (found,) = of_it(look(got(OUTSIDE, port), learned(*WEB)))
    assert found.severity is Severity.MEDIUM


def test_a_usual_port_is_not_reported() -> None:
    """Whatever the address; and after two days every port is usual."""
    evidence = learned(*WEB)
    assert of_it(look(got("192.0.2.77", 443), evidence)) == []
    for ago in (2, 1):
        at = TODAY - ago * DAY + 5400
        assert of_it(look(got(OUTSIDE, 8443, at), evidence, at + 60))
    assert of_it(look(got(OUTSIDE, 8443), evidence)) == []


def udp() -> list[Flow]:
    """An answered request over UDP."""
    client, server = f"{CLIENT}:40000", f"{OUTSIDE}:25"
    given = {"protocol": 17, "start": TODAY + 60, "end": TODAY + 69}
    return [
        flow(client, server, flow_direction=OUT, **given),
        flow(server, client, flow_direction=IN, **given),
    ]


@pytest.mark.parametrize("flows", [[tried(OUTSIDE, 25)], got("10.0.9.9", 25), udp()])
def test_other_traffic_is_not_reported(flows: list[Flow]) -> None:
    """Without an answer, inside, or over UDP."""
    assert of_it(look(flows, learned(*WEB))) == []


@pytest.mark.parametrize(("port", "detector"), [(8080, "unexpected-egress"), (5432, "database-egress")])
def test_roles_of_other_detectors_are_left_to_them(port: int, detector: str) -> None:
    """A role that answers others and never connects to the internet, and a database."""
    served = flow("10.0.7.7:50001", f"{CLIENT}:{port}", tcp_flags=2, flow_direction=IN)
    answer = flow(f"{CLIENT}:{port}", "10.0.7.7:50001", tcp_flags=18, flow_direction=OUT)
    found = {each.detector for each in look(got(OUTSIDE, 8443), learned(served, answer))}
    assert NAME not in found
    assert detector in found


def test_while_a_role_is_learned_only_grave_ports_are_reported() -> None:
    """In the digest."""
    evidence = learned(*WEB, days=3)
    assert of_it(look(got(OUTSIDE, 8443), evidence)) == []
    (found,) = of_it(look(got(OUTSIDE, 445), evidence))
    assert found.severity is Severity.INFO


def test_gateways_and_exempt_hosts_are_not_reported() -> None:
    """An interface that EC2 does not describe may be a NAT gateway."""
    evidence = learned(*WEB)
    assert of_it(look(got(OUTSIDE, 25), evidence, known=FakeDirectory())) == []
    assert of_it(look(got(OUTSIDE, 25), evidence, known=FakeDirectory.of(interface("eni-1", "other")))) != []
    assert of_it(look(got(OUTSIDE, 25), evidence, policy=Policy(exempt=(CLIENT,)))) == []


def test_many_new_ports_are_summed_up_without_a_page() -> None:
    """At most eight are stored; the rest is counted."""
    flows = [each for port in range(7000, 7020) for each in got(OUTSIDE, port)]
    found = of_it(look(flows, learned(*WEB)))
    assert len(found) == 8
    assert {each.severity for each in found} == {Severity.INFO}
