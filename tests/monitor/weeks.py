"""Weeks of a role, for tests of detectors that compare a host with its role's usual behavior."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from flowwarden.monitor.findings import TrafficFinding
from flowwarden.policy.policy import Policy
from flowwarden.records.model import Flow, FlowDirection
from tests.flows import flow, rejected
from tests.monitor.batches import Container
from tests.monitor.fakes_interfaces import FakeDirectory, interface
from tests.monitor.fakes_state import MemoryEvidence

OUT, IN = FlowDirection.EGRESS, FlowDirection.INGRESS
DAY = 86_400


TODAY = 20_400 * DAY


CLIENT = "10.0.1.5"


POLICY = Policy()


def look(
    flows: Sequence[Flow],
    evidence: MemoryEvidence,
    now: int = TODAY + 7200,
    policy: Policy = POLICY,
    known: FakeDirectory | None = None,
) -> list[TrafficFinding]:
    """One batch, in a new container."""
    directory = known or FakeDirectory.of(interface("eni-1"), interface("eni-nat", "nat"))
    return Container(policy, evidence, directory).found(flows, now)


def paged(flows: Sequence[Flow], evidence: MemoryEvidence, now: int = TODAY + 7200) -> list[TrafficFinding]:
    """The findings of one batch that page."""
    return [each for each in look(flows, evidence, now) if each.severity.pages]


def tried(server: str, port: int, at: int = TODAY + 3600, client_port: int = 40_000, **given: object) -> Flow:
    """A request of the client without an answer."""
    usual = {"tcp_flags": 2, "flow_direction": OUT, "start": at, "end": at + 9}
    return flow(f"{CLIENT}:{client_port}", f"{server}:{port}", **usual | given)


def got(
    server: str, port: int, at: int = TODAY + 3600, client_port: int = 40_000, **given: object
) -> list[Flow]:
    """A request with its answer."""
    client, usual = f"{CLIENT}:{client_port}", {"start": at, "end": at + 9}
    answer = flow(f"{server}:{port}", client, tcp_flags=18, flow_direction=IN, **usual | given)
    return [tried(server, port, at, client_port=client_port, **given), answer]


def lasting(server: str, port: int, at: int = TODAY + 3600, client_port: int = 40_000) -> list[Flow]:
    """A later window of a connection that lasts: both ends send, and neither record has flags."""
    return [
        flow(
            f"{each.srcaddr}:{each.srcport}", f"{each.dstaddr}:{each.dstport}", tcp_flags=0,
            flow_direction=each.flow_direction, start=at, end=at + 59,
        )
        for each in got(server, port, at, client_port)
    ]  # fmt: skip


def learned(*usual: Flow, days: int = 21) -> MemoryEvidence:
    """Evidence of a role with this daily behavior for three weeks."""
    return _learned(usual, days).copy()


@cache
def _learned(usual: Sequence[Flow], days: int) -> MemoryEvidence:
    """Many tests begin with the same weeks; none of them changes this original."""
    evidence = MemoryEvidence()
    for ago in range(days, 0, -1):
        at = TODAY - ago * DAY + 3600
        flows = [*got("10.0.3.1", 5432, at), *(moved(each, at) for each in usual)]
        assert paged(flows, evidence, at) == []
    return evidence


def moved(one: Flow, at: int) -> Flow:
    """The flow at another time."""
    return flow(
        f"{one.srcaddr}:{one.srcport}", f"{one.dstaddr}:{one.dstport}", tcp_flags=one.tcp_flags,
        flow_direction=one.flow_direction, start=at, end=at + 9,
    )  # fmt: skip


SCAN = [tried(f"10.0.9.{host}", 8080) for host in range(1, 15)]


VISITOR = "198.51.100.66"


def knock(port: int, **given: object) -> Flow:
    """The visitor is refused at a port."""
    usual = {"tcp_flags": 2, "flow_direction": IN, "start": TODAY + 3600, "end": TODAY + 3609}
    return rejected(f"{VISITOR}:50000", f"{CLIENT}:{port}", **usual | given)


def visit(port: int, at: int = TODAY + 5400, visitor: str = VISITOR) -> list[Flow]:
    """The visitor is accepted and answered."""
    times = {"start": at, "end": at + 9}
    return [
        flow(f"{visitor}:50001", f"{CLIENT}:{port}", tcp_flags=2, flow_direction=IN, **times),
        flow(f"{CLIENT}:{port}", f"{visitor}:50001", tcp_flags=18, flow_direction=OUT, **times),
    ]


KNOCKS = [knock(port) for port in range(8000, 8012)]
