"""ping-sweep: an internal host pings many addresses that do not reply."""

from __future__ import annotations

from collections.abc import Iterable

from flowwarden.monitor.detectors.ping_sweep import DETECTOR
from flowwarden.monitor.findings import Severity, TrafficFinding
from flowwarden.monitor.render.text import describe
from flowwarden.monitor.report import route_of
from flowwarden.notify.alert import Route
from flowwarden.policy.policy import Policy
from flowwarden.records.model import Action, Flow
from tests.flows import flow
from tests.monitor.batches import Container
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_state import MemoryEvidence
from tests.monitor.weeks import CLIENT, DAY, IN, OUT, TODAY, got, learned

ICMP = {"protocol": 1, "tcp_flags": 0}


def pings(
    hosts: Iterable[int], *, replies: bool = False, at: int = TODAY + 3600, **given: object
) -> list[Flow]:
    """Pings of some hosts."""
    usual = ICMP | {"start": at, "end": at + 5} | given
    sent = [flow(f"{CLIENT}:0", f"10.0.9.{host}:0", flow_direction=OUT, **usual) for host in hosts]
    back = [flow(f"10.0.9.{host}:0", f"{CLIENT}:0", flow_direction=IN, **usual) for host in hosts]
    return [*sent, *(back if replies else ())]


def look(
    flows: list[Flow], evidence: MemoryEvidence | None = None, policy: Policy | None = None, role: str = "web"
) -> list[TrafficFinding]:
    """The findings of this detector in a batch, which is learned."""
    directory = FakeDirectory.of(interface("eni-1", role))
    container = Container(policy or Policy(), learned() if evidence is None else evidence, directory)
    return container.found(flows, max(each.start or 0 for each in flows) + 60, [DETECTOR])


def test_a_sweep_is_a_row_of_the_digest() -> None:
    """Whether the addresses are unused or reject it."""
    for action in (Action.ACCEPT, Action.REJECT):
        (finding,) = look(pings(range(1, 60), action=action))
        assert (finding.subject, finding.severity, route_of(finding)) == (CLIENT, Severity.INFO, Route.DIGEST)
        assert f"{CLIENT} pinged 59 internal addresses that do not reply" in describe(finding).summary


def test_pings_that_are_answered_are_no_sweep() -> None:
    """Monitoring; a few hosts that are down, pings of the internet, and the replies of the pinged host."""
    assert look(pings(range(1, 100), replies=True)) == []
    assert look([*pings(range(1, 100), replies=True), *pings(range(100, 111))]) == []
    internet = [
        flow(f"{CLIENT}:0", f"203.0.113.{n}:0", flow_direction=OUT, start=TODAY, **ICMP) for n in range(90)
    ]
    assert look(internet) == []
    received = [
        flow(f"10.0.9.{n}:0", f"{CLIENT}:0", flow_direction=IN, start=TODAY, **ICMP) for n in range(90)
    ]
    assert look(received) == []


def test_exempt_hosts_and_gateways_may_ping() -> None:
    """A gateway pings on behalf of others."""
    assert look(pings(range(1, 60)), policy=Policy(exempt=(CLIENT,))) == []
    container = Container(evidence=learned())
    assert container.found(pings(range(1, 60)), TODAY + 3660, [DETECTOR]) == []


def test_what_a_role_pings_on_two_days_is_usual() -> None:
    """Monitoring of hosts that reject ICMP."""
    evidence = learned()
    days = [
        look([*pings(range(1, 60), at=at), *got("10.0.3.1", 5432, at)], evidence)
        for at in range(TODAY + 3600, TODAY + 4 * DAY, DAY)
    ]
    assert [len(day) for day in days] == [1, 1, 0, 0]
