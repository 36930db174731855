"""host-probing: one of our own hosts is refused at many different places at once.

What: an own host whose connections to many distinct (host, port) pairs are rejected in one batch. One
    finding for the host, in place of a blocked-connection for each service.
Why: an application knows the few services it needs; who tries many does not know what it will find.
    That is how malware looks for its next host, and how a scanner works.
False positives: monitoring and inventory tools; a host whose network ACL refuses everything. Name them in
    the policy's `exempt`.
Blind: a batch is what one interface logged. Many ports of one host show there, and so does anything that
    the prober's own rules refuse. One port on many hosts, each refusing it at its own interface, is one
    pair in each of their batches: that is for `scan`, if it is new for the host's role.
Events: host-probing.json; service-blocked.json and rejected-answers.json are none.
ATT&CK: T1046 Network Service Discovery.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors.base import Detector
from flowwarden.monitor.findings import FlowSample, Severity, TrafficFinding
from flowwarden.monitor.text import ISOLATE, OPEN_PORTS, Text, started_by
from flowwarden.monitor.traffic.reject_cause import likely_cause
from flowwarden.monitor.view import BatchView
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.notify.text import plural
from flowwarden.policy.detection import Thresholds


class Facts(Struct, frozen=True):
    """What the finding stands on."""

    pairs: int
    """Distinct pairs of host and port that refused the host in the batch."""
    limit: int
    """Of the pairs."""


type HostProbe = TrafficFinding[Facts]


def detect(view: BatchView, _state: StateView, thresholds: Thresholds) -> list[HostProbe]:
    """One finding for each own host that is refused at many pairs of host and port."""
    found: list[HostProbe] = []
    for client, group in view.rejections.probers.items():
        found.append(_report(client, group, thresholds.probing_places))
    return found


def _report(client: str, group: list[DirectedFlow], limit: int) -> HostProbe:
    pairs = len({(directed.server, directed.flow.protocol, directed.service_port) for directed in group})
    return DETECTOR.finding(
        subject=client,
        # Constant, so that it is one incident whatever mix of places a batch shows.
        peer_class=PeerClass.OWN,
        sample=FlowSample.of(group),
        facts=Facts(pairs=pairs, limit=limit),
    )


def text(finding: HostProbe) -> Text:
    """The finding in words."""
    client, tally, example, facts = finding.subject, finding.tally, finding.example, finding.facts
    where = f"{plural(len(tally.servers), 'host')}, {plural(len(tally.services), 'service')}"
    return Text(
        summary=f"{client} is refused at {facts.pairs} host and port pairs ({where}).",
        because=(
            f"{started_by(client, example, 'them')}; "
            f"{facts.limit} distinct pairs in a batch are the threshold"
        ),
        likely=(
            f"{OPEN_PORTS.format(client)}; what refuses it: {likely_cause(example, client, 'each of them')}"
        ),
        query_terms=(client, "REJECT"),
    )


DETECTOR: Final = Detector(
    name="host-probing",
    summary=(
        "one of your hosts is refused at five or more host and port pairs in one batch of one interface"
    ),
    severity=Severity.HIGH,
    technique="T1046",
    thresholds=("probing_places",),
    inhibits=("blocked-connection",),
    finds=(
        "fast-vertical-scan",
        "horizontal-scan",
        "block-scan",
        "slow-scan",
        "very-slow-scan",
        "lateral-movement",
    ),
    runbook=(
        "Ask who runs a scanner or monitoring on {subject}; if somebody does, that is the end of it.",
        ISOLATE,
        "Look for connections of it that were accepted: a scan that succeeds is quiet afterwards.",
    ),
    detect=detect,
    text=text,
)
