"""service-blocked: many internal hosts are blocked from an internal service.

What: REJECTs of connections that several internal hosts initiate to one service at one internal host. One
    finding for the server replaces a blocked-connection finding for each client.
Why: the clients of a service do not all fail independently at the same time. A rule of a security group or a
    network ACL was tightened, and everything that depends on the service is down.
False positives: a service that was shut down intentionally while its clients were not.
While all roles of an account are being learned, the finding does not page, because the service may have been
    blocked for years.
Events: service-blocked.json; host-probing.json is its other end.
ATT&CK: none; these are faults.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.causes import Shares
from flowwarden.monitor.detectors.base import Detector
from flowwarden.monitor.findings import FlowSample, Severity, SurplusFinding, TrafficFinding
from flowwarden.monitor.text import Text, evidence, narrowed
from flowwarden.monitor.traffic.reject_cause import likely_cause
from flowwarden.monitor.traffic.tally import samples_of
from flowwarden.monitor.view import BatchView
from flowwarden.network.services import Service
from flowwarden.notify.text import plural
from flowwarden.policy.detection import Thresholds
from flowwarden.state.sets import HOUR


class Facts(Struct, frozen=True):
    """The evidence for the finding."""

    limit: int
    """Internal hosts blocked from one service from which on they are one finding."""


type BlockedService = TrafficFinding[Facts]


def detect(
    view: BatchView, _state: StateView, thresholds: Thresholds
) -> list[BlockedService | SurplusFinding]:
    """One finding for each service that rejects many internal hosts."""
    if not len(view.rejections):
        return []
    most, others = view.rejections.blocking_services.split(view.most_findings)
    samples = samples_of(view.directions, [*most])
    found = [_report(sample, thresholds.service_blocked_clients) for sample in samples]
    if view.all_is_new:  # It may have been like that for years.
        found = [replace(each, severity=Severity.INFO) for each in found]
        return [*found, *DETECTOR.surplus(0, len(others))]
    quiet = int(view.exempt(view.directions.server[others.leads]).sum())
    return [*found, *DETECTOR.surplus(len(others) - quiet, quiet)]


def _report(sample: FlowSample, limit: int) -> BlockedService:
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
    server, hosts = finding.subject, plural(len(finding.tally.clients), "internal host")
    return Text(
        summary=f"{hosts} are blocked from {finding.service} at {server}.",
        because=(
            f"the hosts initiated the connections {evidence(finding.example)}; "
            f"threshold: {finding.facts.limit} hosts that are blocked from the same service"
        ),
        likely=likely_cause(finding.example, "each client", server),
        brief=f"{hosts} blocked from {finding.main_service.number} at {server}",
        query_terms=narrowed(finding, server, "REJECT"),
    )


DETECTOR: Final = Detector(
    name="service-blocked",
    summary="five or more of your hosts are blocked from one of your services: a rule was tightened",
    severity=Severity.MEDIUM,
    resolve_after=HOUR // 2,
    asks_rules=True,
    rejects=True,
    incident="refused",
    shares=Shares.RULES,
    thresholds=("service_blocked_clients", "blocked_packets"),
    finds=("security-group-fault", "tightened-group"),
    runbook=(
        "Check whether the security group or network ACL of {subject} changed before the first rejection.",
        "If the hosts need {service} there, allow it again for their security group or subnets.",
        "If they do not, find out why all of them connect to it.",
    ),
    detect=detect,
    text=text,
)
