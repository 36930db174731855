"""service-blocked: a service of ours refuses many of our own hosts.

What: REJECTs of connections that several own hosts start to one service at one own host. One finding for the
    host that refuses, in place of a blocked-connection for each of them.
Why: clients of a service do not all fail by themselves at the same time. A rule of a security group or a
    network ACL was tightened, and everything that depends on the service is down.
False positives: a service that was switched off on purpose while its clients were not.
Events: service-blocked.json; host-probing.json is its other end.
ATT&CK: none; these are faults.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors.base import Detector
from flowwarden.monitor.findings import FlowSample, Severity, TrafficFinding
from flowwarden.monitor.text import Text, evidence
from flowwarden.monitor.traffic.reject_cause import likely_cause
from flowwarden.monitor.view import BatchView
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.services import Service
from flowwarden.notify.text import plural
from flowwarden.policy.detection import Thresholds


class Facts(Struct, frozen=True):
    """What the finding stands on."""

    limit: int
    """Own hosts that one service refuses, from which on they are one finding."""


type BlockedService = TrafficFinding[Facts]


def detect(view: BatchView, _state: StateView, thresholds: Thresholds) -> list[BlockedService]:
    """One finding for each service that refuses many own hosts."""
    return [_report(group, thresholds.shut_clients) for group in view.rejections.shut_services.values()]


def _report(group: list[DirectedFlow], limit: int) -> BlockedService:
    sample = FlowSample.of(group)
    example = sample.example
    return DETECTOR.finding(
        subject=example.server,
        peer_class=example.server_class,
        service=Service(example.flow.protocol, example.service_port),
        sample=sample,
        facts=Facts(limit=limit),
    )


def text(finding: BlockedService) -> Text:
    """The finding in words."""
    server, hosts = finding.subject, plural(len(finding.tally.clients), "host")
    return Text(
        summary=f"{hosts} of ours are refused {finding.service} at {server}.",
        because=(
            f"they are ours and started it {evidence(finding.example)}; "
            f"{finding.facts.limit} hosts and more are told together"
        ),
        likely=likely_cause(finding.example, "each of them", server),
        query_terms=(server, "REJECT"),
    )


DETECTOR: Final = Detector(
    name="service-blocked",
    summary="one of your services refuses five or more of your hosts: a rule was tightened",
    severity=Severity.MEDIUM,
    thresholds=("shut_clients", "blocked_packets"),
    finds=("security-group-fault",),
    runbook=(
        "Look at the security group and the network ACL of {subject}: were they changed just before?",
        "If the hosts need {service} there: allow it again, for their security group or subnets.",
        "If they do not: find out what they have in common that makes them ask.",
    ),
    detect=detect,
    text=text,
)
