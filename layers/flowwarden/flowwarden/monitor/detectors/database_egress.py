"""database-egress: a database starts connections that databases of its role never did.

What: an answered contact that is new for the role, started by a host whose role serves a database on two days
    or more. Another database of ours on such a port is left out: replicas come and go.
Why: a database answers requests. It opens connections for replication, backup or an update, or because an
    intruder runs commands on it.
False positives: a new backup target, a new replica on an unusual port, a package mirror.
While a role is learned, it takes two days until it is known to serve a database. From then on only what no
    database needs is found, unless it is usual already: remote administration of own hosts, and TCP to the
    internet by other ports than the web's.
Events: none alone; see tests/monitor/detectors/test_egress_over_time.py.
ATT&CK: T1210 Exploitation of Remote Services.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from flowwarden.monitor.detectors.base import Detector, Need, each_host
from flowwarden.monitor.findings import FlowSample, Severity, TrafficFinding
from flowwarden.monitor.text import EXEMPT, Text, evidence
from flowwarden.monitor.traffic.host_activity import HostActivity, is_needless
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.services import DATABASE_PORTS, TCP, describe_service
from flowwarden.policy.detection import Thresholds
from flowwarden.state.schema import BASELINES


class Facts(Struct, frozen=True):
    """What the finding stands on."""

    role: str
    serves: tuple[int, ...]
    """TCP ports of the databases that the role serves."""


type DatabaseEgress = TrafficFinding[Facts]


def inspect(host: HostActivity, _thresholds: Thresholds) -> list[DatabaseEgress]:
    """One finding for the host, if it serves a database."""
    if not host.databases:
        return []
    started = [
        directed
        for directed in host.answered
        if directed.server_class is not PeerClass.OWN or directed.service_port not in DATABASE_PORTS
    ]
    if host.learning:
        started = [
            each for each in started if is_needless(each.flow.protocol, each.service_port, each.server_class)
        ]
    return [_report(host, started)] if started else []


def _report(host: HostActivity, flows: Sequence[DirectedFlow]) -> DatabaseEgress:
    sample = FlowSample.of(flows)
    return DETECTOR.finding(
        subject=host.client,
        peer_class=sample.example.server_class,
        sample=sample,
        facts=Facts(role=host.role, serves=tuple(sorted(host.databases))),
    )


def text(finding: DatabaseEgress) -> Text:
    """The finding in words."""
    client, server, facts = finding.subject, finding.main_server, finding.facts
    serves = ", ".join(describe_service(TCP, port) for port in facts.serves)
    return Text(
        summary=f"{client}, which serves {serves}, connected to {finding.main_service} at {server}.",
        because=(
            f"{client} started it {evidence(finding.example)} and was "
            f"answered; its role ({facts.role}) never did that"
        ),
        likely="a new replica, backup or update, or somebody who runs commands on the database",
        query_terms=(client, server),
    )


DETECTOR: Final = Detector(
    name="database-egress",
    summary=(
        "a host whose role serves a database connects to where that role never did, and is answered; "
        "after two days that is usual"
    ),
    severity=Severity.HIGH,
    technique="T1210",
    needs=frozenset({Need.BASELINE}),
    state=(BASELINES,),
    inhibits=("unexpected-egress",),
    teaches=True,
    finds=("listener-goes-out", "database-initiates"),
    runbook=(
        "Find the process on {subject} that holds the connection to {server}.",
        "If nobody vouches for it: cut the database off from everything but its clients.",
        EXEMPT,
    ),
    detect=each_host(inspect),
    text=text,
)
