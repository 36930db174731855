"""database-egress: a database host opens connections that are new for its role.

What: an answered contact that is new for the role, initiated by a host whose role serves a database on two or
    more days. Contacts to another internal host on a database port are excluded: replicas come and go.
Why: a database answers requests. It opens connections for replication, backups or updates, or because an
    intruder runs commands on it.
False positives: a new backup target, a new replica on an unusual port, a package mirror.
Blind: a connection whose first records are missing, on a port that no common service uses: its initiator is a
    guess then. The baseline does not learn it either, so the next one is reported.
While a role is being learned, it takes two days to recognize that it serves a database. In a learned VPC, one
    batch that shows this is enough, because a tag can be changed. After that, only contacts that no database
    needs are reported, unless they are already usual: remote administration of internal hosts, and TCP to the
    internet on ports other than web ports.
Events: none alone; see tests/monitor/detectors/test_egress_over_time.py.
ATT&CK: T1210 Exploitation of Remote Services.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from flowwarden.monitor.behavior import Behavior
from flowwarden.monitor.causes import Shares
from flowwarden.monitor.detectors.base import Detector, Need, each_host
from flowwarden.monitor.findings import Severity, TrafficFinding
from flowwarden.monitor.text import (
    EXEMPT,
    Text,
    evidence,
    main_server_and_others,
    narrowed,
    services,
    short_servers,
    short_services,
)
from flowwarden.monitor.traffic.host_activity import HostActivity, is_needless
from flowwarden.monitor.traffic.host_sample import sample_of
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.services import DATABASE_PORTS, TCP, describe_service
from flowwarden.policy.detection import Thresholds
from flowwarden.state.schema import BASELINES


class Facts(Struct, frozen=True):
    """The evidence for the finding."""

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
    sample = sample_of(host, flows)
    return DETECTOR.finding(
        subject=host.client,
        peer_class=sample.example.server_class,
        sample=sample,
        facts=Facts(role=host.role, serves=tuple(sorted(host.databases))),
    )


def behavior(finding: DatabaseEgress) -> Behavior:
    """What the host does, by its destination: `lateral-movement` may count the same connections."""
    return Behavior.ACCESS if finding.peer_class is PeerClass.OWN else Behavior.EGRESS


def text(finding: DatabaseEgress) -> Text:
    """The finding in words."""
    client, facts, tally = finding.subject, finding.facts, finding.tally
    target = main_server_and_others(tally)
    serves = ", ".join(describe_service(TCP, port) for port in facts.serves)
    return Text(
        summary=f"{client}, which serves {serves}, connected to {target}: {services(tally)}.",
        because=(
            f"{client} initiated the connection {evidence(finding.example)} and was "
            f"answered; this is new for its role ({facts.role})"
        ),
        likely="a new replica, backup or update, or an intruder running commands on the database",
        brief=f"{client} (database) connected to {short_servers(tally)}: {short_services(tally)}",
        query_terms=narrowed(finding, client),
    )


DETECTOR: Final = Detector(
    name="database-egress",
    summary=(
        "a host whose role serves a database opens an answered connection that is new for the role; "
        "after two days the connection counts as usual"
    ),
    severity=Severity.HIGH,
    shares=Shares.DESTINATION,
    behavior=behavior,
    technique="T1210",
    needs=frozenset({Need.BASELINE}),
    state=(BASELINES,),
    inhibits=("unexpected-egress",),
    teaches_baseline=True,
    finds=("listener-goes-out", "database-initiates", "recovery-test"),
    runbook=(
        "Find the process on {subject} that owns the connection to {server}.",
        "If no owner confirms the connection, restrict the database to traffic from its clients.",
        EXEMPT,
    ),
    detect=each_host(inspect),
    text=text,
)
