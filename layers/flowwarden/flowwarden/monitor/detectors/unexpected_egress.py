"""unexpected-egress: a listener-only host connects to the internet.

What: an accepted connection to the internet from a host that should only answer. Either the policy names the
    host in `listener_only`, or its role was seen on `DAYS_SEEN` or more days to serve others and never to
    connect to the internet (then the connection must be answered). A destination that the record identifies
    as an AWS service does not count, except in ranges that also host customer workloads (EC2, CloudFront and
    similar). The default format of AWS identifies no AWS service.
Why: databases and internal servers have no reason to connect to the internet. Outbound connections carry
    exfiltrated data and command-and-control traffic.
False positives: operating system updates, license checks, vendor telemetry. A connection that a role opens on
    two days counts as usual afterward.
Blind: a connection whose first records are missing, on a port that no common service uses: its initiator is a
    guess then. The baseline does not learn it either, so the next one is reported.
While a role is being learned, only hosts that the policy lists are inspected.
Events: unexpected-egress.json; no finding in accept-only.json.
ATT&CK: T1041 Exfiltration Over C2 Channel.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import numpy as np
from msgspec import Struct

from flowwarden.monitor.behavior import Behavior, always
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.causes import Shares
from flowwarden.monitor.detectors.base import Detector, Need
from flowwarden.monitor.findings import FlowSample, Severity, SurplusFinding, TrafficFinding
from flowwarden.monitor.text import (
    Text,
    evidence,
    main_server_and_others,
    narrowed,
    services,
    short_servers,
    short_services,
)
from flowwarden.monitor.traffic.host_activity import HostActivity
from flowwarden.monitor.traffic.host_sample import sample_of as sample_of_host
from flowwarden.monitor.traffic.row_groups import RowGroups
from flowwarden.monitor.traffic.selection import PAGING_CONFIDENCE, logged_by
from flowwarden.monitor.traffic.tally import sample_of
from flowwarden.monitor.view import BatchView
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import INTERNET, DirectedFlow
from flowwarden.network.host_set import HostSet, host_set
from flowwarden.policy.detection import Thresholds
from flowwarden.records.columnar.group_by import Groups
from flowwarden.records.columnar.tokenizer import Integers
from flowwarden.state.schema import BASELINES


class Listener(StrEnum):
    """Why a host counts as listener-only."""

    DECLARED = "declared"
    """The policy names it."""
    LEARNED = "learned"
    """Its role has never connected to the internet."""


class Facts(Struct, frozen=True):
    """The evidence for the finding."""

    why: Listener
    role: str = ""
    """The role, if it was learned."""


type UnexpectedEgress = TrafficFinding[Facts]


def detect(
    view: BatchView, _state: StateView, _thresholds: Thresholds
) -> list[UnexpectedEgress | SurplusFinding]:
    """One finding for each listener-only host, declared or learned, that connected to the internet."""
    found: list[UnexpectedEgress] = []
    for host in view.active_hosts.inspected:
        found += inspect(host)
    declared, others = _declared(view)
    quiet = int(view.exempt(view.directions.client[others]).sum())
    # Those of a declared host first: every interface on the way reports it, in the same incident.
    return [*declared, *found, *DETECTOR.surplus(len(others) - quiet, quiet)]


def _declared(view: BatchView) -> tuple[list[UnexpectedEgress], Integers]:
    """The findings about declared hosts, those with most records first; and a row of each other host."""
    directions, rows = view.directions, view.with_internet(view.policy.listener_only)
    outbound = directions.server_class[rows] == INTERNET
    rows = rows[outbound & (directions.confidence[rows] >= PAGING_CONFIDENCE)]
    if not len(rows):
        return [], rows
    clients = Groups(view.hosts_of(directions.client, rows), ordered=True)
    hosts = RowGroups(rows, clients, np.arange(len(clients)))
    most, others = hosts.split(view.most_findings)
    samples = filter(None, (_sample(view, group) for group in most))
    found = [_report(each.example.client, each, Facts(Listener.DECLARED)) for each in samples]
    return found, others.leads


def _sample(view: BatchView, rows: Integers) -> FlowSample | None:
    """The flows of a host, if it is declared; the record's ids may name it in some of them only."""
    directions, listeners = view.directions, host_set(view.policy.listener_only)
    client = str(directions.traffic.flows.text(int(directions.client[rows[0]])))
    if listeners.hold(client):
        return sample_of(directions, rows)
    flows = [each for each in directions.flows(rows) if is_declared(each, listeners)]
    return FlowSample.of(flows) if flows else None


def inspect(host: HostActivity) -> list[UnexpectedEgress]:
    """One finding for the host if its role is listener-only."""
    if host.learning or not host.only_listens:
        return []
    gone_out = [each for each in host.answered if each.server_class is PeerClass.INTERNET]
    facts = Facts(Listener.LEARNED, host.role)
    return [_report(host.client, sample_of_host(host, gone_out), facts)] if gone_out else []


def is_declared(directed: DirectedFlow, listeners: HostSet) -> bool:
    """Whether the policy declares the client of a flow listener-only."""
    # The record's ids belong to the interface that logged it, so they identify the client only if the
    # client is at that interface.
    if logged_by(directed, directed.client):
        return listeners.hold(directed.client, directed.flow.interface_id, directed.flow.instance_id)
    return listeners.hold(directed.client)


def _report(client: str, sample: FlowSample, facts: Facts) -> UnexpectedEgress:
    return DETECTOR.finding(subject=client, peer_class=PeerClass.INTERNET, sample=sample, facts=facts)


def text(finding: UnexpectedEgress) -> Text:
    """The finding in words."""
    client, facts = finding.subject, finding.facts
    target = f"{main_server_and_others(finding.tally)} on the internet"
    why = {
        Listener.DECLARED: "the policy declares it listener-only",
        Listener.LEARNED: f"its role ({facts.role}) only answers and never connected to the internet",
    }
    return Text(
        summary=f"{client} connected to {target}: {services(finding.tally)}.",
        because=f"{client} initiated the connection {evidence(finding.example)}; {why[facts.why]}",
        likely="an unannounced update or telemetry, or data exfiltration",
        brief=f"{client} connected to {short_servers(finding.tally)}: {short_services(finding.tally)}",
        query_terms=narrowed(finding, client),
    )


DETECTOR: Final = Detector(
    name="unexpected-egress",
    summary=(
        "a host connected to the internet although you declared it listener-only or its role never did; "
        "after two days the connection counts as usual"
    ),
    severity=Severity.MEDIUM,
    shares=Shares.DESTINATION,
    behavior=always(Behavior.EGRESS),
    technique="T1041",
    needs=frozenset({Need.BASELINE, Need.TCP_FLAGS}),
    state=(BASELINES,),
    teaches_baseline=True,
    finds=("listener-goes-out",),
    runbook=(
        "Find the process on {subject} that owns the connection, and the owner of {server}.",
        "If no owner confirms it, remove the outbound rule and treat the host as compromised.",
        "If the connection is expected, route it through a proxy or endpoint, or add the host to `exempt`.",
    ),
    detect=detect,
    text=text,
)
