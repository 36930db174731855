"""Applications whose databases and cache no longer admit them: rules of one side were tightened."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from flowwarden.monitor.baseline.additions import learned
from flowwarden.monitor.baseline.baseline import Edge
from flowwarden.network.interface import NetworkInterface
from flowwarden.records.model import Flow
from flowwarden.state.sets import DAY
from tests.flows import rejected
from tests.monitor.fakes_interfaces import interface
from tests.monitor.fakes_state import MemoryEvidence

NOW: Final = 1_764_000_000
APPS = [f"10.0.1.{host}" for host in range(20, 28)]
DATABASES = [f"10.0.2.{host}" for host in range(30, 34)]
CACHE = "10.0.3.9"


def host(address: str, role: str) -> NetworkInterface:
    """An interface of a role."""
    return replace(interface(f"eni-{address}", role), addresses=(address,), instance_id=f"i-{address}")


def usual() -> MemoryEvidence:
    """Weeks in which the applications used the databases and the cache, and these served them."""
    evidence = MemoryEvidence()
    edges = {
        "app": {Edge("out", 6, 5432, "10.0.2.0/24"), Edge("out", 6, 6379, "10.0.3.0/24")},
        "db": {Edge("in", 6, 5432, "10.0.1.0/24")},
        "cache": {Edge("in", 6, 6379, "10.0.1.0/24")},
    }
    for ago in range(1, 20):
        for role, used in edges.items():
            evidence.add(learned(f"tag:Role={role}", NOW // DAY - ago, frozenset(used)))
    return evidence


HOSTS: Final = (
    *(host(each, "app") for each in APPS),
    *(host(each, "db") for each in DATABASES),
    host(CACHE, "cache"),
)


def refused(client: str, server: str, port: int = 5432, *, at: int = NOW, here: str = "") -> list[Flow]:
    """A refused connection, logged at the server's interface, or at the client's if `here` is it."""
    side = "egress" if here == client else "ingress"
    where = {"interface_id": f"eni-{here or server}", "vpc_id": "vpc-1", "flow_direction": side}
    ends = {"start": at - 90, "end": at - 40, "tcp_flags": 2}
    return [rejected(f"{client}:{50_000 + each}", f"{server}:{port}", **where, **ends) for each in range(4)]
