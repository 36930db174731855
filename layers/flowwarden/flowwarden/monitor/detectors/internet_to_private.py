"""internet-to-private: an internet host connects to a subnet that is declared private.

What: an accepted and answered connection that an internet host initiated to an interface in one of the
    policy's `private_subnets`. An ACCEPT without an answer shows only that the rules allow the connection.
Why: a private subnet has no route from the internet. If a connection arrives, there is an unintended route,
    gateway or public address.
False positives: a network load balancer that preserves client IP addresses legitimately brings internet
    sources to private targets; do not declare the subnets of its targets.
Blind: an answer that arrives in a later batch than its request. A connection whose first records are missing,
    on a port that no common service uses: its initiator is a guess then.
Events: internet-to-private.json; no finding in accept-only.json.
ATT&CK: T1190 Exploit Public-Facing Application.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.causes import Shares
from flowwarden.monitor.detectors.base import Detector, Need
from flowwarden.monitor.findings import FlowSample, Severity, SurplusFinding, TrafficFinding, connection
from flowwarden.monitor.measured import Measured
from flowwarden.monitor.text import Text, evidence, narrowed
from flowwarden.monitor.traffic.row_groups import RowGroups
from flowwarden.monitor.traffic.selection import PAGING_CONFIDENCE, logged_by
from flowwarden.monitor.view import BatchView
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import INTERNET, OWN, DirectedFlow
from flowwarden.network.host_set import HostSet, host_set
from flowwarden.network.initiator import source
from flowwarden.network.services import Service
from flowwarden.network.traffic import RST
from flowwarden.notify.text import plural
from flowwarden.policy.detection import Thresholds
from flowwarden.records.columnar.group_by import Groups, packed
from flowwarden.records.columnar.tokenizer import Integers

MOST_FLOWS: Final = 4096
"""Records of a service for which a flow is created."""

type InternetToPrivate = TrafficFinding[None]


def detect(
    view: BatchView, _state: StateView, _thresholds: Thresholds
) -> list[InternetToPrivate | SurplusFinding]:
    """One finding for each internal host and service in a private subnet that the internet connected to."""
    directions, rows = view.directions, _entering(view)
    if not len(rows):
        return []
    columns = [view.vpcs[rows], directions.server[rows], directions.traffic.flows["protocol"][rows]]
    columns.append(directions.service_port[rows])
    sizes = [len(view.index), len(directions.traffic.flows.texts), 2**8, 2**16]
    groups = Groups(packed(columns, sizes), ordered=True)
    services = RowGroups(rows, groups, np.arange(len(groups)))
    answers = ~directions.from_source[rows] & (directions.traffic.flows["tcp_flags"][rows] != RST)
    most, others = services.those(services.any(answers)).split(view.most_findings)
    found = [each for group in most for each in _inspect(view, group)]
    quiet = int(view.exempt(directions.server[others.leads]).sum())
    return [*found, *DETECTOR.surplus(len(others) - quiet, quiet)]


def _entering(view: BatchView) -> Integers:
    """The rows of connections that internet hosts certainly opened, and that touch a private subnet."""
    directions, rows = view.directions, view.with_internet(view.policy.private_subnets)
    entered = (directions.client_class[rows] == INTERNET) & (directions.server_class[rows] == OWN)
    entering: Integers = rows[entered & (directions.confidence[rows] >= PAGING_CONFIDENCE)]
    return entering


def measured(view: BatchView, row: int) -> Measured:
    """The replies to the connection in a row; one is enough."""
    directions, rows = view.directions, _entering(view)
    for column in (view.vpcs, directions.client, directions.server, directions.service_port):
        rows = rows[column[rows] == column[row]]
    (asked,), private = directions.flows(np.array([row])), host_set(view.policy.private_subnets)
    replies = [
        each
        for each in directions.flows(rows[:MOST_FLOWS])
        if connection(each) == connection(asked) and _is_private(each, private) and _is_answer(each)
    ]
    return Measured(what="replies to the connection, in the batch", value=len(replies), limit=1, needed=True)


def _inspect(view: BatchView, rows: Integers) -> list[InternetToPrivate]:
    """A finding if the service in these rows is in a private subnet and answered."""
    private = host_set(view.policy.private_subnets)
    # More connections of one service add nothing.
    entered = [each for each in view.directions.flows(rows[:MOST_FLOWS]) if _is_private(each, private)]
    answered = {connection(directed) for directed in entered if _is_answer(directed)}
    entered = [directed for directed in entered if connection(directed) in answered]
    if not entered:
        return []
    first = entered[0]
    return [_report(first.server, Service(first.flow.protocol, first.service_port), entered)]


def _is_answer(directed: DirectedFlow) -> bool:
    return source(directed.flow) == directed.server and directed.flow.tcp_flags != RST


def _is_private(directed: DirectedFlow, private: HostSet) -> bool:
    # The record's subnet is that of the logging interface: the server's only if the server is there.
    subnet = directed.flow.subnet_id if logged_by(directed, directed.server) else None
    return private.hold(directed.server, subnet)


def _report(server: str, service: Service, group: list[DirectedFlow]) -> InternetToPrivate:
    sample = FlowSample.of(group)
    return DETECTOR.finding(
        subject=server, peer_class=PeerClass.INTERNET, service=service, sample=sample, facts=None
    )


def text(finding: InternetToPrivate) -> Text:
    """The finding in words."""
    server, clients, example = finding.subject, finding.tally.clients, finding.example
    initiators = finding.main_client if len(clients) == 1 else plural(len(clients), "internet host")
    # The record's ids belong to the interface that logged it, which may be a load balancer's.
    flow = example.flow if logged_by(example, server) else None
    return Text(
        summary=f"{initiators} connected to {finding.service} at {server}, in a subnet declared private.",
        because=(
            f"the initiator is on the internet {evidence(finding.example)}, the action is ACCEPT, "
            f"and the policy declares the subnet private"
        ),
        likely="a public address, a route to an internet gateway, or a load balancer in front of the host",
        brief=f"{initiators} connected to {finding.main_service.number} at private {server}",
        query_terms=narrowed(finding, server, *([finding.main_client] if len(clients) == 1 else [])),
        words={
            "subnet": (flow and flow.subnet_id) or f"the subnet of {server}",
            "interface": (flow and flow.interface_id) or server,
        },
    )


DETECTOR: Final = Detector(
    name="internet-to-private",
    summary="an internet host opened an answered connection to a host in a subnet that you declared private",
    severity=Severity.HIGH,
    shares=Shares.CLIENTS,
    technique="T1190",
    needs=frozenset({Need.SUBNET_ID, Need.TCP_FLAGS}),
    inhibits=("internet-to-admin-port",),
    finds=("public-into-private",),
    runbook=(
        "Check the routes of {subnet} and the public addresses of {interface}.",
        "Close {service} to the internet in the host's security group until the path is known.",
        "If a load balancer forwards the traffic intentionally, remove the subnet from `private_subnets`.",
    ),
    detect=detect,
    text=text,
)
