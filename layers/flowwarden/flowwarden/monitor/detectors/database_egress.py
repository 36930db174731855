"""database-egress: a database starts connections that databases of its role never did.

What: an answered contact that is new for the role, started by a host whose role serves a database on two days
    or more. Another database of ours on such a port is left out: replicas come and go.
Why: a database answers requests. It opens connections for replication, backup or an update, or because an
    intruder runs commands on it.
False positives: a new backup target, a new replica on an unusual port, a package mirror.
While a role is learned, it takes two days until it is known to serve a database. From then on only what no
    database needs is found, unless it is usual already: remote administration of own hosts, and TCP to the
    internet by other ports than the web's.
What to do: find the process that connects; assume that the owner of the far end has read the database.
Events: none can show it, since a role has to be learned; tests/monitor/test_watching.py has weeks of them.
ATT&CK: T1210 Exploitation of Remote Services.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flowwarden.monitor.detectors.base import Detector, Need, PerHost
from flowwarden.monitor.findings import Finding, Severity, Tally, representative
from flowwarden.monitor.traffic.host_activity import HostActivity
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.services import ADMIN_PORTS, DATABASE_PORTS, TCP, WEB, describe_service
from flowwarden.policy.policy import Policy


def inspect(suspect: HostActivity, flows: Sequence[DirectedFlow], _policy: Policy) -> list[Finding]:
    """One finding for the host, if it serves a database; the flows are those of its new contacts."""
    if not suspect.databases:
        return []
    started = [
        directed
        for directed in suspect.answered(flows)
        if directed.server_class is not PeerClass.OWN or directed.service_port not in DATABASE_PORTS
    ]
    if suspect.learning:
        started = [
            each for each in started if is_needless(each.flow.protocol, each.service_port, each.server_class)
        ]
    return [_report(suspect, started)] if started else []


def is_needless(protocol: int | None, port: int | None, peer: PeerClass) -> bool:
    """Whether no database has to ask for a service; packages, backups and telemetry are the web's."""
    needless = port in ADMIN_PORTS if peer is PeerClass.OWN else port not in WEB
    return protocol == TCP and needless and peer in {PeerClass.OWN, PeerClass.INTERNET}


def _report(suspect: HostActivity, flows: Sequence[DirectedFlow]) -> Finding:
    tally = Tally.of(flows)
    client, example = suspect.client, representative(flows)
    target, service = tally.servers[0][0], describe_service(*tally.services[0][0])
    served = ", ".join(describe_service(TCP, port) for port in sorted(suspect.databases))
    return Finding(
        detector=DETECTOR.name,
        severity=DETECTOR.severity,
        subject=client,
        peer_class=example.server_class,
        summary=f"{client}, which serves {served}, connected to {service} at {target}.",
        because=(
            f"{client} started it ({example.verdict.evidence}, confidence {example.confidence:.2f}) and was "
            f"answered; its role ({suspect.role}) never did that"
        ),
        likely="a new replica, backup or update, or somebody who runs commands on the database",
        advice=(
            f"Find the process on {client} that holds the connection to {target}.",
            "If nobody vouches for it: cut the database off from everything but its clients.",
            "If it is wanted: name the host in the policy's `exempt`.",
        ),
        technique=DETECTOR.technique,
        query_terms=(client, target),
        tally=tally,
        example=example,
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
    inhibits=("unexpected-egress",),
    teaches=True,
    detect=(PerHost(inspect),),
)
