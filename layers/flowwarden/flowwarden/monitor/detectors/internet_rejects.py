"""internet-rejects: what the internet tries and does not get. Counted and reported, never a page.

What: REJECTs of connections that internet hosts start towards the interface. Leftovers of expired connections
    (a REJECT without a SYN) were no attempts, and do not count.
Why: they are background radiation. EC2 sensors saw 27,100 packets per address and day (Cloud Telescope,
    2023), and the top 1 % of sources send 97 % of them; a threshold on the count pages all day.
False positives: does not apply; nothing is claimed beyond the count.
What to do: nothing. A source that is refused first and accepted later is another detector's business.
Events: reject-burst.json; expired-connection.json has leftovers, which do not count.
ATT&CK: T1595 Active Scanning.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.detectors.base import Detector
from flowwarden.monitor.findings import Severity, TrafficFinding
from flowwarden.monitor.traffic.reject_cause import likely_cause
from flowwarden.monitor.traffic.tally import representative_of, tally_of
from flowwarden.monitor.view import BatchView
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import Directions
from flowwarden.notify.alert import Route
from flowwarden.notify.text import plural
from flowwarden.policy.detection import Thresholds
from flowwarden.records.columnar.tokenizer import Integers

MOST_HOSTS: Final = 25
"""Own hosts of a batch that are told one by one, those with most records first: somebody may send to every
address of a network, and each finding is a line in the log."""


def detect(view: BatchView, _state: StateView, _thresholds: Thresholds) -> list[TrafficFinding]:
    """A finding for each own host that refused internet hosts, and one for all beyond `MOST_HOSTS`."""
    directions, rows = view.directions, view.noise
    servers = directions.server[rows]
    hosts, counts = np.unique(servers, return_counts=True)
    ordered = hosts[np.argsort(-counts, kind="stable")]
    findings = [about(directions, host, rows) for host in ordered[:MOST_HOSTS].tolist()]
    if (others := len(ordered) - MOST_HOSTS) > 0:
        rest = rows[np.isin(servers, ordered[MOST_HOSTS:])]
        findings.append(_report(directions, plural(others, "other host"), rest))
    return findings


def about(directions: Directions, server: int, rows: Integers) -> TrafficFinding:
    """The finding about one host, by the number of its text; the rows are the batch's `noise`."""
    host = directions.traffic.flows.texts[server]
    return _report(directions, host, rows[directions.server[rows] == server])


def _report(directions: Directions, host: str, rows: Integers) -> TrafficFinding:
    tally, example = tally_of(directions, rows), representative_of(directions, rows)
    return TrafficFinding(
        detector=DETECTOR.name,
        severity=DETECTOR.severity,
        subject=host,
        peer_class=PeerClass.INTERNET,
        summary=f"Refused at {host}: {plural(len(tally.clients), 'internet host')}.",
        because="the initiator is on the internet and the action is REJECT",
        likely=likely_cause(example, "internet hosts", host),
        advice=(),
        technique=DETECTOR.technique,
        query_terms=(example.server, "REJECT"),
        tally=tally,
        example=example,
    )


DETECTOR: Final = Detector(
    name="internet-rejects",
    summary="what the internet tried and did not get; a metric counts it",
    severity=Severity.INFO,
    route=Route.LOG,
    technique="T1595",
    detect=detect,
)
