"""A monitor without detectors: findings about hosts, in batches and containers of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from msgspec.structs import replace

from flowwarden.monitor.alerts import Deployment, Seen, alerts, own_hosts, roll_up
from flowwarden.monitor.caches.state import StateCache
from flowwarden.monitor.detectors import (
    brute_force,
    database_egress,
    egress_volume,
    host_probing,
    lateral_movement,
    new_egress_port,
    scan,
)
from flowwarden.monitor.findings import Finding, FlowSample, TrafficFinding
from flowwarden.monitor.inhibition import Inhibition
from flowwarden.monitor.reported import HostHistory
from flowwarden.monitor.traffic.hosts import Hosts
from flowwarden.monitor.triage import triage
from flowwarden.network.addresses import PeerClass
from flowwarden.network.roles import UNKNOWN
from flowwarden.network.services import TCP, Service
from flowwarden.notify.alert import Route
from flowwarden.notify.claims import ClaimTerms, Owner
from flowwarden.notify.notification import Notification
from flowwarden.notify.notifier import notify
from flowwarden.notify.run import Run
from flowwarden.policy.policy import Policy
from flowwarden.records.subscription import LogBatch
from tests.flows import directed, flow
from tests.monitor.fakes_state import MemoryEvidence
from tests.notify.fakes import MemoryClaims, MemorySink

NOW = 1_764_000_000
MINUTES = 240
HOST, OTHER, ROLE = "10.0.1.66", "10.0.1.67", "tag:Role=web"
DEPLOYMENT = Deployment(region="eu-west-1", suppression_minutes=MINUTES, runbooks="docs/runbooks")
TERMS = ClaimTerms(suppression=MINUTES * 60, lease=50)


@dataclass
class Monitor:
    """The state table and the topic; every batch has a container of its own."""

    evidence: MemoryEvidence = field(default_factory=MemoryEvidence)
    claims: MemoryClaims = field(default_factory=lambda: MemoryClaims(TERMS))
    pages: MemorySink = field(default_factory=MemorySink)
    numbers: Any = field(default_factory=count)

    def process(self, findings: Sequence[Finding], now: int = NOW) -> list[Notification]:
        """What a batch with these findings sends."""
        name, before = f"batch-{next(self.numbers)}", len(self.pages.sent)
        state = StateCache(self.evidence).for_batch()
        inhibition = Inhibition("111122223333", MINUTES, now)
        remaining = inhibition.of(triage(findings, Policy()).remaining, state)
        hosts = Hosts({})
        past = HostHistory("111122223333", MINUTES, now).of(remaining, hosts, state)
        batch = LogBatch("111122223333", "/flow-logs", "eni-1-all", (), name)
        seen = Seen(batch=batch, deployment=DEPLOYMENT, now=now, hosts=hosts, past=past)
        run = Run(owner=Owner(name, "1"), at=now, time_left=lambda: 300.0)
        routes = {Route.PAGES: (self.pages,)}
        notify(alerts(remaining, seen), run, self.claims, routes, lambda rest: roll_up(rest, seen))
        inhibition.store(remaining, state, own_hosts(remaining, seen), seen.hosts)
        return self.pages.sent[before:]


def _found(detector: Any, host: str, servers: Sequence[str], facts: Any, at: int, **given: Any) -> Any:
    ends = (
        flow(f"{host}:50000", each, tcp_flags=2, start=at, end=at + 9, vpc_id="vpc-1") for each in servers
    )
    given = {"subject": host, "peer_class": PeerClass.OWN} | given
    return detector.finding(sample=FlowSample.of(directed(*ends)), facts=facts, **given)


def scanned(host: str = HOST, role: str = UNKNOWN, at: int = NOW, ports: Sequence[int] = (80, 443)) -> Any:
    """A scan, by default of several services."""
    facts = scan.Failures(role, 20, 3600, 12)
    servers = [f"10.0.9.{number}:{port}" for number in (1, 2, 3) for port in ports]
    return _found(scan.DETECTOR, host, servers, facts, at)


def probed(host: str = HOST, at: int = NOW) -> Any:
    """Rejected at several places."""
    servers = [f"10.0.9.{number}:{port}" for number in (1, 2, 3) for port in (80, 443)]
    return _found(host_probing.DETECTOR, host, servers, host_probing.Facts(6, 5), at)


def moved(host: str = HOST, role: str = UNKNOWN, at: int = NOW, answered: int = 2) -> Any:
    """Lateral movement."""
    facts = lateral_movement.Facts(role, 3, 3, answered)
    return _found(lateral_movement.DETECTOR, host, [f"10.0.9.{n}:22" for n in (1, 2, 3)], facts, at)


def guessed(host: str = HOST, role: str = UNKNOWN, at: int = NOW) -> Any:
    """Password guessing."""
    facts = brute_force.Facts(role, 50, 40)
    return _found(brute_force.DETECTOR, host, ["10.0.9.1:22"], facts, at)


def sent(host: str = HOST, role: str = UNKNOWN, at: int = NOW) -> Any:
    """A large upload."""
    facts = egress_volume.Facts(role, 8e8, 0, limit=500_000_000)
    given = {"peer_class": PeerClass.INTERNET}
    found: TrafficFinding = _found(egress_volume.DETECTOR, host, ["203.0.113.9:443"], facts, at, **given)
    return replace(found, mostly="203.0.113.9")


def left(host: str = HOST, role: str = UNKNOWN, at: int = NOW) -> Any:
    """A database goes out to the internet."""
    facts = database_egress.Facts(role, (5432,))
    given = {"peer_class": PeerClass.INTERNET}
    return _found(database_egress.DETECTOR, host, ["203.0.113.9:443"], facts, at, **given)


def called(*hosts: str, role: str = ROLE, at: int = NOW) -> Any:
    """Hosts of a role use a port of the internet that is new for it."""
    facts = new_egress_port.Facts(role, 12, 12)
    given = {"peer_class": PeerClass.INTERNET, "subject": role, "service": Service(TCP, 8443)}
    one = _found(new_egress_port.DETECTOR, hosts[0], ["203.0.113.9:8443"], facts, at, **given)
    clients = tuple((each, 1) for each in hosts)
    return replace(one, tally=replace(one.tally, clients=clients))
