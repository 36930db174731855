"""internet-rejects: rejected connection attempts from the internet. Counted and reported, never a page.

What: REJECTs of connections that internet hosts initiate to the interface. Leftovers of expired connections
    (a REJECT without a SYN) are not attempts and do not count. Internet hosts that tried many ports of one
    host are named.
Why: they are background radiation. EC2 sensors saw 27,100 packets per address and day (Cloud Telescope,
    2023), and the top 1 % of sources send 97 % of them; a threshold on the count pages all day. A source that
    is first rejected and later accepted is reported by `scanner-connected`.
False positives: not applicable; the finding claims nothing beyond the count.
Events: reject-burst.json; expired-connection.json has late packets, which do not count.
ATT&CK: T1595 Active Scanning.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import islice
from typing import Final

import numpy as np
from msgspec import Struct

from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors.base import Detector
from flowwarden.monitor.findings import FlowSample, Severity, TrafficFinding
from flowwarden.monitor.text import Text
from flowwarden.monitor.traffic.reject_cause import likely_cause
from flowwarden.monitor.traffic.tally import sample_of
from flowwarden.monitor.view import BatchView
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import Directions
from flowwarden.notify.alert import Route
from flowwarden.notify.text import plural
from flowwarden.policy.detection import Thresholds
from flowwarden.records.columnar.group_by import Groups, packed
from flowwarden.records.columnar.tokenizer import Integers

MOST_HOSTS: Final = 25
"""Internal hosts with a finding of their own in a batch, those with the most records first: an attacker can
send to every address of a network, and each finding is a line in the log."""
OTHERS: Final = "others"
"""The subject of the finding about all other hosts."""
BECAUSE: Final = "the initiator is on the internet and the action is REJECT"


SCANNED_PORTS: Final = 5
"""Ports of one host from which on an internet host is named: background noise tries one or two."""
MOST_SCANNERS: Final = 5
"""Internet hosts that a finding names, those with the most ports first."""


class Scanner(Struct, frozen=True):
    """An internet host that tried many ports of one host, in a batch."""

    address: str
    host: str
    """The host that rejected it."""
    ports: int
    """Distinct ports, by protocol."""


class Facts(Struct, frozen=True):
    """The evidence for the finding."""

    hosts: int
    """The number of internal hosts that the finding covers: one, or all hosts without a finding of their own.
    """
    scanners: tuple[Scanner, ...] = ()
    """At most `MOST_SCANNERS`, those with the most ports first."""


type InternetRejects = TrafficFinding[Facts]


def detect(view: BatchView, _state: StateView, _thresholds: Thresholds) -> list[InternetRejects]:
    """A finding for each internal host that rejected internet hosts, and one for all beyond `MOST_HOSTS`."""
    directions, rows = view.directions, view.noise
    hosts, texts = view.noise_hosts, directions.traffic.flows.texts
    names = [texts[number] for number in directions.server[rows[hosts.rows]].tolist()]
    ordered = sorted(range(len(hosts)), key=lambda host: (-int(hosts.sizes[host]), names[host], host))
    most, others = ordered[:MOST_HOSTS], ordered[MOST_HOSTS:]
    found = scanners(directions, rows)
    findings = [
        _report(names[host], sample, Facts(1, _of(found, {names[host]})))
        for host, sample in zip(most, view.refused_at(most), strict=True)
    ]
    if others:
        facts = Facts(len(others), _of(found, {names[host] for host in others}))
        rest = rows[np.isin(hosts.numbers, others)]
        findings.append(_report(OTHERS, sample_of(directions, rest), facts))
    return findings


def scanners(directions: Directions, rows: Integers) -> list[Scanner]:
    """The clients in these rows that tried many ports of one server, those with the most ports first."""
    if len(rows) < SCANNED_PORTS:
        return []
    flows, texts = directions.traffic.flows, directions.traffic.flows.texts
    ends = [directions.client[rows], directions.server[rows]]
    pairs = Groups(packed(ends, [len(texts), len(texts)]))
    services = [pairs.numbers, flows["protocol"][rows], directions.service_port[rows]]
    different = Groups(packed(services, [len(rows), 2**8, 2**16])).rows
    ports = np.bincount(pairs.numbers[different], minlength=len(pairs))
    (many,) = (ports >= SCANNED_PORTS).nonzero()
    columns = (ends[0][pairs.rows[many]], ends[1][pairs.rows[many]], ports[many])
    found = [
        Scanner(texts[client], texts[server], count)
        for client, server, count in zip(*(column.tolist() for column in columns), strict=True)
    ]
    return sorted(found, key=lambda each: (-each.ports, each.address, each.host))


def _of(found: Iterable[Scanner], hosts: Collection[str]) -> tuple[Scanner, ...]:
    """The first scanners of these hosts."""
    return tuple(islice((each for each in found if each.host in hosts), MOST_SCANNERS))


def _report(subject: str, sample: FlowSample, facts: Facts) -> InternetRejects:
    return DETECTOR.finding(subject=subject, peer_class=PeerClass.INTERNET, sample=sample, facts=facts)


def text(finding: InternetRejects) -> Text:
    """The finding in words."""
    others = finding.subject == OTHERS
    host = plural(finding.facts.hosts, "other host") if others else finding.subject
    return Text(
        summary=f"{plural(len(finding.tally.clients), 'internet host')} rejected at {host}{_named(finding)}.",
        because=BECAUSE,
        likely=likely_cause(finding.example, "internet hosts", host),
        query_terms=query_terms(finding),
    )


def _named(finding: InternetRejects) -> str:
    """`; ports tried: 203.0.113.9 (40), 203.0.113.10 (12)`; empty if no host tried many."""
    others = finding.subject == OTHERS
    tried = [
        f"{each.address} ({each.ports}{f' of {each.host}' if others else ''})"
        for each in finding.facts.scanners
    ]
    return f"; ports tried: {', '.join(tried)}" if tried else ""


def query_terms(finding: TrafficFinding) -> tuple[str, ...]:
    """Tokens that all lines about rejected internet hosts share."""
    return finding.example.server, "REJECT"


DETECTOR: Final = Detector(
    name="internet-rejects",
    summary="rejected connection attempts from the internet, counted in a metric",
    severity=Severity.INFO,
    rejects=True,
    route=Route.LOG,
    technique="T1595",
    detect=detect,
    text=text,
)
