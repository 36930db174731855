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
Events: none alone; see tests/monitor/detectors/test_egress_over_time.py.
ATT&CK: T1210 Exploitation of Remote Services.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flowwarden.monitor.detectors.base import Detector, Need, each_host
from flowwarden.monitor.findings import Severity, Tally, TrafficFinding, representative
from flowwarden.monitor.traffic.host_activity import HostActivity, is_needless
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.services import DATABASE_PORTS, TCP, describe_service
from flowwarden.policy.detection import Thresholds
from flowwarden.state.schema import BASELINES


def inspect(host: HostActivity, _thresholds: Thresholds) -> list[TrafficFinding]:
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


def _report(host: HostActivity, flows: Sequence[DirectedFlow]) -> TrafficFinding:
    tally = Tally.of(flows)
    client, example = host.client, representative(flows)
    target, service = tally.servers[0][0], describe_service(*tally.services[0][0])
    served = ", ".join(describe_service(TCP, port) for port in sorted(host.databases))
    return TrafficFinding(
        detector=DETECTOR.name,
        severity=DETECTOR.severity,
        subject=client,
        peer_class=example.server_class,
        summary=f"{client}, which serves {served}, connected to {service} at {target}.",
        because=(
            f"{client} started it ({example.verdict.evidence}, confidence {example.confidence:.2f}) and was "
            f"answered; its role ({host.role}) never did that"
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
    state=(BASELINES,),
    inhibits=("unexpected-egress",),
    teaches=True,
    detect=each_host(inspect),
)
