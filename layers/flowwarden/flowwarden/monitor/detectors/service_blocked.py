"""service-blocked: a service of ours refuses many of our own hosts.

What: REJECTs of connections that several own hosts start to one service at one own host. One finding for the
    host that refuses, in place of a blocked-connection for each of them.
Why: clients of a service do not all fail by themselves at the same time. A rule of a security group or a
    network ACL was tightened, and everything that depends on the service is down.
False positives: a service that was switched off on purpose while its clients were not.
What to do: look at what was changed at the refusing host; allow its clients again.
Events: service-blocked.json; host-probing.json is its other end.
ATT&CK: none; these are faults.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors.base import Detector
from flowwarden.monitor.findings import Severity, Tally, TrafficFinding, representative
from flowwarden.monitor.traffic.reject_cause import likely_cause
from flowwarden.monitor.view import BatchView
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.services import Service
from flowwarden.notify.text import plural
from flowwarden.policy.detection import Thresholds


def detect(view: BatchView, _state: StateView, thresholds: Thresholds) -> Iterator[TrafficFinding]:
    """One finding for each service that refuses many own hosts."""
    for group in view.rejections.shut_services.values():
        yield _report(group, thresholds.shut_clients)


def _report(group: list[DirectedFlow], least: int) -> TrafficFinding:
    tally = Tally.of(group)
    example = representative(group)
    target, service = example.server, Service(example.flow.protocol, example.service_port)
    return TrafficFinding(
        detector=DETECTOR.name,
        severity=DETECTOR.severity,
        subject=target,
        peer_class=example.server_class,
        service=service,
        summary=f"{plural(len(tally.clients), 'host')} of ours are refused {service} at {target}.",
        because=(
            f"they are ours and started it ({example.verdict.evidence}, confidence "
            f"{example.confidence:.2f}); {least} hosts and more are told together"
        ),
        likely=likely_cause(example, "each of them", target),
        advice=(
            f"Look at the security group and the network ACL of {target}: were they changed just before?",
            f"If the hosts need {service} there: allow it again, for their security group or subnets.",
            "If they do not: find out what they have in common that makes them ask.",
        ),
        technique=DETECTOR.technique,
        query_terms=(target, "REJECT"),
        tally=tally,
        example=example,
    )


DETECTOR: Final = Detector(
    name="service-blocked",
    summary="one of your services refuses five or more of your hosts: a rule was tightened",
    severity=Severity.MEDIUM,
    thresholds=("shut_clients", "blocked_packets"),
    detect=detect,
)
