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
Events: unexpected-egress.json; accept-only.json is none.
ATT&CK: T1041 Exfiltration Over C2 Channel.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors.base import Detector, Need
from flowwarden.monitor.findings import FlowSample, Severity, TrafficFinding
from flowwarden.monitor.text import Text, evidence, main_server_and_others
from flowwarden.monitor.traffic.host_activity import HostActivity
from flowwarden.monitor.traffic.selection import grouped, logged_by, sure
from flowwarden.monitor.view import BatchView
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.host_set import HostSet, host_set
from flowwarden.policy.detection import Thresholds
from flowwarden.state.schema import BASELINES


class Listener(StrEnum):
    """Why a host is taken for one that only answers."""

    DECLARED = "declared"
    """The policy names it."""
    LEARNED = "learned"
    """Its role was never seen to go out."""


class Facts(Struct, frozen=True):
    """What the finding stands on."""

    why: Listener
    role: str = ""
    """Of a host whose role was learned."""


type UnexpectedEgress = TrafficFinding[Facts]


def detect(view: BatchView, _state: StateView, _thresholds: Thresholds) -> list[UnexpectedEgress]:
    """One finding for each listener-only host that connected to the internet, declared or learned."""
    found: list[UnexpectedEgress] = []
    for host in view.active_hosts:
        found += inspect(host)
    listeners = host_set(view.policy.listener_only)
    gone_out = [
        directed
        for directed in view.with_internet(view.policy.listener_only)
        if directed.server_class is PeerClass.INTERNET
        and sure(directed)
        and _is_listener(directed, listeners)
    ]
    for client, group in grouped(gone_out, lambda d: d.client).items():
        found.append(_report(client, group, Facts(Listener.DECLARED)))
    return found


def inspect(host: HostActivity) -> list[UnexpectedEgress]:
    """One finding for the host, if its role only listens."""
    if host.learning or not host.only_listens:
        return []
    gone_out = [each for each in host.answered if each.server_class is PeerClass.INTERNET]
    return [_report(host.client, gone_out, Facts(Listener.LEARNED, host.role))] if gone_out else []


def _is_listener(directed: DirectedFlow, listeners: HostSet) -> bool:
    # The record's ids are those of the interface that logged it, so they speak for the client only
    # where the client is at that interface.
    if logged_by(directed, directed.client):
        return listeners.hold(directed.client, directed.flow.interface_id, directed.flow.instance_id)
    return listeners.hold(directed.client)


def _report(client: str, group: list[DirectedFlow], facts: Facts) -> UnexpectedEgress:
    sample = FlowSample.of(group)
    return DETECTOR.finding(subject=client, peer_class=PeerClass.INTERNET, sample=sample, facts=facts)


def text(finding: UnexpectedEgress) -> Text:
    """The finding in words."""
    client, facts = finding.subject, finding.facts
    target = f"{main_server_and_others(finding.tally)} on the internet"
    why = {
        Listener.DECLARED: "the policy declares it listener-only",
        Listener.LEARNED: f"its role ({facts.role}) answers others and never went out to the internet",
    }
    return Text(
        summary=f"{client} connected to {target}: {finding.main_service}.",
        because=f"{client} started it {evidence(finding.example)}; {why[facts.why]}",
        likely="an update or telemetry that nobody announced, or data on its way out",
        query_terms=(client, finding.main_server),
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
    finds=("listener-goes-out",),
    runbook=(
        "Find the process on {subject} that holds the connection, and who owns {server}.",
        "If nobody vouches for it: remove the outbound rule, and treat the host as compromised.",
        "If it is wanted: send it through a proxy or endpoint, or name the host in `exempt`.",
    ),
    detect=detect,
    text=text,
)
