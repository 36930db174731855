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
What to do: find out what runs on the host; isolate it if nobody knows.
Events: host-probing.json; service-blocked.json and rejected-answers.json are none.
ATT&CK: T1046 Network Service Discovery.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors.base import Detector
from flowwarden.monitor.findings import Severity, Tally, TrafficFinding, representative
from flowwarden.monitor.traffic.reject_cause import likely_cause
from flowwarden.monitor.view import BatchView
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.notify.text import plural
from flowwarden.policy.detection import Thresholds


def detect(view: BatchView, _state: StateView, thresholds: Thresholds) -> Iterator[TrafficFinding]:
    """One finding for each own host that is refused at many pairs of host and port."""
    for client, group in view.rejections.probers.items():
        yield _report(client, group, thresholds.probing_places)


def _report(client: str, group: list[DirectedFlow], least: int) -> TrafficFinding:
    tally = Tally.of(group)
    pairs = len({(directed.server, directed.flow.protocol, directed.service_port) for directed in group})
    example = representative(group)
    where = f"{plural(len(tally.servers), 'host')}, {plural(len(tally.services), 'service')}"
    return TrafficFinding(
        detector=DETECTOR.name,
        severity=DETECTOR.severity,
        subject=client,
        # Constant, so that it is one incident whatever mix of places a batch shows.
        peer_class=PeerClass.OWN,
        summary=f"{client} is refused at {pairs} host and port pairs ({where}).",
        because=(
            f"{client} is ours and started them ({example.verdict.evidence}, "
            f"confidence {example.confidence:.2f}); {least} distinct pairs in a batch are the threshold"
        ),
        likely=(
            f"something on {client} looks for open ports: a scanner, an inventory tool, or an intruder; "
            f"what refuses it: {likely_cause(example, client, 'each of them')}"
        ),
        advice=(
            f"Ask who runs a scanner or monitoring on {client}; if somebody does, that is the end of it.",
            f"If nobody does: isolate {client} (a security group without rules), keep its disk and memory.",
            "Look for connections of it that were accepted: a scan that succeeds is quiet afterwards.",
        ),
        technique=DETECTOR.technique,
        query_terms=(client, "REJECT"),
        tally=tally,
        example=example,
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
    detect=detect,
)
