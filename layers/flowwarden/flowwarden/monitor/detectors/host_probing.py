"""host-probing: connections of an internal host are rejected at many places at once.

What: an internal host whose connections to many distinct (host, port) pairs are rejected in one batch. One
    finding for the host replaces a blocked-connection finding for each service.
Why: an application knows the few services that it needs. A host that tries many pairs does not know which
    ones exist: malware finds its next target this way, and so does a scanner.
False positives: monitoring and inventory tools; a host whose network ACL rejects everything. Add them to
    `exempt` in the policy. These do not count: connections that rules usually refuse for the role; late
    packets of established connections; UDP between two client ports, for which no record shows the server;
    and connections that usually work, because their failure means that a rule was tightened. Connections to
    the internet that the host's own rules deny count by service, at most as often as all others.
Blind: a batch contains the records of one interface. It shows rejections at many ports of one host, and all
    rejections by the prober's own rules. If many hosts reject a sweep for one port, each at its own
    interface, each batch contains only one pair: `scan` reports the sweep if it is new for the host's role.
Events: host-probing.json; no finding in service-blocked.json, rejected-replies-too-few.json and
    udp-between-client-ports.json.
ATT&CK: T1046 Network Service Discovery.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from flowwarden.monitor.behavior import Behavior, always
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.causes import Shares
from flowwarden.monitor.detectors.base import Detector
from flowwarden.monitor.findings import FlowSample, Severity, SurplusFinding, TrafficFinding
from flowwarden.monitor.text import ISOLATE, OPEN_PORTS, Text, narrowed, started_by
from flowwarden.monitor.traffic.reject_cause import likely_cause
from flowwarden.monitor.traffic.tally import places_in, samples_of
from flowwarden.monitor.view import BatchView
from flowwarden.network.addresses import PeerClass
from flowwarden.notify.text import plural
from flowwarden.policy.detection import Thresholds


class Facts(Struct, frozen=True):
    """The evidence for the finding."""

    pairs: int
    """Distinct pairs of host and port that rejected the host in the batch."""
    limit: int
    """The threshold for the pairs."""


type HostProbe = TrafficFinding[Facts]


def detect(view: BatchView, _state: StateView, thresholds: Thresholds) -> list[HostProbe | SurplusFinding]:
    """One finding for each internal host that is rejected at many pairs of host and port."""
    if not len(view.rejections):
        return []
    most, others = view.rejections.probers.split(view.most_findings)
    chosen = [*most]
    found = [
        _report(sample, places_in(view.directions, rows), thresholds.probing_destinations)
        for rows, sample in zip(chosen, samples_of(view.directions, chosen), strict=True)
    ]
    quiet = int(view.rejections.exempt(others.leads).sum())
    return [*found, *DETECTOR.surplus(len(others) - quiet, quiet)]


def _report(sample: FlowSample, pairs: int, limit: int) -> HostProbe:
    return DETECTOR.finding(
        subject=sample.example.client,
        # Constant: one incident, regardless of the mix of places in a batch.
        peer_class=PeerClass.OWN,
        sample=sample,
        facts=Facts(pairs=pairs, limit=limit),
    )


def text(finding: HostProbe) -> Text:
    """The finding in words."""
    client, tally, example, facts = finding.subject, finding.tally, finding.example, finding.facts
    where = f"{plural(len(tally.servers), 'host')}, {plural(len(tally.services), 'service')}"
    return Text(
        summary=f"{client} was rejected at {facts.pairs} host/port pairs ({where}).",
        because=(
            f"{started_by(client, example, 'the connections')}; "
            f"threshold: {facts.limit} distinct pairs in a batch"
        ),
        likely=f"{OPEN_PORTS.format(client)}; rejected by {likely_cause(example, client, 'each target')}",
        # Also what was accepted, because the advice asks for it.
        query_terms=narrowed(finding, client),
    )


DETECTOR: Final = Detector(
    name="host-probing",
    summary=("one of your hosts is rejected at five or more host/port pairs in one batch of one interface"),
    severity=Severity.HIGH,
    incident="scan",
    rejects=True,
    shares=Shares.SERVICE,
    behavior=always(Behavior.SCAN),
    technique="T1046",
    thresholds=("probing_destinations",),
    inhibits=("blocked-connection",),
    finds=(
        "fast-vertical-scan",
        "horizontal-scan",
        "block-scan",
        "slow-scan",
        "very-slow-scan",
        "lateral-movement",
        *("stealth-scan", "udp-scan", "scan-from-https"),
    ),
    runbook=(
        "Check whether {subject} runs an approved scanner or monitoring tool. If so, no action is required.",
        ISOLATE,
        "Look for accepted connections from {subject} to these hosts: they show what a scan has found.",
    ),
    detect=detect,
    text=text,
)
