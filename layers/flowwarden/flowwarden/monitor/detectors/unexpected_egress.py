"""unexpected-egress: a host that should only answer connects to the internet.

What: an accepted connection to the internet by a host that only answers otherwise: the policy names it in
    `listener_only`, or its role was seen on `DAYS_SEEN` days or more to serve others and never to go out (and
    then the connection has to be answered). A destination that the record names as an AWS service does not
    count, except in ranges where customers' own workloads answer too (EC2, CloudFront and the like); the
    default log format names none.
Why: a database or an internal server has no business there. A connection out is how data leaves and how
    an intruder's tools call home.
False positives: operating system updates, licence checks, telemetry of vendors. Whatever a role does on two
    days is usual for it afterwards.
While a role is learned, only the hosts that the policy names are looked at.
What to do: find the process and the destination; block it until somebody vouches for it.
Events: unexpected-egress.json; accept-only.json is none.
ATT&CK: T1041 Exfiltration Over C2 Channel.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors.base import Detector, Need
from flowwarden.monitor.findings import Severity, Tally, TrafficFinding, representative
from flowwarden.monitor.traffic.host_activity import HostActivity
from flowwarden.monitor.traffic.selection import grouped, logged_by, sure
from flowwarden.monitor.view import BatchView
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.host_set import HostSet, host_set
from flowwarden.network.services import describe_service
from flowwarden.notify.text import plural
from flowwarden.policy.detection import Thresholds
from flowwarden.state.schema import BASELINES


def detect(view: BatchView, _state: StateView, _thresholds: Thresholds) -> Iterator[TrafficFinding]:
    """One finding for each listener-only host that connected to the internet, declared or learned."""
    for host in view.active_hosts:
        yield from inspect(host)
    listeners = host_set(view.policy.listener_only)
    gone_out = [
        directed
        for directed in view.with_internet(view.policy.listener_only)
        if directed.server_class is PeerClass.INTERNET
        and sure(directed)
        and _is_listener(directed, listeners)
    ]
    for client, group in grouped(gone_out, lambda d: d.client).items():
        yield _report(client, group, "the policy declares it listener-only")


def inspect(host: HostActivity) -> list[TrafficFinding]:
    """One finding for the host, if its role only listens."""
    if host.learning or not host.only_listens:
        return []
    gone_out = [each for each in host.answered if each.server_class is PeerClass.INTERNET]
    why = f"its role ({host.role}) answers others and never went out to the internet"
    return [_report(host.client, gone_out, why)] if gone_out else []


def _is_listener(directed: DirectedFlow, listeners: HostSet) -> bool:
    # The record's ids are those of the interface that logged it, so they speak for the client only
    # where the client is at that interface.
    if logged_by(directed, directed.client):
        return listeners.hold(directed.client, directed.flow.interface_id, directed.flow.instance_id)
    return listeners.hold(directed.client)


def _report(client: str, group: list[DirectedFlow], why: str) -> TrafficFinding:
    tally = Tally.of(group)
    example = representative(group)
    target = tally.servers[0][0]
    service = describe_service(*tally.services[0][0])
    others = f" and {plural(len(tally.servers) - 1, 'other host')}" if len(tally.servers) > 1 else ""
    return TrafficFinding(
        detector=DETECTOR.name,
        severity=DETECTOR.severity,
        subject=client,
        peer_class=PeerClass.INTERNET,
        summary=f"{client} connected to {target}{others} on the internet: {service}.",
        because=(
            f"{client} started it ({example.verdict.evidence}, confidence {example.confidence:.2f}); {why}"
        ),
        likely="an update or telemetry that nobody announced, or data on its way out",
        advice=(
            f"Find the process on {client} that holds the connection, and who owns {target}.",
            "If nobody vouches for it: remove the outbound rule, and treat the host as compromised.",
            "If it is wanted: send it through a proxy or endpoint, or name the host in `exempt`.",
        ),
        technique=DETECTOR.technique,
        query_terms=(client, target),
        tally=tally,
        example=example,
    )


DETECTOR: Final = Detector(
    name="unexpected-egress",
    summary=(
        "a host that you declared listener-only, or whose role never did, connected to the internet; "
        "what a role does on two days is usual for it afterwards"
    ),
    severity=Severity.MEDIUM,
    technique="T1041",
    needs=frozenset({Need.BASELINE, Need.TCP_FLAGS}),
    state=(BASELINES,),
    teaches=True,
    detect=detect,
)
