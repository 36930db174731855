"""ping-sweep: an internal host pings many internal addresses that do not reply. Never a page.

What: ICMP from an internal host to at least `scan_hour` internal addresses that send it none, in one batch.
    It is a row of the digest.
Why: a sweep finds the hosts of a network before a scan, and most of its addresses do not exist.
False positives: monitoring of hosts that are down, or whose security groups reject ICMP. What a role does on
    two days is usual from then on; add the hosts of monitoring to `exempt`.
Blind: a slow sweep, which each batch shows a part of; the type of ICMP, which flow logs do not contain.
Events: none alone; see tests/monitor/detectors/test_ping_sweep.py.
ATT&CK: T1018 Remote System Discovery.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from flowwarden.monitor.baseline.baseline import PINGS
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors.base import Detector, Need
from flowwarden.monitor.findings import Severity, TrafficFinding
from flowwarden.monitor.measured import Measured
from flowwarden.monitor.text import Text
from flowwarden.monitor.traffic.selection import without_repeats
from flowwarden.monitor.traffic.tally import sample_of
from flowwarden.monitor.view import BatchView
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import OWN, Directions
from flowwarden.network.host_set import host_set
from flowwarden.network.services import ICMP, ICMPV6, Service
from flowwarden.notify.alert import Route
from flowwarden.policy.detection import Thresholds
from flowwarden.records.columnar.group_by import Groups, packed
from flowwarden.records.columnar.string_pool import EGRESS
from flowwarden.records.columnar.tokenizer import ABSENT, Integers
from flowwarden.state.schema import BASELINES
from flowwarden.state.sets import DAY


class Facts(Struct, frozen=True):
    """The evidence for the finding."""

    role: str
    silent: int
    """Internal addresses that were pinged and sent nothing."""
    limit: int
    """The threshold for the addresses."""
    day: int
    """Since 1970."""


type PingSweep = TrafficFinding[Facts]


def detect(view: BatchView, _state: StateView, thresholds: Thresholds) -> list[PingSweep]:
    """One finding for each host that pings many addresses, unless that is usual for its role."""
    protocol = view.records.flows["protocol"]
    (pings,) = ((protocol == ICMP) | (protocol == ICMPV6)).nonzero()
    if len(pings) < thresholds.scan_hour:  # as in most batches
        return []
    rows = unanswered(view.directions, pings)
    if len(rows) < thresholds.scan_hour:
        return []
    exempt, texts = host_set(view.policy.exempt), view.records.flows.texts
    hosts = Groups(view.hosts_of(view.directions.client, rows), ordered=True)
    most = sorted(range(len(hosts)), key=lambda host: -int(hosts.sizes[host]))
    members = (rows[hosts.members(host)] for host in most[: view.most_findings])
    counted = [each for each in members if not exempt.hold(texts[int(view.directions.client[each[0]])])]
    found = (_judge(view, each, thresholds.scan_hour) for each in counted)
    return [each for each in found if each]


def _judge(view: BatchView, rows: Integers, least: int) -> PingSweep | None:
    """The finding about the host that sent the flows in these rows."""
    count = measured(view, rows, least)
    if not count.reached:
        return None
    flow = view.directions.flows(rows[:1])[0].flow
    profile = view.profile(flow.interface_id, ABSENT if flow.start is None else flow.start)
    if profile.interface is None or profile.knows(PINGS):
        return None  # a gateway pings on behalf of others
    sample = sample_of(view.directions, without_repeats(view.records.flows, rows))
    day = (sample.tally.first or view.now) // DAY
    finding = DETECTOR.finding(
        subject=sample.example.client,
        peer_class=PeerClass.OWN,
        service=Service(sample.example.flow.protocol, None),
        sample=sample,
        facts=Facts(profile.role, int(count.value), least, day),
    )
    return replace(finding, severity=Severity.INFO)


def measured(view: BatchView, rows: Integers, least: int) -> Measured:
    """The addresses that a host pings in these rows, against the limit."""
    return Measured(
        what="internal addresses pinged without an answer, in the batch",
        value=len(np.unique(view.directions.server[rows])),
        limit=least,
        threshold="scan_hour",
    )


def unanswered(directions: Directions, rows: Integers) -> Integers:
    """The rows among these of ICMP that internal hosts send to internal ones, which send none to them."""
    ends = directions.client[rows], directions.server[rows]
    sizes = [len(directions.traffic.flows.texts)] * 2
    there, back = packed(ends, sizes), packed(ends[::-1], sizes)
    sent = (directions.side[rows] == EGRESS) & (directions.client_class[rows] == OWN)
    sent &= (directions.server_class[rows] == OWN) & ~np.isin(there, back)
    silent: Integers = rows[sent]
    return silent


def text(finding: PingSweep) -> Text:
    """The finding in words."""
    client, facts = finding.subject, finding.facts
    return Text(
        summary=f"{client} pinged {facts.silent} internal addresses that do not reply.",
        because=f"new for its role ({facts.role}); threshold: {facts.limit} addresses in a batch",
        likely="an intruder looking for hosts, or new monitoring",
        query_terms=(client, str(finding.example.flow.protocol)),
    )


DETECTOR: Final = Detector(
    name="ping-sweep",
    summary="one of your hosts pings many internal addresses that do not reply: a row of the digest",
    severity=Severity.INFO,
    route=Route.DIGEST,
    unpaged=Route.DIGEST,
    technique="T1018",
    thresholds=("scan_hour",),
    needs=frozenset({Need.BASELINE}),
    state=(BASELINES,),
    teaches_baseline=True,
    finds=("ping-sweep",),
    runbook=(
        "Find the process on {subject} that sends the pings; if it is monitoring, add {subject} to `exempt`.",
        "If no owner confirms it, look for connections from {subject} to the hosts that replied.",
    ),
    detect=detect,
    text=text,
)
