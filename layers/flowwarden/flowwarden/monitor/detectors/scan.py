"""scan: one of our own hosts tries what is new for it, and mostly fails.

What: an own host whose new contacts fail: the places (server, protocol, port) that refused or did not answer
    it, less those that answered, reach `scan_hour` within an hour or `scan_day` within a day. What is
    usual for its role does not count, however much of it fails. Services that it usually asks for, but in
    other networks, count once for each network that is new and fails, and for `USUAL_WEIGHTS` of every
    further server there. Each server that answered makes up for one failure, however many of its ports did;
    those of the internet for failures on the internet only, because an attacker can have any number of them.
    Or an own host that asks one server for `scan_ports` privileged ports in a batch, answered or not.
Why: an application knows which servers to ask. A scanner has to try, and most of what it tries is not there.
    It is the sequential test of Jung, Paxson, Berger and Balakrishnan (IEEE S&P 2004) on first contacts, with
    odds of 0.8 and 0.2: twelve more failures than successes mean one false alarm in ten million.
False positives: inventory and vulnerability scanners, new monitoring: name them in the policy's `exempt`. NAT
    gateways and load balancers are left out, since they ask in others' names.
While a role is learned, all that it does is new: answers are not counted then, and it takes `LEARNING_FACTOR`
    times as many failures.
What to do: find out what runs on the host; isolate it if nobody knows.
Events: scan.json; resolver-answers.json is none.
ATT&CK: T1046 Network Service Discovery.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from flowwarden.monitor.detectors.base import Detector, Need, PerHost
from flowwarden.monitor.findings import Finding, Severity, Tally, representative
from flowwarden.monitor.traffic.host_activity import (
    ANSWERED,
    ANSWERED_BY,
    ANSWERED_OUTSIDE,
    FAILED,
    FAILED_NETWORKS,
    FAILED_OUTSIDE,
    FAILED_USUAL,
    SPANS,
    HostActivity,
)
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.services import UNPRIVILEGED
from flowwarden.notify.text import plural
from flowwarden.policy.detection import Thresholds
from flowwarden.policy.policy import Policy
from flowwarden.state.sets import DAY, HOUR, Sets, distinct

LEARNING_FACTOR: Final = 2.5
USUAL_WEIGHTS: Final = {HOUR: 0.2, DAY: 0.1}
"""Bastions, deployment tools and peers of a cluster keep asking for hosts that were replaced: a stale list
has dozens, and a day of many releases brings several. They stand in the few networks that such hosts get
addresses of; who sweeps for a service goes through many."""

_NOTHING: Final[frozenset[int]] = frozenset()


def excess(sets: Sets, span: int) -> float:
    """By how many places more failed than answered within a span; one that did both answered."""
    answered, outside = sets.get(ANSWERED, _NOTHING), sets.get(ANSWERED_OUTSIDE, _NOTHING)
    failed = distinct(sets.get(FAILED, _NOTHING) - answered) + _usual(sets, span)
    inside = failed - distinct(sets.get(ANSWERED_BY, _NOTHING))
    abroad = distinct(sets.get(FAILED_OUTSIDE, _NOTHING) - outside) - distinct(outside)
    return max(inside, 0) + max(abroad, 0)


def _usual(sets: Sets, span: int) -> float:
    """What the servers count that failed at services which are usual elsewhere."""
    servers = distinct(sets.get(FAILED_USUAL, _NOTHING) - sets.get(ANSWERED_BY, _NOTHING))
    networks = min(distinct(sets.get(FAILED_NETWORKS, _NOTHING)), servers)
    return networks + USUAL_WEIGHTS[span] * (servers - networks)


def failures(sets: Sets) -> float:
    """How many places failed, answered or not at other times."""
    return sum(distinct(sets.get(name, _NOTHING)) for name in (FAILED, FAILED_USUAL, FAILED_OUTSIDE))


def vertical(suspect: HostActivity, least: int) -> str | None:
    """The server that the host asks for very many privileged ports in this batch; None if there is none."""
    ports: defaultdict[str, set[int]] = defaultdict(set)
    for contact in suspect.contacts:
        if contact.port < UNPRIVILEGED:
            ports[contact.server].add(contact.port)
    return next((server for server, asked in ports.items() if len(asked) >= least), None)


def exceeded(suspect: HostActivity, thresholds: Thresholds) -> int | None:
    """The window, in seconds, in which the host failed too often, in whatever batch; None if it did not."""
    limits = {span: _limit(suspect, span, thresholds) for span in SPANS}
    spans = (span for span, limit in limits.items() if excess(suspect.window(span), span) >= limit)
    return next(spans, None)


def suspicious(suspect: HostActivity, thresholds: Thresholds) -> int | None:
    """The same, if the host failed in this batch as well."""
    failed = any(contact.failed for contact in suspect.contacts)
    return exceeded(suspect, thresholds) if failed else None


def inspect(suspect: HostActivity, flows: Sequence[DirectedFlow], policy: Policy) -> list[Finding]:
    """One finding for the host, if it scans; the flows are those of its new contacts."""
    if not flows:
        return []
    thresholds = policy.thresholds
    if span := suspicious(suspect, thresholds):
        failed = round(failures(suspect.window(span)))
        tried = f"about {failed} host and port pairs in vain within {SPANS[span]}"
        why = f"{_limit(suspect, span, thresholds):g} more failures than answers are the threshold"
        return [_report(suspect, flows, tried, why)]
    if server := vertical(suspect, thresholds.scan_ports):
        tried = f"{thresholds.scan_ports} privileged ports or more of {server} in one batch"
        return [_report(suspect, flows, tried, "nobody needs so many of one server")]
    return []


def _limit(suspect: HostActivity, span: int, thresholds: Thresholds) -> float:
    limit = thresholds.scan_hour if span == HOUR else thresholds.scan_day
    return limit * (LEARNING_FACTOR if suspect.learning else 1)


def _report(suspect: HostActivity, flows: Sequence[DirectedFlow], tried: str, why: str) -> Finding:
    tally = Tally.of(flows)
    client, example = suspect.client, representative(flows)
    return Finding(
        detector=DETECTOR.name,
        severity=DETECTOR.severity,
        subject=client,
        peer_class=PeerClass.OWN,  # constant, so that it is one incident whatever a batch shows of it
        summary=f"{client} tried {tried}.",
        because=(
            f"{client} is ours and started them ({example.verdict.evidence}, confidence "
            f"{example.confidence:.2f}); none of it is usual for its role ({suspect.role}); {why}"
        ),
        likely=f"something on {client} looks for open ports: a scanner, an inventory tool, or an intruder",
        advice=(
            f"Ask who runs a scanner or monitoring on {client}; if somebody does, name it in `exempt`.",
            f"If nobody does: isolate {client} (a security group without rules), keep its disk and memory.",
            f"In this batch: {plural(len(tally.servers), 'host')}, {plural(len(tally.services), 'service')}.",
        ),
        technique=DETECTOR.technique,
        query_terms=(client,),
        tally=tally,
        example=example,
    )


DETECTOR: Final = Detector(
    name="scan",
    summary=(
        "one of your hosts tries what is new for its role, and mostly fails: 12 places within an "
        "hour or 20 within a day, over any number of batches; or it asks one server for 15 "
        "privileged ports"
    ),
    severity=Severity.HIGH,
    technique="T1046",
    thresholds=("scan_hour", "scan_day", "scan_ports"),
    needs=frozenset({Need.BASELINE}),
    inhibits=("host-probing", "blocked-connection", "lateral-movement"),
    detect=(PerHost(inspect),),
)
