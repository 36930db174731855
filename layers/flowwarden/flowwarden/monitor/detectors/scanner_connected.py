"""scanner-connected: an internet host was refused at many places, and then let in.

What: an answered connection from an internet host to a service of ours that the internet does not usually
    reach, if that host was refused at `scan_hit_places` places or more on the same day or on the day before.
    Batches in which one interface refuses it less than three times do not count. If it is refused at enough
    places only after it got through, the batch that completes these tells, if it is of the interface that let
    it in; and only where it had been refused before.
    Without `tcp-flags` the lower port tells who started it, which would not do by itself; that he was refused
    elsewhere does.
Why: who scans is noise until a port opens to him. Then it is the first connection of an attack.
False positives: a new public service that a scanner of the internet finds before its users do.
While a role is learned, nearly every service is new to the internet. From its third day on only remote
    administration and databases are found, unless the internet reached them on two days already.
What to do: close the port unless it is meant to be open; look at what the connection carried.
Events: none can show it, since a role has to be learned; tests/monitor/test_watching.py has weeks of them.
ATT&CK: T1190 Exploit Public-Facing Application.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from flowwarden.monitor.detectors.base import Detector, Need, RunBy
from flowwarden.monitor.findings import Finding, Severity, Tally, representative
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.initiator import Basis, InitiatorVerdict
from flowwarden.network.services import ADMIN_PORTS, DATABASE_PORTS, Service

BY_REFUSALS: Final = 0.95
"""How sure it is that who was refused all over started this connection, too: the lower port is right for
nine of ten already, and hosts of ours that connect to who scans them are rare."""

GRAVE: Final = ADMIN_PORTS | DATABASE_PORTS
"""Ports that hardly any role opens to the internet, whatever else is known of it."""


def report(role: str, flows: Sequence[DirectedFlow], places: int) -> Finding:
    """The finding about a server that refused the visitor at so many places or more.

    The flows are those of the connections that hit one service of it.
    """
    hit = flows[0]
    return _report(role, flows, places, Service(hit.flow.protocol, hit.service_port))


def report_late(role: str, flows: Sequence[DirectedFlow], places: int, protocol: int, port: int) -> Finding:
    """The same, where the refusals came after the connection that got through; the flows are these."""
    return _report(role, flows, places, Service(protocol, port))


def _report(role: str, flows: Sequence[DirectedFlow], places: int, service: Service) -> Finding:
    flows = [_told_by_refusals(each) for each in flows]
    tally = Tally.of(flows)
    example = representative(flows)
    server, visitor = example.server, tally.clients[0][0]
    return Finding(
        detector=DETECTOR.name,
        severity=DETECTOR.severity,
        subject=server,
        peer_class=PeerClass.INTERNET,
        service=service,
        summary=f"{visitor}, which was refused at many other ports, got through to {service} at {server}.",
        because=(
            f"{visitor} is on the internet and started it ({example.verdict.evidence}, confidence "
            f"{example.confidence:.2f}), it was answered, it was refused at {places} places or "
            f"more, and the internet does not usually reach that service of its role ({role})"
        ),
        likely="a port that was opened by mistake or by an intruder",
        advice=(
            f"Is {service} of {server} meant to be reached from the internet? If not, close it now.",
            f"Look at what {visitor} did on the connection, and at what the host did afterwards.",
            "If it is meant to be open: users other than scanners make it usual within two days.",
        ),
        technique=DETECTOR.technique,
        query_terms=(server, visitor),
        tally=tally,
        example=example,
    )


def _told_by_refusals(directed: DirectedFlow) -> DirectedFlow:
    verdict = directed.verdict
    if verdict.confidence >= BY_REFUSALS:
        return directed
    return replace(directed, verdict=InitiatorVerdict(verdict.initiator, BY_REFUSALS, Basis.SCANNER))


DETECTOR: Final = Detector(
    name="scanner-connected",
    summary=(
        "an internet host that was refused all over got through to what the internet does not usually reach"
    ),
    severity=Severity.HIGH,
    technique="T1190",
    thresholds=("scan_hit_places",),
    needs=frozenset({Need.BASELINE}),
    inhibits=("internet-to-private",),
    detect=(RunBy("visits"),),
)
